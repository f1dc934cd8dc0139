/** R7 and R8: committing what is final, and the change of epoch. */
import { asView } from '../core/bytes.js'
import { forgetViews, takeVote } from './ballots.js'
import type { BlockEntry } from './blockTable.js'
import { recentFinalBlocksMax } from './bounds.js'
import { type Core, finalView, halt, peerOf, sabotaged } from './core.js'
import { councilOf } from './council.js'
import { resolve } from './execution.js'
import { replay } from './recovery.js'
import { retireBlock, retireView, sealRetired } from './retire.js'
import type { Certificate, Input, SealedBlock, SealerSet } from './types.js'

/** Hands the finalized block and its ancestors to the shell once all are executed. */
export function finalityRule(core: Core): void {
  if (sabotaged(core, 'early-commit')) commitEarly(core)
  const { pending } = core
  if (!pending) return
  if (pending.block === core.final.hash) {
    settle(core, pending, core.blocks.get(pending.block)?.nextSet ?? null)
    return
  }
  const found = resolve(core, pending.block, true)
  if (found === 'wait') return
  if (found === 'valid') commit(core, pending)
  else
    halt(
      core,
      'stop-node',
      `the final block ${pending.block} of view ${pending.view} cannot be executed on this node's final chain`,
    )
}

/** R7: in order, with the certificate for the last. */
function commit(core: Core, certificate: Certificate): void {
  const chain = chainTo(core, certificate)
  const last = chain.at(-1)
  if (!last) return
  const blocks = chain.map((entry) => entry.block)
  const parentViews = [core.final.view, ...blocks.slice(0, -1).map((block) => block.view)]
  core.effects.push({ type: 'commit', blocks, certificate, parentViews })
  remember(core, blocks)
  core.final = { hash: last.block.hash, height: last.block.height, view: last.block.view, certificate }
  settle(core, certificate, last.nextSet)
}

function chainTo(core: Core, certificate: Certificate): BlockEntry[] {
  const chain: BlockEntry[] = []
  for (let at = certificate.block; at !== core.final.hash; ) {
    const entry = core.blocks.get(at)
    if (!entry) return []
    chain.push(entry)
    at = entry.block.parent
  }
  return chain.reverse()
}

/** After a commit: the certificate's view is the base, or the next epoch begins. */
function settle(core: Core, certificate: Certificate, nextSet: SealerSet | null): void {
  core.pending = null
  core.parent = null
  core.lagSince = null
  core.changed = true
  if (nextSet) enterEpoch(core, nextSet)
  else if (certificate.view > core.final.view) core.final = { ...core.final, view: certificate.view }
  forgetBlocks(core)
  sealRetired(core)
}

/**
 * Blocks that can no longer become final: those of settled heights, and those of settled views, which a parent that became
 * final in a later view has left behind; new blocks extend what was notarized in that view or later (R2).
 */
function forgetBlocks(core: Core): void {
  for (const [hash, entry] of core.blocks) {
    if (entry.block.height > core.final.height && entry.block.view > core.final.view) continue
    retireBlock(core, entry)
    core.blocks.delete(hash)
  }
}

/** R8: the new epoch is a protocol instance of its own, whose first view follows the view in the closing block's header. */
export function enterEpoch(core: Core, set: SealerSet): void {
  core.council = councilOf(set, core.options.sabotage)
  core.pending = null
  for (const record of core.views.values()) retireView(core, record)
  for (const entry of core.blocks.values()) retireBlock(core, entry)
  core.views.clear()
  core.notarized.clear()
  core.blocks.clear()
  core.missing.clear()
  core.gap = null
  core.building = null
  core.unfinalSince = null
  core.armedAt = null
  core.cur = asView(core.final.view + 1)
  core.statusAt = core.now
  core.changed = true
  for (const { address } of set.sealers) if (address !== core.options.self) peerOf(core, address)
  const later = core.laterRecords
  core.laterRecords = []
  replay(core, later)
  for (const peer of core.peers.values()) {
    const { early } = peer
    peer.early = []
    for (const vote of early) takeVote(core, vote)
  }
}

/** The shell imported final blocks by range sync. */
export function takeSynced(core: Core, input: Extract<Input, { type: 'synced' }>): void {
  const { block, certificate, set } = input
  if (block.height <= core.final.height) return
  core.final = { hash: block.hash, height: block.height, view: block.view, certificate }
  core.lagSince = null
  core.parent = null
  core.changed = true
  remember(core, [block])
  if (set.epoch !== core.council.set.epoch) enterEpoch(core, set)
  else {
    if (core.pending && core.pending.view <= certificate.view) core.pending = null
    if (certificate.view >= finalView(core)) forgetViews(core, certificate.view)
  }
  forgetBlocks(core)
  sealRetired(core)
}

function remember(core: Core, blocks: readonly SealedBlock[]): void {
  core.recent.push(...blocks)
  core.recent.splice(0, Math.max(0, core.recent.length - recentFinalBlocksMax))
}

/** Planted bug: a notarization is taken for finality. */
function commitEarly(core: Core): void {
  const notarization = [...core.notarized.values()].at(-1)
  if (!notarization || resolve(core, notarization.block, true) !== 'valid') return
  forgetViews(core, notarization.view)
  commit(core, notarization)
}

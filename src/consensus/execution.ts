/** R9: which blocks are here and executed, which to fetch, which to execute next. */
import type { Hash } from '../core/bytes.js'
import type { BlockEntry } from './blockTable.js'
import { type Core, sabotaged } from './core.js'
import { councilOf } from './council.js'
import type { SealerSet, Verdict } from './types.js'

/**
 * Whether the block and all its ancestors above the final one are executed; else fetches or executes the lowest that is
 * not. `certified`: a quorum vouches for the block, hence for its ancestors. `childIsHere`: so whoever sent the child has
 * it. 'bad': it can never be.
 */
export function resolve(core: Core, hash: Hash, certified: boolean, childIsHere = false): 'valid' | 'wait' | 'bad' {
  let lowest: BlockEntry | null = null
  for (let at = hash; at !== core.final.hash; ) {
    const entry = core.blocks.get(at)
    if (!entry) {
      want(core, at, childIsHere || lowest !== null)
      return 'wait'
    }
    if (entry.state === 'valid') break
    if (entry.block.height <= core.final.height) return 'bad'
    lowest = entry
    at = entry.block.parent
  }
  if (lowest === null) return 'valid'
  return startCheck(core, lowest, certified) ? 'wait' : 'bad'
}

/** Asks the shell to execute a block whose parent is executed, unless that runs; false when the block cannot be valid. */
export function startCheck(core: Core, entry: BlockEntry, certified: boolean): boolean {
  if (entry.state === 'valid' || entry.state === 'checking') return true
  if (entry.state === 'invalid' && (entry.certified || !certified)) return false
  entry.certified = certified
  if (!follows(core, entry)) {
    entry.state = 'invalid'
    entry.certified = true
    return false
  }
  entry.state = 'checking'
  core.effects.push({ type: 'verify', block: entry.block, certified })
  return true
}

/** Height is contiguous and views grow along the chain; epoch is the present one. */
function follows(core: Core, { block }: BlockEntry): boolean {
  const parent = block.parent === core.final.hash ? core.final : core.blocks.get(block.parent)?.block
  if (!parent || block.epoch !== core.council.set.epoch) return false
  return block.height === parent.height + 1 && block.view > parent.view
}

/** The shell's answer. */
export function takeVerdict(core: Core, hash: Hash, verdict: Verdict): void {
  const entry = core.blocks.get(hash)
  if (entry?.state !== 'checking') return
  entry.state = verdict.ok ? 'valid' : 'invalid'
  if (verdict.ok) entry.nextSet = verdict.nextSet ?? null
  if (entry.nextSet && sabotaged(core, 'early-set-change')) countWith(core, entry.nextSet)
  core.changed = true
}

/** Planted bug: the sealers of the next epoch count in this one. */
function countWith(core: Core, { sealers }: SealerSet): void {
  core.council = councilOf({ epoch: core.council.set.epoch, sealers })
}

/** A block that is missing is asked for; its child came from someone who has it, else it is probably on its way. */
function want(core: Core, hash: Hash, childIsHere: boolean): void {
  core.needed.add(hash)
  const askAt = core.now + (childIsHere ? 0 : fetchGraceMs(core))
  const wish = core.missing.get(hash)
  if (!wish) core.missing.set(hash, { askAt, tries: 0 })
  else if (wish.tries === 0) wish.askAt = Math.min(wish.askAt, askAt)
}

/** Votes overtake blocks; a request within this time would mostly be wasted. In ms. */
export function fetchGraceMs(core: Core): number {
  return core.options.timers.resendMs / 5
}

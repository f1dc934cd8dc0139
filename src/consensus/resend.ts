/** R10 and R11: helping those who lag, and saying again what may have been lost. Nothing else is needed under loss. */
import type { Address } from '../core/bytes.js'
import { asView, type View } from '../core/bytes.js'
import { helpCertificatesMax, lagBlocksMax } from './bounds.js'
import { broadcast, type Core, finalView, isLeader, mayVote, ownProposal, sabotaged, send } from './core.js'
import { certificatesFrom } from './repair.js'
import { isExpecting, tipNeedsChild } from './timers.js'
import type { Status } from './types.js'

/** Views below the current one whose finalize votes are said again. */
const finalizeResendViews = 4

export function statusOf(core: Core): Status {
  return {
    type: 'status',
    epoch: core.council.set.epoch,
    view: core.cur,
    finalView: finalView(core),
    finalHeight: core.final.height,
  }
}

/** Whether anything is open here: expected, unfinal, missing, or known to lag. */
export function isOpen(core: Core): boolean {
  if (isExpecting(core) || core.notarized.size > 0 || core.pending !== null) return true
  return core.missing.size > 0 || core.gap !== null || core.lagSince !== null
}

/** R11: every resendMs while something is open, a status every idleStatusMs otherwise. */
export function resend(core: Core): void {
  const { resendMs, idleStatusMs } = core.options.timers
  if (isOpen(core)) core.resendAt ??= core.now + resendMs
  else core.resendAt = null
  const due = core.resendAt !== null && core.now >= core.resendAt
  if (!due && core.now < core.statusAt) return
  core.statusAt = core.now + idleStatusMs
  broadcast(core, statusOf(core))
  if (!due) return
  core.resendAt = core.now + resendMs
  if (!sabotaged(core, 'no-resend')) sayAgain(core)
}

/** The own proposal, the votes of the current view, and the finalize votes that still count. */
function sayAgain(core: Core): void {
  const proposal = ownProposal(core)
  if (proposal) broadcast(core, proposal)
  const { own } = core.views.get(core.cur) ?? {}
  if (own?.notarize && !(proposal && isLeader(core, core.cur))) broadcast(core, { type: 'vote', vote: own.notarize })
  if (own?.nullify) broadcast(core, { type: 'vote', vote: own.nullify })
  const unfinal = [...core.notarized.keys()].sort((a, b) => b - a)
  for (const view of unfinal.slice(0, finalizeResendViews)) {
    const vote = core.views.get(view)?.own.finalize
    if (vote) broadcast(core, { type: 'vote', vote })
  }
  showTip(core, unfinal[0])
}

/**
 * Who may not vote starts nobody's clock. When it alone saw enough votes for a block, the others gave up that view and are
 * at rest: they are shown the notarization, or this node would wait for finality until the next transaction comes.
 */
function showTip(core: Core, view: View | undefined): void {
  if (view === undefined || mayVote(core, core.cur) || !tipNeedsChild(core)) return
  const certificate = core.notarized.get(view)
  if (certificate) broadcast(core, { type: 'certificate', certificate })
}

/** R10: a status shows who lags, this node or its sender. */
export function takeStatus(core: Core, from: Address, status: Status): void {
  const peer = core.peers.get(from)
  if (peer) peer.status = status
  const { epoch } = core.council.set
  if (status.finalHeight > core.final.height || status.epoch > epoch) noticeLag(core, from, status)
  if (status.epoch < epoch || status.finalHeight < core.final.height) help(core, from, status)
  else if (status.epoch === epoch && (status.view < core.cur || status.finalView < finalView(core)))
    help(core, from, status)
  else if (status.epoch === epoch && status.view > core.cur) askForViews(core, from, status)
}

/** This node lacks final blocks: by hash when they are few and on their way, else by range sync. */
function noticeLag(core: Core, from: Address, status: Status): void {
  const { resendMs } = core.options.timers
  core.lagSince ??= core.now
  const far = status.finalHeight - core.final.height > lagBlocksMax || status.epoch > core.council.set.epoch
  if (!far && core.now - core.lagSince < 2 * resendMs) return
  if (core.now - core.lagAskedAt < resendMs) return
  core.lagAskedAt = core.now
  core.effects.push({ type: 'lagging', peer: from, height: status.finalHeight })
}

/** Status and the certificates that bring the sender forward, at most once per half resend period. */
function help(core: Core, to: Address, status: Status): void {
  const peer = core.peers.get(to)
  if (!peer || core.now - peer.helpedAt < core.options.timers.resendMs / 2 || sabotaged(core, 'no-resend')) return
  peer.helpedAt = core.now
  send(core, to, statusOf(core))
  if (status.epoch !== core.council.set.epoch) return
  const from = status.finalView < finalView(core) ? status.finalView : status.view
  const until = asView(core.cur - 1)
  const latest = asView(Math.max(from, core.cur - helpCertificatesMax))
  for (const certificate of certificatesFrom(core, from <= finalView(core) ? from : latest, until)) {
    send(core, to, { type: 'certificate', certificate })
  }
}

/** The sender is some views ahead at the same height: one round trip brings the certificates. */
function askForViews(core: Core, from: Address, status: Status): void {
  const peer = core.peers.get(from)
  if (!peer || core.now - peer.askedAt < core.options.timers.resendMs / 2) return
  peer.askedAt = core.now
  const first = asView(Math.max(core.cur, status.view - helpCertificatesMax))
  send(core, from, { type: 'requestCertificates', from: first, to: asView(status.view - 1) })
}

/** D3 and T1, T3: when something is expected of the current view and when patience ends. */
import { type Core, finalView, isLeader, leaderOf, sabotaged } from './core.js'
import { weightAt } from './council.js'
import { touched } from './viewRecord.js'

/** D3: a notarized block waits for finality for longer than finalize votes take. */
export function tipNeedsChild(core: Core): boolean {
  const at = tipDemandAt(core)
  return at !== null && core.now >= at
}

/**
 * Twice the time that finality lately took, so that on a slow network finalize votes still come first: else each empty
 * block would call for the next one for ever.
 */
export function tipDemandAt(core: Core): number | null {
  if (core.unfinalSince === null || sabotaged(core, 'no-tip-demand')) return null
  return core.unfinalSince + Math.max(core.options.timers.finalizeGraceMs, 2 * core.finalityLagMs)
}

/** A block is wanted, or somebody has begun to vote or propose here. */
export function isExpecting(core: Core): boolean {
  if (core.wanted || tipNeedsChild(core)) return true
  const record = core.views.get(core.cur)
  return record !== undefined && touched(record)
}

/** Starts and stops the clock of the current view. */
export function armTimer(core: Core): void {
  if (!isExpecting(core)) core.armedAt = null
  else core.armedAt ??= core.now
}

/**
 * T1: doubled each time about n/3 views pass without new finality, back to base on finality. The base grows, up to three
 * times, with the time that messages take: else views end before slow votes come, and only luck makes them final. In ms.
 */
export function viewTimeoutMs(core: Core): number {
  const { viewTimeoutMs, viewTimeoutMaxMs: cap } = core.options.timers
  if (sabotaged(core, 'no-backoff')) return viewTimeoutMs
  const base = viewTimeoutMs + 2 * Math.min(core.finalityLagMs, viewTimeoutMs)
  return Math.min(cap, base * 2 ** Math.min(doublings(core), 30))
}

/** How often about n/3 views have passed since finality. */
function doublings(core: Core): number {
  const step = Math.ceil(core.council.set.sealers.length / 3)
  return Math.floor((core.cur - finalView(core) - 1) / step)
}

/** When patience with the current view ends, or null while nothing is expected of it. */
export function overdueAt(core: Core): number | null {
  if (core.armedAt === null) return null
  const timeoutAt = core.armedAt + patienceMs(core)
  const silentAt = leaderSilentAt(core)
  return silentAt === null ? timeoutAt : Math.min(timeoutAt, Math.max(silentAt, core.armedAt))
}

/**
 * A refused proposal ends its view at once, but when that has not led to a good one within about n/3 views, each costs half
 * of the time-out: else views pass as fast as messages do while no proposal can be good, say until clocks agree. In ms.
 */
function patienceMs(core: Core): number {
  const refused = core.views.get(core.cur)?.refused ?? false
  if (!refused) return viewTimeoutMs(core)
  return doublings(core) === 0 ? 0 : viewTimeoutMs(core) / 2
}

export function isOverdue(core: Core): boolean {
  const at = overdueAt(core)
  return at !== null && core.now >= at
}

/** T3: since when the leader counts as gone, or null when it does not or when too few others are heard. */
function leaderSilentAt(core: Core): number | null {
  if (isLeader(core, core.cur) || !hearsQuorum(core)) return null
  const leader = core.peers.get(leaderOf(core, core.cur))
  if (leader && !leader.connected) return core.armedAt
  return (leader?.heardAt ?? core.startedAt) + inactivityMs(core)
}

function hearsQuorum(core: Core): boolean {
  const { self } = core.options
  let weight = 0
  core.council.set.sealers.forEach((sealer, index) => {
    const peer = core.peers.get(sealer.address)
    const heard = peer?.connected && core.now - peer.heardAt <= inactivityMs(core)
    if (heard || sealer.address === self) weight += weightAt(core.council, index)
  })
  return weight >= core.council.quorum
}

/** Idle nodes speak only every idleStatusMs; silence shorter than two of these says nothing. */
function inactivityMs(core: Core): number {
  const { inactivityMs: configured, idleStatusMs, resendMs } = core.options.timers
  return Math.max(configured, 2 * idleStatusMs + resendMs)
}

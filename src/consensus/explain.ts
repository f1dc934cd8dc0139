/** In plain words: why a node's view of consensus moves or does not. Shared by the RPC and by diagnosis. */
import type { Address } from '../core/bytes.js'
import type { EngineView } from './describe.js'

export type NameOf = (address: Address) => string

/** One sealer as a poll sees it. */
export interface Voter {
  readonly name: string
  readonly weight: number
  readonly canVote: boolean
}

/** One sentence without full stop: what the node waits for, from whom, since when and until when. */
export function explain(view: EngineView, nameOf: NameOf): string {
  if (view.halted === 'stop-voting') return `does not vote any more: ${view.haltReason}`
  if (view.halted === 'stop-node') return `stopped: ${view.haltReason}`
  if (view.votesFrom !== undefined) return inDoubt(view.votesFrom)
  if (view.quorum !== 'reached') return noQuorum(votersOf(view, nameOf), view.weightQuorum)
  if (view.missingCertificates) return `asks its peers for certificates of views before ${view.view}`
  const since = view.stageSince === null ? '' : ` since ${duration(view.now - view.stageSince)}`
  const awaited = view.sealers.filter((sealer) => sealer.awaited !== null).map(({ address }) => nameOf(address))
  switch (view.stage) {
    case 'idle':
      return 'idle: no transaction waits for a block'
    case 'proposal':
      return `view ${view.view} waits for ${nameOf(view.leader)}'s proposal${since}${skipped(view)}`
    case 'notarize':
      return `view ${view.view} has ${nameOf(view.leader)}'s block and waits for votes${since}: ${names(awaited)}${skipped(view)}`
    case 'nullify':
      return `view ${view.view} is being skipped and waits for votes to skip it${since}: ${names(awaited)}`
    case 'finalize':
      return `the block of view ${view.stageView} is notarized and waits for votes to finalize it${since}: ${names(awaited)}`
  }
}

function inDoubt(votesFrom: EngineView['votesFrom']): string {
  const until = votesFrom === null ? 'the other sealers have said where they are' : `view ${votesFrom}`
  return `does not vote until ${until}: votes of this sealer may be missing from its journal`
}

/** `2 of 4 sealers can vote (weight 2 of 4, a quorum is 3): no quorum, needs node3 or node4` */
export function noQuorum(voters: readonly Voter[], quorum: number): string {
  return `${ballot(voters, quorum)}: no quorum, ${whoCompletes(voters, quorum)}`
}

/** `3 of 4 sealers can vote (weight 3 of 4, a quorum is 3)` */
export function ballot(voters: readonly Voter[], quorum: number): string {
  const able = voters.filter(({ canVote }) => canVote)
  return `${able.length} of ${voters.length} sealers can vote (weight ${weigh(able)} of ${weigh(voters)}, a quorum is ${quorum})`
}

/** Whose return makes a quorum: any one of some, or how many of which. */
export function whoCompletes(voters: readonly Voter[], quorum: number): string {
  const missing = quorum - weigh(voters.filter(({ canVote }) => canVote))
  const away = voters.filter(({ canVote }) => !canVote).sort((a, b) => b.weight - a.weight)
  const enough = away.filter(({ weight }) => weight >= missing)
  if (enough.length > 0) return `needs ${enough.map(({ name }) => name).join(' or ')}`
  const even = away.every(({ weight }) => weight === away[0]?.weight)
  if (!even) return `needs weight ${missing} of ${away.map(({ name, weight }) => `${name} (${weight})`).join(', ')}`
  const count = Math.ceil(missing / (away[0]?.weight ?? 1))
  const list = names(away.map(({ name }) => name))
  return count === away.length ? `needs ${list}` : `needs ${count} of ${list}`
}

/** `850 ms`, `3.1 s`, `12 s`, `4 min`, `3 h` */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`
  return `${Math.round(ms / 3_600_000)} h`
}

const NAMES_MAX = 8

/** `node1, node2 and node3`; the first few of many. */
export function names(all: readonly string[]): string {
  if (all.length > NAMES_MAX) return `${all.slice(0, NAMES_MAX).join(', ')} and ${all.length - NAMES_MAX} more`
  if (all.length < 2) return all[0] ?? 'nobody'
  return `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`
}

function skipped({ overdueAt, now }: EngineView): string {
  if (overdueAt === null) return ''
  return overdueAt <= now ? ', is skipped now' : `, will be skipped in ${duration(overdueAt - now)}`
}

function votersOf({ sealers }: EngineView, nameOf: NameOf): Voter[] {
  return sealers.map(({ address, weight, connected }) => ({ name: nameOf(address), weight, canVote: connected }))
}

const weigh = (voters: readonly Voter[]): number => voters.reduce((sum, { weight }) => sum + weight, 0)

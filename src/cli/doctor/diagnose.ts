/** From what nodes said of themselves to what is wrong with the network. Pure: no clock, no network. */
import { ballot, duration, names, noQuorum, type Voter } from '../../consensus/explain.js'
import type { Address, Hash } from '../../core/bytes.js'
import type { RpcConsensus, RpcSealerStanding } from '../../rpc/wire.js'
import { type Finding, note, problem } from './finding.js'
import type { Answer, Observation } from './observation.js'

/** Blocks are refused from clockDriftMs (15 s by default) on; long before that a clock is wrong. */
const CLOCK_SKEW_MS_MAX = 1_000
/** A sealer says something every second or two, also when nothing happens. */
const SILENCE_MS_MAX = 5_000
/** Longer than any view lasts: time-outs are capped at a few seconds. */
const STAGE_MS_MAX = 10_000
/** Twice the longest pause between two tries to deliver an envelope. */
const DELIVERY_MS_MAX = 60_000

/** What the nodes should have in common, where that is known. */
export interface Expected {
  readonly genesisHash?: Hash
}

type Answering = Observation & { readonly answer: Answer }

/** Findings in order of weight: what stops the chain first. */
export function diagnose(observations: readonly Observation[], expected: Expected = {}): Finding[] {
  const all = observations.filter((one): one is Answering => one.answer !== null)
  const genesisHash = expected.genesisHash ?? mostCommon(all.map(({ answer }) => answer.genesisHash))
  const own = all.filter(({ answer }) => answer.genesisHash === genesisHash)
  const polls = quorum(own, observations)
  return [
    ...forks(own),
    ...polls,
    ...halted(own),
    ...inDoubt(own),
    ...strangers(all, genesisHash),
    ...unreachable(observations),
    ...silentSealers(own, observations),
    ...links(own),
    ...lagging(own),
    ...(polls.some(({ severity }) => severity === 'problem') ? [] : stuck(own)),
    ...deliveries(own, observations),
    ...clocks(own),
    ...versions(own),
    ...observers(own),
  ]
}

/** Exit status: 0 fine, 1 something is wrong. */
export const isFine = (findings: readonly Finding[]): boolean => findings.every(({ severity }) => severity === 'note')

/** Who can vote, by the sealer that sees most of them; null when no sealer answers. */
function pollOf(own: readonly Answering[], nameOf: (address: Address) => string) {
  const best = mostSeeing(own.filter(({ answer }) => isSealer(answer.consensus)))
  if (best === undefined) return null
  const stopped = new Set(own.filter(({ answer }) => isSilent(answer.consensus)).map(selfOf))
  const { sealers, weightQuorum } = best.answer.consensus
  const voters = sealers.map(({ address, weight, connected }) => ({
    name: nameOf(address),
    weight: Number(weight),
    canVote: connected && !stopped.has(address),
  }))
  return { voters, quorum: Number(weightQuorum) }
}

/** Names by address: the operator's own first, then those which nodes give each other. */
export function naming(observations: readonly Observation[]): (address: Address) => string {
  const known = new Map<Address, string>()
  for (const { answer } of observations)
    for (const { address, name } of [...(answer?.consensus.sealers ?? []), ...(answer?.peers ?? [])])
      if (name !== null) known.set(address, name)
  for (const { name, address, answer } of observations) {
    const at = answer?.consensus.self ?? address
    if (at !== undefined) known.set(at, name)
  }
  return (address) => known.get(address) ?? `${address.slice(0, 10)}…`
}

function quorum(own: readonly Answering[], observations: readonly Observation[]): Finding[] {
  const seen = pollOf(own, naming(observations))
  if (seen === null) return []
  const able = seen.voters.filter(({ canVote }) => canVote)
  const weight = able.reduce((sum, voter) => sum + voter.weight, 0)
  if (weight < seen.quorum)
    return [problem('quorum', [], `no block can become final: ${noQuorum(seen.voters, seen.quorum)}`)]
  const away = seen.voters.filter(({ canVote }) => !canVote)
  if (away.length === 0) return []
  return [
    note(
      'quorum',
      away.map(({ name }) => name),
      `${ballot(seen.voters, seen.quorum)}: blocks go on${spare(able, seen.quorum)}`,
    ),
  ]
}

/** Whether one more may fail. */
function spare(able: readonly Voter[], quorum: number): string {
  const weight = able.reduce((sum, voter) => sum + voter.weight, 0)
  const heaviest = Math.max(...able.map((voter) => voter.weight))
  return weight - heaviest < quorum ? '; they stop if one more fails' : ''
}

function forks(own: readonly Answering[]): Finding[] {
  const at = new Map<string, Answering[]>()
  for (const one of own) {
    if (one.answer.common === null) continue
    const key = `${one.answer.common.height} ${one.answer.common.hash}`
    at.set(key, [...(at.get(key) ?? []), one])
  }
  const height = own.find(({ answer }) => answer.common !== null)?.answer.common?.height
  const sides = [...at].filter(([key]) => key.startsWith(`${height} `))
  if (sides.length < 2) return []
  const text = sides
    .map(([key, nodes]) => `${key.split(' ')[1]!.slice(0, 10)}… on ${names(nodes.map(nameOf))}`)
    .join(', ')
  return [
    problem(
      'fork',
      sides.flatMap(([, nodes]) => nodes.map(nameOf)),
      `different final blocks at height ${height}: ${text}; this cannot happen while less than a third of the weight is faulty: stop all nodes, keep their folders, and compare the signers of both certificates (concordat_getFinalityCertificate)`,
    ),
  ]
}

function halted(own: readonly Answering[]): Finding[] {
  return own
    .filter(({ answer }) => answer.consensus.halted !== 'no')
    .map((one) => {
      const { halted: how, haltReason } = one.answer.consensus
      const what = how === 'stop-voting' ? 'does not vote any more' : 'has stopped'
      return problem('halted', [one.name], `${one.name} ${what}: ${haltReason}`)
    })
}

/** It ends by itself, as soon as enough others are heard. */
function inDoubt(own: readonly Answering[]): Finding[] {
  return own
    .filter(({ answer: { consensus } }) => consensus.inDoubt && consensus.halted === 'no')
    .map((one) => note('doubt', [one.name], `${one.name} ${one.answer.consensus.why}; see docs/journal.md`))
}

const isSilent = ({ halted, inDoubt }: RpcConsensus): boolean => halted !== 'no' || inDoubt

function strangers(all: readonly Answering[], genesisHash: Hash | undefined): Finding[] {
  return all
    .filter(({ answer }) => answer.genesisHash !== genesisHash)
    .map(({ name, answer }) =>
      problem(
        'chain',
        [name],
        `${name} is a node of another chain: genesis ${answer.genesisHash.slice(0, 10)}…, chain id ${answer.chainId}, instead of ${genesisHash?.slice(0, 10)}…; give it the right genesis.json and an empty data folder`,
      ),
    )
}

function unreachable(observations: readonly Observation[]): Finding[] {
  return observations
    .filter(({ answer }) => answer === null)
    .map(({ name, fault, process: facts }) => {
      const last =
        facts?.lastWords === undefined || facts.lastWords === null ? '' : `; its log ends with: ${facts.lastWords}`
      return problem('reach', [name], `${name} does not answer, ${processText(facts)}${fault}${last}`)
    })
}

function processText(facts: Observation['process']): string {
  if (facts === undefined) return ''
  if (facts.pid === null) return 'it has not been started: '
  return facts.running ? `though its process ${facts.pid} runs: ` : `its process ${facts.pid} has ended: `
}

/** Sealers that others do not hear, whether their node was asked or not. */
function silentSealers(own: readonly Answering[], observations: readonly Observation[]): Finding[] {
  const named = naming(observations)
  const addresses = new Set(own.flatMap(({ answer }) => answer.consensus.sealers.map(({ address }) => address)))
  return [...addresses].flatMap((address) => {
    const others = own.filter((one) => selfOf(one) !== address)
    const seen = others.flatMap(({ answer }) => answer.consensus.sealers.filter((sealer) => sealer.address === address))
    const age = leastAge(seen)
    if (seen.length === 0 || (seen.some(({ connected }) => connected) && age <= SILENCE_MS_MAX)) return []
    const name = named(address)
    const linked = seen.some(({ connected }) => connected)
    const since = age === Number.POSITIVE_INFINITY ? 'has never been heard' : `has not been heard for ${duration(age)}`
    return [
      problem(
        'silent',
        [name],
        `${name} ${since} by ${names(others.map(nameOf))}${linked ? ', though it is connected: does its process hang?' : ''}`,
      ),
    ]
  })
}

const leastAge = (seen: readonly RpcSealerStanding[]): number =>
  Math.min(Number.POSITIVE_INFINITY, ...seen.flatMap(({ heardAgeMs }) => (heardAgeMs === null ? [] : [heardAgeMs])))

/** Pairs that both answer here but do not reach each other. */
function links(own: readonly Answering[]): Finding[] {
  return own.flatMap((one, i) =>
    own.slice(i + 1).flatMap((other) => {
      const [forth, back] = [isLinked(one, other), isLinked(other, one)]
      if (forth !== false && back !== false) return []
      const how = forth === back ? 'are not connected with each other' : 'see their connection differently'
      return [
        problem(
          'link',
          [one.name, other.name],
          `${one.name} and ${other.name} ${how}: can each reach the other's p2p port, and does each list the other as a peer?`,
        ),
      ]
    }),
  )
}

/** Undefined where `one` need not know `other`: only sealers have to be connected with each other. */
function isLinked(one: Answering, other: Answering): boolean | undefined {
  const { consensus, peers } = one.answer
  const address = selfOf(other)
  const known = consensus.sealers.find((sealer) => sealer.address === address)
  if (!isSealer(consensus) || known === undefined) return undefined
  return known.connected || (peers.find((peer) => peer.address === address)?.connected ?? false)
}

function lagging(own: readonly Answering[]): Finding[] {
  const top = own.reduce<Answering | undefined>(
    (best, one) => (best === undefined || one.answer.head.height > best.answer.head.height ? one : best),
    undefined,
  )
  return own.flatMap((one) => {
    const { head, syncing, peers, lagBlocks } = one.answer
    const blocks = Math.max(lagBlocks, syncing === false ? 0 : syncing.highestBlock - head.height)
    if (blocks <= 0) return []
    const connected = peers.filter((peer) => peer.connected).length
    const doing =
      syncing !== false
        ? `is syncing from its ${connected} peers (block ${syncing.currentBlock} of ${syncing.highestBlock})`
        : connected === 0
          ? 'has no peer to sync from'
          : 'is not syncing'
    const behind = top === undefined || top === one ? 'its peers' : top.name
    return [
      problem(
        'lag',
        [one.name],
        `${one.name} lags ${blocks} blocks behind ${behind} at height ${head.height} and ${doing}`,
      ),
    ]
  })
}

function stuck(own: readonly Answering[]): Finding[] {
  return own
    .filter(({ answer: { consensus } }) => consensus.halted === 'no' && (consensus.stageAgeMs ?? 0) > STAGE_MS_MAX)
    .map((one) => problem('stuck', [one.name], `${one.name}: ${one.answer.consensus.why}`))
}

/** A node tries again every half minute at least, and at once when a peer connects. */
function deliveries(own: readonly Answering[], observations: readonly Observation[]): Finding[] {
  const named = naming(observations)
  return own.flatMap(({ name, answer }) =>
    answer.overdue
      .filter(({ longestMs }) => longestMs > DELIVERY_MS_MAX)
      .map(({ recipient, waiting, longestMs }) => {
        const count = Number(waiting)
        const what = count === 1 ? 'an envelope' : `${count} envelopes`
        const to = named(recipient)
        return problem(
          'delivery',
          [name],
          `${name} has had ${what} for ${to} for ${duration(longestMs)} that no node of ${to} has taken: start it, or see that it reaches a sealer, with room on its disk (its log says what it refuses); it arrives by itself then, unless it expires first (concordat envelope status), and what has expired must be sent again`,
        )
      }),
  )
}

function clocks(own: readonly Answering[]): Finding[] {
  if (own.length < 2) return []
  const middle = median(own.map(({ answer }) => answer.clockOffsetMs))
  return own.flatMap(({ name, answer }) => {
    const off = answer.clockOffsetMs - middle
    if (Math.abs(off) - answer.rttMs / 2 <= CLOCK_SKEW_MS_MAX) return []
    return [
      problem(
        'clock',
        [name],
        `${name}'s clock is ${duration(Math.abs(off))} ${off > 0 ? 'ahead of' : 'behind'} the others': set it by NTP; blocks whose time is too far ahead are refused`,
      ),
    ]
  })
}

function versions(own: readonly Answering[]): Finding[] {
  const by = new Map<string, string[]>()
  for (const { name, answer } of own) {
    const version = answer.clientVersion.split('/').slice(0, 2).join(' ')
    by.set(version, [...(by.get(version) ?? []), name])
  }
  if (by.size < 2) return []
  const text = [...by].map(([version, nodes]) => `${version} on ${names(nodes)}`).join(', ')
  return [
    note(
      'version',
      own.map(nameOf),
      `versions differ: ${text}; all nodes must execute alike, so finish the upgrade soon`,
    ),
  ]
}

function observers(own: readonly Answering[]): Finding[] {
  return own
    .filter(({ answer }) => !isSealer(answer.consensus))
    .map(({ name }) =>
      note('quorum', [name], `${name} is no sealer of this epoch: it follows the chain and has no vote`),
    )
}

export const isSealer = ({ self, sealers }: RpcConsensus): boolean => sealers.some(({ address }) => address === self)

const selfOf = ({ answer }: Answering): Address => answer.consensus.self
const nameOf = ({ name }: Observation): string => name

/** Of the latest epoch, not halted, with most weight connected. */
function mostSeeing(sealers: readonly Answering[]): Answering | undefined {
  const rank = ({ answer: { consensus } }: Answering) => [
    Number(consensus.epoch),
    isSilent(consensus) ? 0 : 1,
    Number(consensus.weightConnected),
  ]
  return [...sealers].sort((a, b) => compare(rank(b), rank(a)))[0]
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i])
  return at === -1 ? 0 : a[at]! - b[at]!
}

function mostCommon(hashes: readonly Hash[]): Hash | undefined {
  const count = (hash: Hash) => hashes.filter((other) => other === hash).length
  return [...hashes].sort((a, b) => count(b) - count(a))[0]
}

/** The middle one, so that a single wrong clock does not move it; at least one value. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[(sorted.length - 1) >> 1]!
}

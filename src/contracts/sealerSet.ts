/** What a change makes of the sealer set, and whether the chain could go on with it. */
import { quorumWeight, totalWeight } from '../consensus/quorum.js'
import { epochWeights, type SealerRecord, type WeightPolicy } from '../consensus/weightPolicy.js'
import { type Address, asEpoch, ZERO_ADDRESS } from '../core/bytes.js'
import { sealersMax } from '../core/limits.js'
import { type ContractHost, type ContractRevert, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import { CHANGE_KIND } from './codes.js'
import { creditScoreMax } from './creditRules.js'
import { readCredit } from './creditStorage.js'
import { actorOf, isActive } from './membersStorage.js'
import { sealersInterface as abi, readEpoch, readParameters, readSeat, readVolunteer } from './sealersStorage.js'

/** A change of the set; `replacement` is ZERO_ADDRESS where the kind has none. */
export interface SetChange {
  readonly kind: number
  readonly sealer: Address
  readonly replacement: Address
}

/** Turns missed in a row from which on a sealer counts as down. */
const MISSED_IN_ROW_DOWN = 3

/**
 * While a change is open nobody knows the scores of the day on which it takes effect: sealers are counted with the weight
 * that they have, joining ones with the least.
 */
export const presentWeights: WeightPolicy = {
  name: 'present',
  weights: ({ sealers }) => {
    const least = Math.min(...sealers.map(({ weight }) => (weight === 0 ? Number.MAX_SAFE_INTEGER : weight)))
    return sealers.map(({ weight }) => weight || (least === Number.MAX_SAFE_INTEGER ? 1 : least))
  },
}

/** The sealers after a change, in leader order: who replaces takes the place, who joins stands last. */
export function setAfter(set: readonly Address[], { kind, sealer, replacement }: SetChange): readonly Address[] {
  if (kind === CHANGE_KIND.add) return [...set, sealer]
  const replaces = kind === CHANGE_KIND.replace || kind === CHANGE_KIND.handOver
  return set.flatMap((address) => (address !== sealer ? [address] : replaces ? [replacement] : []))
}

/** Why `set` cannot take the change, as an error of the ABI; undefined when it can. */
export function changeFault(
  host: ContractHost,
  set: readonly Address[],
  change: SetChange,
  policy: WeightPolicy,
): ContractRevert | undefined {
  return (
    kindFault(host, set, change) ?? sizeFault(host, set, change) ?? quorumFault(host, setAfter(set, change), policy)
  )
}

function kindFault(host: ContractHost, set: readonly Address[], change: SetChange): ContractRevert | undefined {
  const { kind, sealer, replacement } = change
  const known: readonly number[] = Object.values(CHANGE_KIND)
  if (!known.includes(kind)) return revert(abi, 'InvalidKind', { kind })
  if (kind === CHANGE_KIND.add) return unwantedFault(replacement) ?? joinFault(host, set, sealer)
  if (!set.includes(sealer)) return revert(abi, 'NotSealer', { account: sealer })
  if (kind === CHANGE_KIND.remove || kind === CHANGE_KIND.leave) return unwantedFault(replacement)
  return joinFault(host, set, replacement)
}

function unwantedFault(replacement: Address): ContractRevert | undefined {
  return replacement === ZERO_ADDRESS ? undefined : revert(abi, 'ReplacementNotWanted', { replacement })
}

function joinFault(host: ContractHost, set: readonly Address[], account: Address): ContractRevert | undefined {
  if (set.includes(account)) return revert(abi, 'AlreadySealer', { account })
  return memberFault(host, account) ?? (isFresh(host, account) ? undefined : revert(abi, 'NotVolunteered', { account }))
}

/** Undefined for a node of an active member: its account's own key, or one that it has added. */
export function memberFault(host: ContractHost, account: Address): ContractRevert | undefined {
  const { head } = actorOf(host, account)
  if (head.role === 0) return revert(abi, 'UnknownMember', { account })
  return isActive(head) ? undefined : revert(abi, 'NotActiveMember', { account })
}

function sizeFault(host: ContractHost, set: readonly Address[], change: SetChange): ContractRevert | undefined {
  const count = setAfter(set, change).length
  if (count > sealersMax)
    return revert(abi, 'TooManySealers', { sealers: BigInt(count), sealersMax: BigInt(sealersMax) })
  const { sealersMin } = readParameters(host)
  if (count >= set.length || count >= sealersMin) return undefined
  return revert(abi, 'TooFewSealers', { sealers: BigInt(count), sealersMin: BigInt(sealersMin) })
}

function quorumFault(host: ContractHost, set: readonly Address[], policy: WeightPolicy): ContractRevert | undefined {
  const { liveWeight, quorum } = standing(host, set, weightsOf(host, set, policy))
  if (liveWeight >= quorum) return undefined
  return revert(abi, 'QuorumImpossible', { liveWeight: BigInt(liveWeight), quorum: BigInt(quorum) })
}

/** Whether the sealers that seem to be up could agree. */
export function hasLiveQuorum(host: ContractHost, set: readonly Address[], weights: readonly number[]): boolean {
  const { liveWeight, quorum } = standing(host, set, weights)
  return liveWeight >= quorum
}

/** Weights that the policy gives `set`, as the chain takes them. */
export function weightsOf(host: ContractHost, set: readonly Address[], policy: WeightPolicy): readonly number[] {
  const sealers = set.map((address) => recordOf(host, address))
  const epoch = asEpoch(Number(readEpoch(host)))
  return epochWeights(policy, { epoch, height: host.block.number, scoreMax: creditScoreMax, sealers })
}

function recordOf(host: ContractHost, address: Address): SealerRecord {
  host.charge(GAS_STEP)
  const { score, counts, missedInRow } = readCredit(host, address)
  const { weight, sealedBefore, missedBefore } = readSeat(host, address)
  if (weight === 0n) return { address, score, sealed: 0, missed: 0, missedInRow: 0, weight: 0 }
  const [sealed, missed] = [counts.turnSealed - sealedBefore, counts.turnMissed - missedBefore]
  return { address, score, sealed, missed, missedInRow, weight: Number(weight) }
}

function standing(host: ContractHost, set: readonly Address[], weights: readonly number[]) {
  const liveWeight = set.reduce((sum, address, i) => (isLive(host, address) ? sum + weights[i]! : sum), 0)
  return { liveWeight, quorum: quorumWeight(totalWeight(weights)) }
}

/** A sealer is up when it seals its turns, or when it came forward since it missed one. */
function isLive(host: ContractHost, address: Address): boolean {
  const seals = readSeat(host, address).weight !== 0n
  return (seals && readCredit(host, address).missedInRow < MISSED_IN_ROW_DOWN) || isFresh(host, address)
}

/** Came forward lately, and has missed no turn since. */
export function isFresh(host: ContractHost, account: Address): boolean {
  const { height, missed } = readVolunteer(host, account)
  if (height === 0n || BigInt(host.block.number) > height + readParameters(host).changeBlocksMax) return false
  return missed === readCredit(host, account).counts.turnMissed
}

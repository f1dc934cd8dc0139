/** What the end of a block does to the state: turns go into the credit records, and what is due changes the sealer set. */
import { type Extensions, policyNamed } from '../consensus/extensions.js'
import type { WeightPolicy } from '../consensus/weightPolicy.js'
import { assert } from '../core/assert.js'
import { type Address, asEpoch, type Epoch, type View, ZERO_HASH } from '../core/bytes.js'
import { missedTurnsMax } from '../core/limits.js'
import type { BlockContext, ContractHost } from '../vm/contract.js'
import { systemHost } from '../vm/host.js'
import type { MutableState } from '../vm/state.js'
import { addressWord, bigintWord, loadText, loadWords, storeWords, wordBigint } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { CHANGE_KIND } from './codes.js'
import { bookReason, readCredit, storeCredit } from './creditStorage.js'
import { dueChange, followSeat, recordOutcome } from './sealerChanges.js'
import { changeFault, hasLiveQuorum, type SetChange, setAfter, weightsOf } from './sealerSet.js'
import type { SealerSetView } from './sealers.js'
import {
  DUE_SLOT,
  EPOCH_SLOT,
  offerSlot,
  POLICY_SLOT,
  readEpoch,
  readParameters,
  readSealers,
  readSeat,
  SEALERS_SLOT,
  storeSeat,
} from './sealersStorage.js'

/** The turn in which a block was sealed. */
export interface Turn {
  readonly epoch: Epoch
  readonly view: View
  /** Leaders of the views between the parent's view and this one, in order of views; of more than missedTurnsMax the last. */
  readonly missed: readonly Address[]
}

/**
 * Books the turn to contract `credit`, settles due changes of the sealer set and due weights. Returns the next epoch's set
 * when this block closes its epoch (R8), else null. Runs after the last transaction, before the state root; costs no gas.
 */
export function endBlock(
  state: MutableState,
  block: BlockContext,
  turn: Turn,
  extensions: Extensions,
): SealerSetView | null {
  assert(turn.missed.length <= missedTurnsMax, `a turn names at most ${missedTurnsMax} missed ones`)
  const host = systemHost(state, CONTRACT_ADDRESSES.sealers, block)
  assert(readEpoch(host) === BigInt(turn.epoch), `a block of epoch ${turn.epoch} stands on another epoch's state`)
  const credit = systemHost(state, CONTRACT_ADDRESSES.credit, block)
  bookTurn(credit, block.sealer, turn.missed)
  const due = loadWords(host, DUE_SLOT).map(wordBigint)
  if (due.length === 0 && !weightsAreDue(host)) return null
  const policy = policyNamed(extensions, loadText(host, POLICY_SLOT))
  const before = readSealers(host)
  const after = settle(host, credit, due, policy)
  return renew(host, before, after, policy)
}

/** Who was passed over comes first: a sealer may miss a turn and seal a later one before the next block. */
function bookTurn(credit: ContractHost, sealer: Address, missed: readonly Address[]): void {
  const times = new Map<Address, number>()
  for (const address of missed) times.set(address, (times.get(address) ?? 0) + 1)
  for (const [address, count] of times) bookReason(credit, address, 'turnMissed', count)
  bookReason(credit, sealer, 'turnSealed')
}

function weightsAreDue(host: ContractHost): boolean {
  const { epochBlocks } = readParameters(host)
  return epochBlocks !== 0n && BigInt(host.block.number) % epochBlocks === 0n
}

/** The set after all due changes; those that it cannot take any more are refused, with the reason on record. */
function settle(
  host: ContractHost,
  credit: ContractHost,
  due: readonly bigint[],
  policy: WeightPolicy,
): readonly Address[] {
  let set: readonly Address[] = readSealers(host)
  for (const id of due) {
    const change = dueChange(host, id)
    const fault = changeFault(host, set, change, policy)
    recordOutcome(host, id, fault?.message)
    if (fault !== undefined) continue
    set = setAfter(set, change)
    if (change.kind !== CHANGE_KIND.handOver) continue
    inheritCredit(credit, change)
    followSeat(host, change)
  }
  if (due.length > 0) storeWords(host, DUE_SLOT, [])
  return set
}

/** A new key does not wash a bad record away. */
function inheritCredit(credit: ContractHost, { sealer, replacement }: SetChange): void {
  const [old, own] = [readCredit(credit, sealer), readCredit(credit, replacement)]
  storeCredit(credit, replacement, { ...own, score: Math.min(old.score, own.score) })
}

/** Opens the next epoch when addresses or weights differ. Weights with which the sealers that are up could not agree wait. */
function renew(
  host: ContractHost,
  before: readonly Address[],
  after: readonly Address[],
  policy: WeightPolicy,
): SealerSetView | null {
  const weights = weightsOf(host, after, policy)
  const sameSet = before.length === after.length && before.every((address, i) => address === after[i])
  const sameWeights = after.every((address, i) => readSeat(host, address).weight === BigInt(weights[i]!))
  if (sameSet && (sameWeights || !hasLiveQuorum(host, after, weights))) return null
  for (const address of before) if (!after.includes(address)) vacate(host, address)
  after.forEach((address, i) => {
    seat(host, address, weights[i]!)
  })
  storeWords(host, SEALERS_SLOT, after.map(addressWord))
  const epoch = Number(readEpoch(host)) + 1
  host.store(EPOCH_SLOT, bigintWord(BigInt(epoch)))
  return { epoch: asEpoch(epoch), sealers: after.map((address, i) => ({ address, weight: weights[i]! })) }
}

/** What it offered is void: it may come back one day. */
function vacate(host: ContractHost, address: Address): void {
  storeSeat(host, address, { ...readSeat(host, address), weight: 0n })
  host.store(offerSlot(host, address), ZERO_HASH)
}

/** What a sealer did before it joined does not count as its turns. */
function seat(host: ContractHost, address: Address, weight: number): void {
  const present = readSeat(host, address)
  if (present.weight === BigInt(weight)) return
  if (present.weight !== 0n) storeSeat(host, address, { ...present, weight: BigInt(weight) })
  else {
    const { counts } = readCredit(host, address)
    const before = { sealedBefore: counts.turnSealed, missedBefore: counts.turnMissed }
    storeSeat(host, address, { weight: BigInt(weight), ...before, known: true })
  }
}

/** State of the simulated chain and its one pure step: a block applied to the state of its parent. */

import type { NamedSchedule } from '../consensus/schedule.js'
import type { LeaderSchedule, SealerSet } from '../consensus/types.js'
import { epochWeights, type WeightPolicy } from '../consensus/weightPolicy.js'
import {
  applyReason,
  type CreditParameters,
  type CreditRecord,
  creditScoreMax,
  defaultCreditParameters,
  newCreditRecord,
} from '../contracts/creditRules.js'
import { type Address, asEpoch, asHeight, asView, type Hash } from '../core/bytes.js'
import { missedTurnsMax } from '../core/limits.js'
import type { BlockDraft } from './blocks.js'
import { fakeHash } from './hashing.js'
import { accusedBy, applyOperation, type Operation } from './operations.js'

export interface SimState {
  readonly hash: Hash
  readonly root: Hash
  readonly parent: SimState | null
  readonly height: number
  /** View and time in the header. */
  readonly view: number
  readonly timeMs: number
  readonly txs: readonly number[]
  /** Sealers of the next block; of a new epoch when this block closed one. */
  readonly set: SealerSet
  readonly closes: boolean
  /** Credit and turns of every sealer so far, also of those that left. */
  readonly credit: ReadonlyMap<Address, CreditRecord>
}

export interface ChainRules {
  readonly schedule: NamedSchedule
  readonly policy: WeightPolicy
  /** Weights are taken anew in blocks whose height is a multiple; 0: only when the sealers change. */
  readonly epochBlocks: number
  readonly creditParameters: CreditParameters
  readonly operationOf: (tx: number) => Operation | null
  /** Whether a set keeps what consensus presumes: less than a third of its weight is faulty or away for good. */
  readonly isTolerable: (set: SealerSet['sealers']) => boolean
}

export const genesisHash = fakeHash('genesis')

/** `scores`: credit of sealers that do not start with what everybody starts with. */
export function genesisState(set: SealerSet, scores: ReadonlyMap<Address, number>): SimState {
  return {
    hash: genesisHash,
    root: fakeHash('genesis state'),
    parent: null,
    height: 0,
    view: 0,
    timeMs: 0,
    txs: [],
    set,
    closes: false,
    credit: new Map(
      [...scores].map(([address, start]) => [address, newCreditRecord({ ...defaultCreditParameters, start })]),
    ),
  }
}

/** What a block does, whoever built it. `hash` is null while the block is being built. */
export type BlockContent = Pick<BlockDraft, 'view' | 'leader' | 'timeMs' | 'txs'>

/** State after a block with `content` on `parent`; its hash is filled in by `sealed`. */
export function stateAfter(rules: ChainRules, parent: SimState, content: BlockContent): Omit<SimState, 'hash'> {
  const { view, leader, timeMs, txs } = content
  const credit = bookTurn(rules, parent, view, leader)
  bookEvidence(rules, credit, txs)
  const height = parent.height + 1
  const set = nextSet(rules, parent, height, txs, credit)
  const changed = set === parent.set ? '' : JSON.stringify(set)
  const root = fakeHash(`${parent.root}|${view}|${leader}|${txs.join()}|${changed}`)
  return { root, parent, height, view, timeMs, txs, set, closes: set !== parent.set, credit }
}

/** Who was passed over comes first: a sealer may miss a turn and seal a later one before the next block. */
function bookTurn(
  { schedule, creditParameters }: ChainRules,
  parent: SimState,
  view: number,
  leader: Address,
): Map<Address, CreditRecord> {
  const credit = new Map(parent.credit)
  const recordOf = (address: Address) => credit.get(address) ?? newCreditRecord(creditParameters)
  for (const address of missedLeaders(schedule.leader, parent, view))
    credit.set(address, applyReason(recordOf(address), 'turnMissed', creditParameters))
  credit.set(leader, applyReason(recordOf(leader), 'turnSealed', creditParameters))
  return credit
}

/** A transaction of evidence costs its sealer what equivocation costs. */
function bookEvidence(
  { creditParameters }: ChainRules,
  credit: Map<Address, CreditRecord>,
  txs: readonly number[],
): void {
  for (const tx of txs) {
    const address = accusedBy(tx)
    if (address === null) continue
    const record = credit.get(address) ?? newCreditRecord(creditParameters)
    credit.set(address, applyReason(record, 'equivocation', creditParameters))
  }
}

function missedLeaders(leader: LeaderSchedule, parent: SimState, view: number): Address[] {
  const missed: Address[] = []
  for (let v = Math.max(parent.view + 1, view - missedTurnsMax); v < view; v++)
    missed.push(leader(parent.set, asView(v)))
  return missed
}

/** The parent's set, or the next epoch's when an operation took effect or other weights are due. */
function nextSet(
  rules: ChainRules,
  { set }: SimState,
  height: number,
  txs: readonly number[],
  credit: ReadonlyMap<Address, CreditRecord>,
): SealerSet {
  const before: readonly Address[] = set.sealers.map((sealer) => sealer.address)
  let sealers = before
  let changed = false
  for (const tx of txs) {
    const operation = rules.operationOf(tx)
    const after = operation && applyOperation(sealers, operation)
    if (!after || !rules.isTolerable(after.map((address) => ({ address, weight: 1 })))) continue
    sealers = after
    changed = true
  }
  if (!changed && (rules.epochBlocks === 0 || height % rules.epochBlocks !== 0)) return set
  const weighed = weightedSealers(rules, set, height, sealers, credit)
  if (!changed && weighed.every(({ weight }, i) => weight === set.sealers[i]?.weight)) return set
  return { epoch: asEpoch(set.epoch + 1), sealers: weighed }
}

/** Weights by the policy; equal ones where those would hand a third to the faulty, which no policy can know. */
function weightedSealers(
  { policy, creditParameters, isTolerable }: ChainRules,
  set: SealerSet,
  height: number,
  addresses: readonly Address[],
  credit: ReadonlyMap<Address, CreditRecord>,
): SealerSet['sealers'] {
  const old = new Map(set.sealers.map((sealer) => [sealer.address, sealer.weight]))
  const records = addresses.map((address) => {
    const { score, counts, missedInRow } = credit.get(address) ?? newCreditRecord(creditParameters)
    const { turnSealed: sealed, turnMissed: missed } = counts
    return { address, score, sealed, missed, missedInRow, weight: old.get(address) ?? 0 }
  })
  const state = { epoch: set.epoch, height: asHeight(height), scoreMax: creditScoreMax, sealers: records }
  const weights = epochWeights(policy, state)
  const sealers = addresses.map((address, i) => ({ address, weight: weights[i] ?? 1 }))
  return isTolerable(sealers) ? sealers : addresses.map((address) => ({ address, weight: 1 }))
}

/** Whether a block on `parent` may still take `tx`. */
export function includes(parent: SimState, tx: number, final: SimState): boolean {
  for (let at: SimState | null = parent; at && at !== final; at = at.parent) if (at.txs.includes(tx)) return true
  return false
}

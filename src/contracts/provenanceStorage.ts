/** Storage of `provenance`. */
import { type Address, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../core/bytes.js'
import { ContractAbi } from '../vm/abi.js'
import { type ContractHost, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import {
  addressWord,
  loadText,
  loadWords,
  newMappingSlot,
  numberWord,
  type Packed,
  packed,
  slotAfter,
  slotAt,
  storeText,
  storeWords,
  wordAddress,
} from '../vm/storage.js'
import { provenanceAbi } from './provenance.abi.js'

export const provenanceInterface = new ContractAbi(provenanceAbi)
const abi = provenanceInterface

/** mapping(bytes32 => Batch); words as in BATCH. */
const BATCHES_SLOT = slotAt(0)

/** Words of a batch. participants: mapping(address => bool). steps: mapping(uint256 => Step). */
const BATCH = {
  times: 1,
  custodian: 2,
  nextCustodian: 3,
  dataHash: 4,
  inputs: 5,
  product: 6,
  reason: 7,
  participants: 8,
  steps: 9,
} as const
const HEAD = { origin: 'address', state: 'uint8', steps: 'uint32' } as const
const TIMES = { openedAt: 'uint64', stateSince: 'uint64' } as const
const headWord = packed(HEAD)
const timesWord = packed(TIMES)

/** Step { head; bytes32 kind; bytes32 dataHash; string note }. */
const STEP = { kind: 1, dataHash: 2, note: 3 } as const
const stepHead = packed({ by: 'address', height: 'uint48', time: 'uint48' })

/** What changes in a batch's life. */
export interface BatchState extends Packed<typeof HEAD>, Packed<typeof TIMES> {
  readonly custodian: Address
  /** ZERO_ADDRESS: it is on its way to nobody. */
  readonly nextCustodian: Address
}

export interface Step {
  readonly by: Address
  readonly kind: Hash
  readonly height: bigint
  /** Seconds since 1970. */
  readonly time: bigint
  readonly dataHash: Hash
  readonly note: string
}

export const batchSlot = (host: ContractHost, batchId: Hash): Hash => newMappingSlot(host, BATCHES_SLOT, batchId)

/** Undefined when it was never opened. */
export function readBatch(host: ContractHost, batchId: Hash): BatchState | undefined {
  const slot = batchSlot(host, batchId)
  const head = headWord.read(host.load(slot))
  if (head.state === 0) return undefined
  return {
    ...head,
    ...timesWord.read(host.load(slotAfter(slot, BATCH.times))),
    custodian: wordAddress(host.load(slotAfter(slot, BATCH.custodian))),
    nextCustodian: wordAddress(host.load(slotAfter(slot, BATCH.nextCustodian))),
  }
}

/** Reverts with UnknownBatch. */
export function openedBatch(host: ContractHost, batchId: Hash): BatchState {
  const batch = readBatch(host, batchId)
  if (batch === undefined) throw revert(abi, 'UnknownBatch', { batchId })
  return batch
}

export function storeBatch(host: ContractHost, batchId: Hash, batch: BatchState): void {
  const slot = batchSlot(host, batchId)
  host.store(slot, headWord.write(batch))
  host.store(slotAfter(slot, BATCH.times), timesWord.write(batch))
  host.store(slotAfter(slot, BATCH.custodian), addressWord(batch.custodian))
  host.store(slotAfter(slot, BATCH.nextCustodian), addressWord(batch.nextCustodian))
}

/** What stays as it was when the batch was opened. */
export function storeOrigin(
  host: ContractHost,
  batchId: Hash,
  { product, inputs, dataHash }: { product: string; inputs: readonly Hash[]; dataHash: Hash },
): void {
  const slot = batchSlot(host, batchId)
  host.store(slotAfter(slot, BATCH.dataHash), dataHash)
  storeWords(host, slotAfter(slot, BATCH.inputs), inputs)
  storeText(host, slotAfter(slot, BATCH.product), product)
}

export const readInputs = (host: ContractHost, batchId: Hash): Hash[] =>
  loadWords(host, slotAfter(batchSlot(host, batchId), BATCH.inputs))

export function readOrigin(host: ContractHost, batchId: Hash) {
  const slot = batchSlot(host, batchId)
  return {
    dataHash: host.load(slotAfter(slot, BATCH.dataHash)),
    inputs: readInputs(host, batchId),
    product: loadText(host, slotAfter(slot, BATCH.product)),
    reason: loadText(host, slotAfter(slot, BATCH.reason)),
  }
}

/** Why it was closed or recalled. */
export const storeReason = (host: ContractHost, batchId: Hash, reason: string): void =>
  storeText(host, slotAfter(batchSlot(host, batchId), BATCH.reason), reason)

const participantSlot = (host: ContractHost, batchId: Hash, account: Address): Hash =>
  newMappingSlot(host, slotAfter(batchSlot(host, batchId), BATCH.participants), account)

export const isParticipant = (host: ContractHost, batchId: Hash, account: Address): boolean =>
  account !== ZERO_ADDRESS && host.load(participantSlot(host, batchId, account)) !== ZERO_HASH

export const storeParticipant = (host: ContractHost, batchId: Hash, account: Address, allowed: boolean): void =>
  host.store(participantSlot(host, batchId, account), numberWord(Number(allowed)))

const stepSlot = (host: ContractHost, batchId: Hash, index: number): Hash =>
  newMappingSlot(host, slotAfter(batchSlot(host, batchId), BATCH.steps), numberWord(index))

export function storeStep(host: ContractHost, batchId: Hash, index: number, step: Step): void {
  const slot = stepSlot(host, batchId, index)
  host.store(slot, stepHead.write({ by: step.by, height: Number(step.height), time: Number(step.time) }))
  host.store(slotAfter(slot, STEP.kind), step.kind)
  host.store(slotAfter(slot, STEP.dataHash), step.dataHash)
  storeText(host, slotAfter(slot, STEP.note), step.note)
}

export function readStep(host: ContractHost, batchId: Hash, index: number): Step {
  host.charge(GAS_STEP)
  const slot = stepSlot(host, batchId, index)
  const { by, height, time } = stepHead.read(host.load(slot))
  return {
    by,
    height: BigInt(height),
    time: BigInt(time),
    kind: host.load(slotAfter(slot, STEP.kind)),
    dataHash: host.load(slotAfter(slot, STEP.dataHash)),
    note: loadText(host, slotAfter(slot, STEP.note)),
  }
}

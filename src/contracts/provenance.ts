/**
 * Contract `provenance`: the way of a batch of goods through several institutions. Its custodian says who takes part; each
 * participant adds the steps that it has done; custody passes when the receiver takes it. Whoever can read the chain sees all of it.
 *
 *   openBatch -> open -> closed
 *                open, closed -> recalled      by origin or custodian; shows in every batch that was made from it
 */
import { type Address, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../core/bytes.js'
import {
  batchInputsMax,
  batchLineageMax,
  batchStepsMax,
  memberNameBytesMax,
  noteBytesMax,
  stepsPageMax,
} from '../core/limits.js'
import { type ContractHost, defineContract, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { BATCH_STATE } from './codes.js'
import { actingMember, isActive, readMemberHead } from './membersStorage.js'
import {
  provenanceInterface as abi,
  type BatchState,
  isParticipant,
  openedBatch,
  readBatch,
  readInputs,
  readOrigin,
  readStep,
  storeBatch,
  storeOrigin,
  storeParticipant,
  storeReason,
  storeStep,
} from './provenanceStorage.js'
import { isTextId } from './textId.js'

export { provenanceInterface } from './provenanceStorage.js'

export const provenance = defineContract({
  name: 'provenance',
  version: 1,
  address: CONTRACT_ADDRESSES.provenance,
  abi,
  functions: {
    openBatch(host, { batchId, product, inputs, dataHash }) {
      const origin = requireMember(host)
      if (batchId === ZERO_HASH) throw revert(abi, 'ZeroHash', {})
      requireText('product', product, memberNameBytesMax, 1)
      if (readBatch(host, batchId) !== undefined) throw revert(abi, 'BatchExists', { batchId })
      checkInputs(host, inputs)
      const height = BigInt(host.block.number)
      const times = { openedAt: height, stateSince: height }
      const custody = { origin, custodian: origin, nextCustodian: ZERO_ADDRESS }
      storeBatch(host, batchId, { ...custody, ...times, state: BATCH_STATE.open, steps: 0 })
      storeOrigin(host, batchId, { product, inputs, dataHash })
      emit(host, abi, 'BatchOpened', { batchId, origin, product })
      return undefined
    },

    setParticipant(host, { batchId, participant, allowed }) {
      const batch = openBatchOf(host, batchId)
      requireCustodian(host, batchId, batch)
      storeParticipant(host, batchId, participant, allowed)
      emit(host, abi, 'ParticipantSet', { batchId, participant, allowed })
      return undefined
    },

    addStep(host, { batchId, kind, dataHash, note }) {
      const batch = openBatchOf(host, batchId)
      const by = requireMember(host)
      if (!mayAddStep(host, batchId, batch, by)) throw revert(abi, 'NotParticipant', { account: by, batchId })
      if (!isTextId(kind)) throw revert(abi, 'InvalidKind', { kind })
      requireText('note', note, noteBytesMax)
      const index = batch.steps
      if (index >= batchStepsMax) throw tooMany('steps', index + 1, batchStepsMax)
      const { number, timestamp } = host.block
      storeStep(host, batchId, index, { by, kind, height: BigInt(number), time: BigInt(timestamp), dataHash, note })
      storeBatch(host, batchId, { ...batch, steps: index + 1 })
      emit(host, abi, 'StepAdded', { batchId, by, kind, index })
      return index
    },

    /** Offers custody; the offer before it is void. ZERO_ADDRESS takes it back. */
    handOver(host, { batchId, to }) {
      const batch = openBatchOf(host, batchId)
      const from = requireCustodian(host, batchId, batch)
      if (to !== ZERO_ADDRESS) requireActive(host, to)
      storeBatch(host, batchId, { ...batch, nextCustodian: to })
      emit(host, abi, 'HandedOver', { batchId, from, to })
      return undefined
    },

    takeOver(host, { batchId }) {
      const batch = openBatchOf(host, batchId)
      const custodian = requireMember(host)
      if (batch.nextCustodian !== custodian) throw revert(abi, 'NotNextCustodian', { account: custodian, batchId })
      storeBatch(host, batchId, { ...batch, custodian, nextCustodian: ZERO_ADDRESS })
      emit(host, abi, 'TakenOver', { batchId, custodian })
      return undefined
    },

    closeBatch(host, { batchId, reason }) {
      const batch = openBatchOf(host, batchId)
      const by = requireCustodian(host, batchId, batch)
      end(host, batchId, batch, BATCH_STATE.closed, reason)
      emit(host, abi, 'BatchClosed', { batchId, by, reason })
      return undefined
    },

    recall(host, { batchId, reason }) {
      const batch = openedBatch(host, batchId)
      const by = requireMember(host)
      if (by !== batch.origin && by !== batch.custodian) throw revert(abi, 'NotResponsible', { account: by, batchId })
      if (batch.state === BATCH_STATE.recalled) throw revert(abi, 'NotOpen', { batchId, state: batch.state })
      end(host, batchId, batch, BATCH_STATE.recalled, reason)
      emit(host, abi, 'BatchRecalled', { batchId, by, reason })
      return undefined
    },

    batchOf: (host, { batchId }) => ({ ...openedBatch(host, batchId), ...readOrigin(host, batchId) }),

    stepsOf(host, { batchId, first, count }) {
      const { steps } = openedBatch(host, batchId)
      if (count > stepsPageMax) throw tooMany('steps asked for', count, stepsPageMax)
      const length = Math.max(0, Math.min(count, steps - first))
      return Array.from({ length }, (_, i) => readStep(host, batchId, first + i))
    },

    mayAddStep: (host, { batchId, account }) => mayAddStep(host, batchId, openedBatch(host, batchId), account),

    recalledSource: (host, { batchId }) => recalledSource(host, batchId),
  },
})

function end(host: ContractHost, batchId: Hash, batch: BatchState, state: number, reason: string): void {
  requireText('reason', reason, noteBytesMax)
  storeBatch(host, batchId, { ...batch, state, stateSince: BigInt(host.block.number) })
  storeReason(host, batchId, reason)
}

function mayAddStep(host: ContractHost, batchId: Hash, { custodian }: BatchState, account: Address): boolean {
  return account === custodian || isParticipant(host, batchId, account)
}

/** The batch itself, or the nearest of those that it was made from, that was recalled; ZERO_HASH when none was. */
function recalledSource(host: ContractHost, batchId: Hash): Hash {
  openedBatch(host, batchId)
  const seen = new Set<Hash>([batchId])
  for (const source of seen) {
    host.charge(GAS_STEP)
    if (readBatch(host, source)?.state === BATCH_STATE.recalled) return source
    for (const input of readInputs(host, source)) seen.add(input)
    if (seen.size > batchLineageMax) throw tooMany('batches behind this one', seen.size, batchLineageMax)
  }
  return ZERO_HASH
}

/** Only batches that exist: so lineage has no circles. */
function checkInputs(host: ContractHost, inputs: readonly Hash[]): void {
  if (inputs.length > batchInputsMax) throw tooMany('inputs', inputs.length, batchInputsMax)
  const seen = new Set<Hash>()
  for (const input of inputs) {
    host.charge(GAS_STEP)
    if (seen.has(input)) throw revert(abi, 'DuplicateInput', { input })
    seen.add(input)
    openedBatch(host, input)
  }
}

function openBatchOf(host: ContractHost, batchId: Hash): BatchState {
  const batch = openedBatch(host, batchId)
  if (batch.state !== BATCH_STATE.open) throw revert(abi, 'NotOpen', { batchId, state: batch.state })
  return batch
}

function requireCustodian(host: ContractHost, batchId: Hash, { custodian }: BatchState): Address {
  const account = requireMember(host)
  if (account !== custodian) throw revert(abi, 'NotCustodian', { account, batchId })
  return account
}

function requireMember(host: ContractHost): Address {
  return requireActive(host, actingMember(host))
}

function requireActive(host: ContractHost, account: Address): Address {
  if (!isActive(readMemberHead(host, account))) throw revert(abi, 'NotActiveMember', { account })
  return account
}

function requireText(what: string, text: string, max: number, min = 0): void {
  const bytesLength = Buffer.byteLength(text, 'utf8')
  if (bytesLength >= min && bytesLength <= max) return
  throw revert(abi, 'InvalidText', { what, bytesLength: BigInt(bytesLength), min: BigInt(min), max: BigInt(max) })
}

const tooMany = (what: string, given: number, max: number) =>
  revert(abi, 'TooMany', { what, given: BigInt(given), max: BigInt(max) })

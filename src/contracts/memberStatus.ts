/** A member's status through time: who changed it, in which block, and why. */
import type { Address, Hash } from '../core/bytes.js'
import { memberReasonBytesMax, statusEntriesMax } from '../core/limits.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import {
  arrayLength,
  arraySlot,
  loadText,
  mappingSlot,
  numberWord,
  packed,
  pushWord,
  slotAfter,
  storeText,
} from '../vm/storage.js'
import { STATUS } from './codes.js'
import type { membersAbi } from './members.abi.js'
import { membersInterface as abi, readMemberHead, STATUS_LOG_SLOT, STATUS_REASONS_SLOT } from './membersStorage.js'

type Args<N> = FunctionArgs<typeof membersAbi, N>

/** by: whose decision completed it. */
const statusWord = packed({ status: 'uint8', height: 'uint48', by: 'address' })

const logSlot = (host: ContractHost, account: Address): Hash => mappingSlot(host, STATUS_LOG_SLOT, account)
const reasonSlot = (host: ContractHost, account: Address, index: number): Hash =>
  mappingSlot(host, mappingSlot(host, STATUS_REASONS_SLOT, account), numberWord(index))

export function recordStatus(host: ContractHost, account: Address, status: number, by: Address, reason: string): void {
  const index = pushWord(host, logSlot(host, account), statusWord.write({ status, height: host.block.number, by }))
  emit(host, abi, 'MemberStatusChanged', { account, status })
  if (reason === '') return
  storeText(host, reasonSlot(host, account, index), reason)
  emit(host, abi, 'MemberStatusReason', { account, status, by, reason })
}

/** Reverts with ReasonTooLong. */
export function requireShortReason(reason: string): void {
  const bytesLength = Buffer.byteLength(reason, 'utf8')
  if (bytesLength <= memberReasonBytesMax) return
  throw revert(abi, 'ReasonTooLong', { bytesLength: BigInt(bytesLength), bytesMax: BigInt(memberReasonBytesMax) })
}

/** The status at the end of block `height`, by halving; 0 before the member was registered. */
export function statusAt(host: ContractHost, { account, height }: Args<'statusAt'>): number {
  const { role, since } = readMemberHead(host, account)
  if (role === 0) throw revert(abi, 'UnknownMember', { account })
  if (height < since) return 0
  let below = 0
  let above = arrayLength(host, logSlot(host, account))
  while (below < above) {
    host.charge(GAS_STEP)
    const middle = (below + above) >> 1
    if (BigInt(entryAt(host, account, middle).height) <= height) below = middle + 1
    else above = middle
  }
  return below === 0 ? STATUS.active : entryAt(host, account, below - 1).status
}

/** Changes since the registration, from the `from`-th on, at most `statusEntriesMax`. */
export function statusHistory(host: ContractHost, { account, from }: Args<'statusHistory'>) {
  const length = arrayLength(host, logSlot(host, account))
  const first = Number(from < BigInt(length) ? from : BigInt(length))
  return Array.from({ length: Math.min(length - first, statusEntriesMax) }, (_, i) => {
    const { status, height, by } = entryAt(host, account, first + i)
    return { status, height: BigInt(height), by, reason: loadText(host, reasonSlot(host, account, first + i)) }
  })
}

function entryAt(host: ContractHost, account: Address, index: number) {
  return statusWord.read(host.load(slotAfter(arraySlot(host, logSlot(host, account)), index)))
}

/** What stands in the register: new members, their status, their encryption keys. Who may change it is decided elsewhere. */
import { type Address, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../core/bytes.js'
import { memberNameBytesMax } from '../core/limits.js'
import { type ContractHost, emit, revert } from '../vm/contract.js'
import {
  addressWord,
  bigintWord,
  loadText,
  mappingSlot,
  numberWord,
  pushWord,
  slotAfter,
  storeText,
  wordNumber,
} from '../vm/storage.js'
import { ROLE, STATUS } from './codes.js'
import { requireDispensable } from './memberAdmission.js'
import { isSignerKnown, requireAccountKey } from './memberSigners.js'
import { recordStatus } from './memberStatus.js'
import {
  ACCOUNTS_SLOT,
  type Actor,
  membersInterface as abi,
  BY_ID_SLOT,
  DEPARTMENTS_SLOT,
  isActive,
  KEYS_SLOT,
  type MemberHead,
  memberHead,
  memberSlot,
  OPERATORS_SLOT,
  readEncryptionKey,
  readMemberHead,
  readMemberId,
} from './membersStorage.js'
import { isTextId } from './textId.js'

export interface NewMember {
  readonly account: Address
  readonly role: number
  readonly id: Hash
  readonly name: string
  readonly encryptionKey: Hash
}

export function addMember(host: ContractHost, member: NewMember): void {
  const { account, role, id, name, encryptionKey } = member
  checkNewMember(host, member)
  const slot = memberSlot(host, account)
  const since = BigInt(host.block.number)
  const keyEpoch = encryptionKey === ZERO_HASH ? 0n : 1n
  const head = { role, status: STATUS.active, keyEpoch, since, keyUntil: 0, graceUntil: 0 }
  if (encryptionKey === ZERO_HASH) host.store(slot, memberHead.write(head))
  else storeKey(host, account, head, encryptionKey)
  host.store(slotAfter(slot, 1), id)
  storeText(host, slotAfter(slot, 3), name)
  host.store(mappingSlot(host, BY_ID_SLOT, id), addressWord(account))
  pushWord(host, ACCOUNTS_SLOT, addressWord(account))
  countActive(host, role, 1)
  emit(host, abi, 'MemberRegistered', { account, role, id, name })
}

export function checkNewMember(host: ContractHost, { account, role, id, name }: NewMember): void {
  if (account === ZERO_ADDRESS) throw revert(abi, 'InvalidAccount', { account })
  if (role < ROLE.enterprise || role > ROLE.regulator) throw revert(abi, 'InvalidRole', { role })
  if (!isTextId(id)) throw revert(abi, 'InvalidId', { id })
  const bytesLength = Buffer.byteLength(name, 'utf8')
  if (bytesLength < 1 || bytesLength > memberNameBytesMax) {
    throw revert(abi, 'InvalidName', { bytesLength: BigInt(bytesLength), bytesMax: BigInt(memberNameBytesMax) })
  }
  if (readMemberHead(host, account).role !== 0) throw revert(abi, 'AccountRegistered', { account })
  if (isSignerKnown(host, account)) throw revert(abi, 'SignerTaken', { signer: account })
  if (host.load(mappingSlot(host, BY_ID_SLOT, id)) !== ZERO_HASH) throw revert(abi, 'IdRegistered', { id })
}

/** Revocation is final; those who decide on members stay as many as it takes. */
export function applyStatus(host: ContractHost, member: Actor, status: number, by: Address, reason: string): void {
  const { account, head } = member
  if (status === STATUS.active) countActive(host, head.role, 1)
  else if (isActive(head)) {
    requireDispensable(host, member)
    countActive(host, head.role, -1)
  }
  host.store(memberSlot(host, account), memberHead.write({ ...head, status }))
  recordStatus(host, account, status, by, reason)
}

/** Operators and departments are counted: they decide on members, and the second vote on the sealer set. */
function countActive(host: ContractHost, role: number, by: number): void {
  if (role !== ROLE.operator && role !== ROLE.department) return
  const slot = role === ROLE.operator ? OPERATORS_SLOT : DEPARTMENTS_SLOT
  host.store(slot, numberWord(wordNumber(host.load(slot)) + by))
}

/** The next epoch of the caller's member; envelopes to the former key are taken for `graceBlocks` more blocks. */
export function rotateKey(host: ContractHost, encryptionKey: Hash, graceBlocks: number): void {
  const { account, head } = requireAccountKey(host)
  if (encryptionKey === ZERO_HASH) throw revert(abi, 'InvalidEncryptionKey', {})
  const keyEpoch = head.keyEpoch + 1n
  const graceUntil = graceBlocks === 0 ? 0 : host.block.number + graceBlocks
  storeKey(host, account, { ...head, keyEpoch, graceUntil }, encryptionKey)
  emit(host, abi, 'EncryptionKeyRotated', { account, encryptionKey, keyEpoch })
}

/** Writes the head with its new epoch, the current key and the key's place in the history. */
function storeKey(host: ContractHost, account: Address, head: MemberHead, encryptionKey: Hash): void {
  const slot = memberSlot(host, account)
  host.store(slot, memberHead.write(head))
  host.store(slotAfter(slot, 2), encryptionKey)
  host.store(keySlot(host, account, head.keyEpoch), encryptionKey)
}

export function keySlot(host: ContractHost, account: Address, keyEpoch: bigint): Hash {
  return mappingSlot(host, mappingSlot(host, KEYS_SLOT, account), bigintWord(keyEpoch))
}

export function readMember(host: ContractHost, { account, head }: Actor) {
  const { role, status, keyEpoch, since } = head
  if (role === 0) throw revert(abi, 'UnknownMember', { account })
  const id = readMemberId(host, account)
  const name = loadText(host, slotAfter(memberSlot(host, account), 3))
  return { account, role, status, id, name, encryptionKey: readEncryptionKey(host, account), keyEpoch, since }
}

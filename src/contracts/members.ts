/** Contract `members`: the register of those who take part (paper 3.1, 3.2 (1), 4.3 (a)). Operators keep it. */
import { type Address, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../core/bytes.js'
import { memberNameBytesMax } from '../core/limits.js'
import { type ContractHost, defineContract, emit, revert } from '../vm/contract.js'
import {
  addressWord,
  arrayLength,
  arraySlot,
  bigintWord,
  loadText,
  mappingSlot,
  numberWord,
  pushWord,
  slotAfter,
  storeText,
  wordAddress,
  wordNumber,
} from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { ROLE, STATUS } from './codes.js'
import { membersConfigOf } from './genesisDefaults.js'
import type { GenesisConfig } from './genesisTypes.js'
import {
  addSigner,
  isSignerKnown,
  removeSigner,
  requireAccountKey,
  rotateAccountKey,
  signerAt,
  signerOf,
  signersOf,
} from './memberSigners.js'
import {
  ACCOUNTS_SLOT,
  membersInterface as abi,
  acting,
  BY_ID_SLOT,
  DEPARTMENTS_SLOT,
  isActive,
  isActiveOperator,
  KEYS_SLOT,
  type MemberHead,
  memberHead,
  memberOf,
  memberSlot,
  OPERATORS_SLOT,
  readEncryptionKey,
  readMemberHead,
  readMemberId,
  readMembersParameters,
  storeMembersParameters,
} from './membersStorage.js'
import { isTextId, textId } from './textId.js'

export { membersInterface } from './membersStorage.js'

interface NewMember {
  readonly account: Address
  readonly role: number
  readonly id: Hash
  readonly name: string
  readonly encryptionKey: Hash
}

export const members = defineContract({
  name: 'members',
  version: 2,
  address: CONTRACT_ADDRESSES.members,
  abi,
  functions: {
    IdentityAuth(host, { userID }) {
      const { account, head } = memberOf(host, userID)
      return {
        active: isActive(head),
        role: head.role,
        id: readMemberId(host, account),
        encryptionKey: readEncryptionKey(host, account),
        keyEpoch: head.keyEpoch,
      }
    },

    registerMember(host, { member }) {
      requireOperator(host)
      addMember(host, member)
      return undefined
    },

    setStatus(host, { account, status }) {
      requireOperator(host)
      changeStatus(host, account, status)
      return undefined
    },

    rotateEncryptionKey(host, { encryptionKey }) {
      rotateKey(host, encryptionKey, readMembersParameters(host).encryptionGraceBlocks)
      return undefined
    },

    replaceEncryptionKey(host, { encryptionKey, graceBlocks }) {
      const { encryptionGraceBlocks: graceBlocksMax } = readMembersParameters(host)
      if (graceBlocks > graceBlocksMax) throw revert(abi, 'GraceTooLong', { given: graceBlocks, graceBlocksMax })
      rotateKey(host, encryptionKey, graceBlocks)
      return undefined
    },

    encryptionGraceUntil: (host, { account }) => BigInt(readMemberHead(host, account).graceUntil),

    parameters: readMembersParameters,

    addSigner,
    removeSigner,
    rotateAccountKey,
    signerAt,
    signerOf,
    signersOf,

    getMember(host, { account: given }) {
      const { account, head } = memberOf(host, given)
      return readMember(host, account, head)
    },

    memberById(host, { id }) {
      const word = host.load(mappingSlot(host, BY_ID_SLOT, id))
      if (word === ZERO_HASH) throw revert(abi, 'UnknownMemberId', { id })
      const account = wordAddress(word)
      return readMember(host, account, readMemberHead(host, account))
    },

    memberCount: (host) => BigInt(arrayLength(host, ACCOUNTS_SLOT)),

    memberAt(host, { index }) {
      const count = arrayLength(host, ACCOUNTS_SLOT)
      if (index >= count) throw revert(abi, 'UnknownIndex', { index, count: BigInt(count) })
      return wordAddress(host.load(slotAfter(arraySlot(host, ACCOUNTS_SLOT), Number(index))))
    },

    encryptionKeyAt: (host, { account, keyEpoch }) => host.load(keySlot(host, account, keyEpoch)),
  },
})

/** Writes the parameters, and registers the members of block 0. */
export function initMembers(host: ContractHost, genesis: GenesisConfig): void {
  const { encryptionGraceBlocks, recoveryDelayBlocks, decisionBlocksMax } = membersConfigOf(genesis)
  storeMembersParameters(host, { encryptionGraceBlocks, recoveryDelayBlocks, decisionBlocksMax })
  for (const { address, role, name, id, encryptionKey } of genesis.members) {
    const member = { account: address, role, id: textId(id, `id of member ${address}`), name }
    addMember(host, { ...member, encryptionKey: encryptionKey ?? ZERO_HASH })
  }
}

function requireOperator(host: ContractHost): void {
  if (!isActiveOperator(acting(host).head)) throw revert(abi, 'NotOperator', { caller: host.caller })
}

function addMember(host: ContractHost, member: NewMember): void {
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

function checkNewMember(host: ContractHost, { account, role, id, name }: NewMember): void {
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

/** Revocation is final; one operator has to stay active, or nobody could register members any more. */
function changeStatus(host: ContractHost, account: Address, status: number): void {
  if (status < STATUS.active || status > STATUS.revoked) throw revert(abi, 'InvalidStatus', { status })
  const head = readMemberHead(host, account)
  if (head.role === 0) throw revert(abi, 'UnknownMember', { account })
  if (head.status === status) return
  if (head.status === STATUS.revoked) throw revert(abi, 'MemberRevoked', { account })
  if (status === STATUS.active) countActive(host, head.role, 1)
  else if (head.status === STATUS.active) countOut(host, account, head.role)
  host.store(memberSlot(host, account), memberHead.write({ ...head, status }))
  emit(host, abi, 'MemberStatusChanged', { account, status })
}

function countOut(host: ContractHost, account: Address, role: number): void {
  if (role === ROLE.operator && wordNumber(host.load(OPERATORS_SLOT)) <= 1) {
    throw revert(abi, 'LastOperator', { account })
  }
  countActive(host, role, -1)
}

/** Operators and departments are counted: one of the first has to stay, the second vote on the sealer set. */
function countActive(host: ContractHost, role: number, by: number): void {
  if (role !== ROLE.operator && role !== ROLE.department) return
  const slot = role === ROLE.operator ? OPERATORS_SLOT : DEPARTMENTS_SLOT
  host.store(slot, numberWord(wordNumber(host.load(slot)) + by))
}

/** The next epoch of the caller's member; envelopes to the former key are taken for `graceBlocks` more blocks. */
function rotateKey(host: ContractHost, encryptionKey: Hash, graceBlocks: number): void {
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

function keySlot(host: ContractHost, account: Address, keyEpoch: bigint): Hash {
  return mappingSlot(host, mappingSlot(host, KEYS_SLOT, account), bigintWord(keyEpoch))
}

function readMember(host: ContractHost, account: Address, { role, status, keyEpoch, since }: MemberHead) {
  if (role === 0) throw revert(abi, 'UnknownMember', { account })
  const id = readMemberId(host, account)
  const name = loadText(host, slotAfter(memberSlot(host, account), 3))
  return { account, role, status, id, name, encryptionKey: readEncryptionKey(host, account), keyEpoch, since }
}

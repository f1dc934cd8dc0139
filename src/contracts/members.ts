/**
 * Contract `members`: the register of those who take part (paper 3.1, 3.2 (1), 4.3 (a)): who decides on them, their keys, their
 * history. Operators keep it unless genesis says otherwise.
 */
import { ZERO_HASH } from '../core/bytes.js'
import { type ContractHost, defineContract, revert } from '../vm/contract.js'
import { arrayLength, arraySlot, mappingSlot, slotAfter, wordAddress } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { membersConfigOf } from './genesisDefaults.js'
import type { GenesisConfig } from './genesisTypes.js'
import { initAdmission, readAdmission } from './memberAdmission.js'
import {
  approveMember,
  changeStatus,
  declineDecision,
  pendingDecisions,
  registerMember,
  withdrawDecision,
} from './memberDecisions.js'
import {
  approveRecovery,
  finishRecovery,
  guardiansOf,
  recoveryOf,
  setGuardians,
  startRecovery,
  stopRecovery,
} from './memberRecovery.js'
import { addMember, keySlot, readMember, rotateKey } from './memberRegister.js'
import { addSigner, removeSigner, rotateAccountKey, signerAt, signerOf, signersOf } from './memberSigners.js'
import { statusAt, statusHistory } from './memberStatus.js'
import {
  ACCOUNTS_SLOT,
  membersInterface as abi,
  BY_ID_SLOT,
  isActive,
  memberOf,
  readEncryptionKey,
  readMemberHead,
  readMemberId,
  readMembersParameters,
  storeMembersParameters,
} from './membersStorage.js'
import { textId } from './textId.js'

export { membersInterface } from './membersStorage.js'

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

    registerMember,
    approveMember,
    setStatus: (host, { account, status }) => changeStatus(host, { account, status, reason: '' }),
    changeStatus,
    withdrawDecision,
    declineDecision,
    pendingDecisions,

    admissionOf(host, { role }) {
      const { threshold, roles, approvers } = readAdmission(host, role)
      return { threshold, roles, approvers }
    },

    statusAt,
    statusHistory,

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

    setGuardians,
    guardiansOf,
    startRecovery,
    approveRecovery,
    stopRecovery,
    finishRecovery,
    recoveryOf,

    getMember: (host, { account }) => readMember(host, memberOf(host, account)),

    memberById(host, { id }) {
      const word = host.load(mappingSlot(host, BY_ID_SLOT, id))
      if (word === ZERO_HASH) throw revert(abi, 'UnknownMemberId', { id })
      const account = wordAddress(word)
      return readMember(host, { account, head: readMemberHead(host, account) })
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

/** Writes the parameters, registers the members of block 0, and says who decides on later ones. */
export function initMembers(host: ContractHost, genesis: GenesisConfig): void {
  const { encryptionGraceBlocks, recoveryDelayBlocks, decisionBlocksMax, admission } = membersConfigOf(genesis)
  storeMembersParameters(host, { encryptionGraceBlocks, recoveryDelayBlocks, decisionBlocksMax })
  for (const { address, role, name, id, encryptionKey } of genesis.members) {
    const member = { account: address, role, id: textId(id, `id of member ${address}`), name }
    addMember(host, { ...member, encryptionKey: encryptionKey ?? ZERO_HASH })
  }
  initAdmission(host, admission)
}

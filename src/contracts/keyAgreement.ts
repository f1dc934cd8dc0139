/**
 * Contract `keyAgreement`: which key values for these supervisors are sealed under (paper 3.2 (2), Fig. 3). One department:
 * its own key. Several: the key that they have agreed on as a group, by Burmester-Desmedt in rounds of transactions
 * (keyAgreementRounds.ts, docs/key-agreement.md).
 */
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import { type ContractHost, defineContract, revert } from '../vm/contract.js'
import { arrayLength, arraySlot, loadWords, slotAfter, wordAddress } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import {
  abortAgreement,
  attemptOf,
  confirmKey,
  groupOf,
  postLink,
  postShare,
  proveKey,
  startAgreement,
} from './keyAgreementRounds.js'
import {
  keyAgreementInterface as abi,
  GROUP_LIST_SLOT,
  groupIdFor,
  groupKeySlot,
  isGroupKeyCurrent,
  memberGroupsSlot,
  readGroupHead,
  readGroupKey,
} from './keyAgreementStorage.js'
import { isActiveDepartment, readEncryptionKey, readMemberHead } from './membersStorage.js'

export { keyAgreementInterface } from './keyAgreementStorage.js'

export interface AgreedKey {
  /** X25519 public key. */
  readonly publicKey: Hash
  readonly keyEpoch: bigint
}

export const keyAgreement = defineContract({
  name: 'keyAgreement',
  version: 2,
  address: CONTRACT_ADDRESSES.keyAgreement,
  abi,
  functions: {
    KeyAgreement(host, { departments }) {
      const only = departments[0]
      if (only === undefined) throw revert(abi, 'NoDepartments', {})
      for (const account of departments) {
        if (!isActiveDepartment(readMemberHead(host, account))) throw revert(abi, 'NotActiveDepartment', { account })
      }
      const key = agreedKey(host, departments)
      if (key !== undefined) return key
      if (departments.length > 1) throw revert(abi, 'GroupKeyNotAgreed', { departments })
      throw revert(abi, 'EncryptionKeyMissing', { department: only })
    },

    startAgreement,
    postShare,
    postLink,
    confirmKey,
    proveKey,
    abortAgreement,
    groupId: (host, { departments }) => groupIdFor(host, departments),
    groupOf,
    attemptOf,
    groupKeyAt: (host, { group, keyEpoch }) => host.load(groupKeySlot(host, group, keyEpoch)),
    groupsOf: (host, { department }) => loadWords(host, memberGroupsSlot(host, department)).map(wordAddress),
    groupCount: (host) => BigInt(arrayLength(host, GROUP_LIST_SLOT)),

    groupAt(host, { index }) {
      const count = arrayLength(host, GROUP_LIST_SLOT)
      if (index >= count) throw revert(abi, 'UnknownIndex', { index, count: BigInt(count) })
      return wordAddress(host.load(slotAfter(arraySlot(host, GROUP_LIST_SLOT), Number(index))))
    },
  },
})

/** Current key of these departments; undefined when there is none that active departments hold. */
export function agreedKey(host: ContractHost, departments: readonly Address[]): AgreedKey | undefined {
  const [only] = departments
  if (only === undefined) return undefined
  if (departments.length > 1) return agreedGroupKey(host, groupIdFor(host, departments))
  const head = readMemberHead(host, only)
  const publicKey = readEncryptionKey(host, only)
  if (!isActiveDepartment(head) || publicKey === ZERO_HASH) return undefined
  return { publicKey, keyEpoch: head.keyEpoch }
}

function agreedGroupKey(host: ContractHost, group: Address): AgreedKey | undefined {
  const head = readGroupHead(host, group)
  if (head === undefined || !isGroupKeyCurrent(host, group, head)) return undefined
  return { publicKey: readGroupKey(host, group), keyEpoch: head.keyEpoch }
}

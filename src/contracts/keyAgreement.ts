/**
 * Contract `keyAgreement`: which key values for these supervisors are sealed under (paper 3.2 (2), Fig. 3). One department:
 * its own key. A key for several needs their negotiation, which this version does not have.
 */
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import { ContractAbi } from '../vm/abi.js'
import { type ContractHost, defineContract, revert } from '../vm/contract.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { keyAgreementAbi } from './keyAgreement.abi.js'
import { isActiveDepartment, readEncryptionKey, readMemberHead } from './membersStorage.js'

export const keyAgreementInterface = new ContractAbi(keyAgreementAbi)
const abi = keyAgreementInterface

export interface AgreedKey {
  /** X25519 public key. */
  readonly publicKey: Hash
  readonly keyEpoch: bigint
}

export const keyAgreement = defineContract({
  name: 'keyAgreement',
  version: 1,
  address: CONTRACT_ADDRESSES.keyAgreement,
  abi,
  functions: {
    KeyAgreement(host, { departments }) {
      const only = departments[0]
      if (only === undefined) throw revert(abi, 'NoDepartments', {})
      for (const account of departments) {
        if (!isActiveDepartment(readMemberHead(host, account))) throw revert(abi, 'NotActiveDepartment', { account })
      }
      if (departments.length > 1) throw revert(abi, 'GroupKeyNotAgreed', { departments })
      const key = agreedKey(host, departments)
      if (key === undefined) throw revert(abi, 'EncryptionKeyMissing', { department: only })
      return key
    },
  },
})

/** Current key of these departments; undefined when there is none that an active department holds. */
export function agreedKey(host: ContractHost, departments: readonly Address[]): AgreedKey | undefined {
  const [only] = departments
  if (only === undefined || departments.length !== 1) return undefined
  const head = readMemberHead(host, only)
  const publicKey = readEncryptionKey(host, only)
  if (!isActiveDepartment(head) || publicKey === ZERO_HASH) return undefined
  return { publicKey, keyEpoch: head.keyEpoch }
}

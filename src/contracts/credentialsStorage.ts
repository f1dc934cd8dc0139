/** Storage of `credentials`. */
import { type Address, type Hash, ZERO_ADDRESS } from '../core/bytes.js'
import { ContractAbi } from '../vm/abi.js'
import { type ContractHost, revert } from '../vm/contract.js'
import {
  addressWord,
  loadText,
  mappingSlot,
  newMappingSlot,
  type Packed,
  packed,
  slotAfter,
  slotAt,
  storeText,
  wordAddress,
} from '../vm/storage.js'
import { CREDENTIAL_STATE } from './codes.js'
import { credentialsAbi } from './credentials.abi.js'

export const credentialsInterface = new ContractAbi(credentialsAbi)
const abi = credentialsInterface

/** mapping(bytes32 => Type); Type { head; string name }. */
const TYPES_SLOT = slotAt(0)
/** mapping(bytes32 => mapping(address => bool)): further issuers of a type. */
const ISSUERS_SLOT = slotAt(1)
/** mapping(bytes32 => Credential); words as in CREDENTIAL. */
const CREDENTIALS_SLOT = slotAt(2)

const typeHead = packed({ owner: 'address', transferable: 'bool' })

/** Words of a credential: two packed ones, then its hashes. */
const CREDENTIAL = { times: 1, holder: 2, typeId: 3, subject: 4, contentHash: 5, reason: 6 } as const
const HEAD = { issuer: 'address', state: 'uint8', stateSince: 'uint64' } as const
const TIMES = { issuedAt: 'uint64', validFrom: 'uint64', validUntil: 'uint64' } as const
const headWord = packed(HEAD)
const timesWord = packed(TIMES)

/** As stored: the state says nothing of expiry, which time alone decides. */
export interface StoredCredential extends Packed<typeof HEAD>, Packed<typeof TIMES> {
  readonly holder: Address
  readonly typeId: Hash
  readonly subject: Hash
  readonly contentHash: Hash
  readonly reason: Hash
}

export interface CredentialType {
  readonly owner: Address
  readonly transferable: boolean
  readonly name: string
}

const typeSlot = (host: ContractHost, typeId: Hash): Hash => mappingSlot(host, TYPES_SLOT, typeId)
const credentialSlot = (host: ContractHost, id: Hash): Hash => newMappingSlot(host, CREDENTIALS_SLOT, id)

export const issuerSlot = (host: ContractHost, typeId: Hash, issuer: Address): Hash =>
  mappingSlot(host, mappingSlot(host, ISSUERS_SLOT, typeId), issuer)

/** Undefined when nobody has defined it. */
export function readType(host: ContractHost, typeId: Hash): CredentialType | undefined {
  const slot = typeSlot(host, typeId)
  const head = typeHead.read(host.load(slot))
  return head.owner === ZERO_ADDRESS ? undefined : { ...head, name: loadText(host, slotAfter(slot, 1)) }
}

/** Reverts with UnknownType. */
export function openType(host: ContractHost, typeId: Hash): CredentialType {
  const type = readType(host, typeId)
  if (type === undefined) throw revert(abi, 'UnknownType', { typeId })
  return type
}

export function storeType(host: ContractHost, typeId: Hash, { owner, transferable, name }: CredentialType): void {
  const slot = typeSlot(host, typeId)
  host.store(slot, typeHead.write({ owner, transferable }))
  storeText(host, slotAfter(slot, 1), name)
}

/** Undefined when it was never issued. */
export function readCredential(host: ContractHost, id: Hash): StoredCredential | undefined {
  const slot = credentialSlot(host, id)
  const head = headWord.read(host.load(slot))
  if (head.state === CREDENTIAL_STATE.none) return undefined
  return {
    ...head,
    ...timesWord.read(host.load(slotAfter(slot, CREDENTIAL.times))),
    holder: wordAddress(host.load(slotAfter(slot, CREDENTIAL.holder))),
    typeId: host.load(slotAfter(slot, CREDENTIAL.typeId)),
    subject: host.load(slotAfter(slot, CREDENTIAL.subject)),
    contentHash: host.load(slotAfter(slot, CREDENTIAL.contentHash)),
    reason: host.load(slotAfter(slot, CREDENTIAL.reason)),
  }
}

/** Reverts with UnknownCredential. */
export function openCredential(host: ContractHost, id: Hash): StoredCredential {
  const credential = readCredential(host, id)
  if (credential === undefined) throw revert(abi, 'UnknownCredential', { id })
  return credential
}

export function storeCredential(host: ContractHost, id: Hash, credential: StoredCredential): void {
  const slot = credentialSlot(host, id)
  host.store(slot, headWord.write(credential))
  host.store(slotAfter(slot, CREDENTIAL.times), timesWord.write(credential))
  host.store(slotAfter(slot, CREDENTIAL.holder), addressWord(credential.holder))
  host.store(slotAfter(slot, CREDENTIAL.typeId), credential.typeId)
  host.store(slotAfter(slot, CREDENTIAL.subject), credential.subject)
  host.store(slotAfter(slot, CREDENTIAL.contentHash), credential.contentHash)
  host.store(slotAfter(slot, CREDENTIAL.reason), credential.reason)
}

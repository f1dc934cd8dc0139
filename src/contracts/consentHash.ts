/**
 * What an enterprise signs when it gives or takes back a consent (EIP-712): wallets show it field by field. The digest of a
 * consent is its id.
 */
import { type Address, fromHex, type Hash, type Hex, toHex, utf8 } from '../core/bytes.js'
import { keccak256 } from '../crypto/keccak.js'
import { addressWord, bigintWord, numberWord } from '../vm/words.js'
import { CONTRACT_ADDRESSES } from './addresses.js'

export interface Consent {
  /** Who may ask; zero: any member that the rules let ask. */
  readonly requester: Address
  readonly enterpriseId: Hash
  /** 1 to consentAttributesMax. */
  readonly attributes: readonly Hash[]
  readonly purpose: Hash
  /** Last second since 1970, in block time, at which it holds. */
  readonly notAfter: bigint
  /** Questions that it covers; 0: as many as are asked in its time. */
  readonly uses: number
  /** Tells equal consents apart. */
  readonly salt: Hash
}

/** Digest of 32 bytes; contracts charge gas for theirs. */
export type Hashing = (bytes: Uint8Array) => Uint8Array

/** Types as eth_signTypedData takes them. */
export const CONSENT_TYPES = {
  Consent: [
    { name: 'requester', type: 'address' },
    { name: 'enterpriseId', type: 'bytes32' },
    { name: 'attributes', type: 'bytes32[]' },
    { name: 'purpose', type: 'bytes32' },
    { name: 'notAfter', type: 'uint64' },
    { name: 'uses', type: 'uint32' },
    { name: 'salt', type: 'bytes32' },
  ],
} as const
export const REVOCATION_TYPES = { Revocation: [{ name: 'consent', type: 'bytes32' }] } as const

export const consentDomain = (chainId: number) =>
  ({ name: 'concordat', version: '1', chainId, verifyingContract: CONTRACT_ADDRESSES.consents }) as const

const hashOfText = (text: string): Hash => toHex(keccak256(utf8(text))) as Hash
const typeHash = (name: string, fields: readonly { readonly name: string; readonly type: string }[]): Hash =>
  hashOfText(`${name}(${fields.map((field) => `${field.type} ${field.name}`).join(',')})`)

const CONSENT = typeHash('Consent', CONSENT_TYPES.Consent)
const REVOCATION = typeHash('Revocation', REVOCATION_TYPES.Revocation)
const DOMAIN = hashOfText('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')
const NAME = hashOfText('concordat')
const VERSION = hashOfText('1')

/** Id of a consent on the chain `chainId`. */
export function consentDigest(hash: Hashing, chainId: bigint, consent: Consent): Hash {
  const { requester, enterpriseId, attributes, purpose, notAfter, uses, salt } = consent
  const list = hashOf(hash, attributes)
  const times = [bigintWord(notAfter), numberWord(uses)]
  return typedDigest(hash, chainId, [CONSENT, addressWord(requester), enterpriseId, list, purpose, ...times, salt])
}

/** What takes the consent `id` back. */
export const revocationDigest = (hash: Hashing, chainId: bigint, id: Hash): Hash =>
  typedDigest(hash, chainId, [REVOCATION, id])

function typedDigest(hash: Hashing, chainId: bigint, struct: readonly Hash[]): Hash {
  const contract = addressWord(CONTRACT_ADDRESSES.consents)
  const domain = hashOf(hash, [DOMAIN, NAME, VERSION, bigintWord(chainId), contract])
  return toHex(hash(joined('0x1901', [domain, hashOf(hash, struct)]))) as Hash
}

const hashOf = (hash: Hashing, words: readonly Hash[]): Hash => toHex(hash(joined('0x', words))) as Hash

const joined = (prefix: Hex, words: readonly Hash[]): Uint8Array =>
  fromHex(`${prefix}${words.map((word) => word.slice(2)).join('')}`)

/** How a member proves to a node that it asks for a trail: it signs the query, the node and an expiry (EIP-712). */
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import { type Address, concatBytes, fromHex, type Hash, type Hex, toHash, utf8 } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { keccak256 } from '../crypto/keccak.js'
import { recoverAddress } from '../crypto/secp256k1.js'
import { addressWord, bigintWord } from '../vm/words.js'

export type AuditRefusalCode =
  | 'MALFORMED'
  | 'WRONG_CHAIN'
  | 'WRONG_NODE'
  | 'EXPIRED'
  | 'EXPIRES_TOO_LATE'
  | 'NONCE_USED'
  | 'NOT_A_MEMBER'
  | 'NO_MANDATE'
  | 'OUT_OF_SCOPE'
  | 'NOT_ABOUT_YOURSELF'
  | 'BUSY'

/** Why a node does not answer a query of its records. */
export class AuditRefusal extends CodedError<AuditRefusalCode> {}

export interface Authorization {
  readonly chainId: number
  /** The node that is asked. */
  readonly node: Address
  /** Last second since 1970 at which it counts. */
  readonly expires: number
  /** Used once. */
  readonly nonce: Hash
  readonly signature: Hex
}

/** Types as eth_signTypedData takes them. */
export const AUDIT_QUERY_TYPES = {
  AuditQuery: [
    { name: 'queryHash', type: 'bytes32' },
    { name: 'node', type: 'address' },
    { name: 'expires', type: 'uint64' },
    { name: 'nonce', type: 'bytes32' },
  ],
} as const

export const auditDomain = (chainId: number) =>
  ({ name: 'concordat audit', version: '1', chainId, verifyingContract: CONTRACT_ADDRESSES.audit }) as const

const textHash = (text: string): Hash => toHash(keccak256(utf8(text)))
const DOMAIN = textHash('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')
const NAME = textHash('concordat audit')
const VERSION = textHash('1')
const QUERY = textHash('AuditQuery(bytes32 queryHash,address node,uint64 expires,bytes32 nonce)')

const hashWords = (words: readonly Hash[]): Hash =>
  toHash(keccak256(concatBytes(...words.map((word) => fromHex(word)))))

export type AuthorizationTerms = Omit<Authorization, 'signature'>

/** What is signed, 32 bytes. */
export function authorizationDigest(
  queryHash: Hash,
  { chainId, node, expires, nonce }: AuthorizationTerms,
): Uint8Array {
  const contract = addressWord(CONTRACT_ADDRESSES.audit)
  const domain = hashWords([DOMAIN, NAME, VERSION, bigintWord(BigInt(chainId)), contract])
  const struct = hashWords([QUERY, queryHash, addressWord(node), bigintWord(BigInt(expires)), nonce])
  return keccak256(concatBytes(Uint8Array.of(0x19, 0x01), fromHex(domain), fromHex(struct)))
}

/** Hash of a query: keccak256 of its JSON without spaces, keys in alphabetical order, absent keys left out. */
export function queryHash(query: object): Hash {
  const present = Object.entries(query).filter(([, value]) => value !== undefined)
  return textHash(JSON.stringify(Object.fromEntries(present.sort(([a], [b]) => (a < b ? -1 : 1)))))
}

/** The same as wallets show it before they sign. */
export const authorizationTypedData = (queryHash: Hash, { chainId, node, expires, nonce }: AuthorizationTerms) =>
  ({
    domain: auditDomain(chainId),
    types: AUDIT_QUERY_TYPES,
    primaryType: 'AuditQuery',
    message: { queryHash, node, expires: BigInt(expires), nonce },
  }) as const

/** Whose key signed; null when the signature fits none. Takes a last byte of 27 or 28, as wallets have it. */
export function authorizationSigner(hash: Hash, authorization: Authorization): Address | null {
  const signature = fromHex(authorization.signature, 'signature').slice()
  if (signature.length === 65 && signature[64]! >= 27) signature[64]! -= 27
  return recoverAddress(authorizationDigest(hash, authorization), signature)
}

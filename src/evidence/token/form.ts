/** The one form of a token: rebuilt from its signed parts, and from nothing else. */
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { hexToBytes } from 'viem'
import { must } from '../evidenceError.js'
import { keyKind, lowSignature, RSA, tbsFields } from './certificate.js'
import { der, type Node, NULL, oid, rawOf, same } from './der.js'

const SIGNED_DATA = oid('1.2.840.113549.1.7.2')
export const TST_INFO = oid('1.2.840.113549.1.9.16.1.4')
export const SHA_256 = '2.16.840.1.101.3.4.2.1'
export const HASHES = [
  { id: oid(SHA_256), name: 'SHA-256', hash: sha256, ecdsa: oid('1.2.840.10045.4.3.2') },
  { id: oid('2.16.840.1.101.3.4.2.2'), name: 'SHA-384', hash: sha384, ecdsa: oid('1.2.840.10045.4.3.3') },
  { id: oid('2.16.840.1.101.3.4.2.3'), name: 'SHA-512', hash: sha512, ecdsa: oid('1.2.840.10045.4.3.4') },
] as const
type HashKind = (typeof HASHES)[number]

/** What of a token is signed, or bound by what is signed. */
export interface TokenParts {
  readonly content: Uint8Array
  /** With the tag of a SET, as it is signed. */
  readonly attributes: Node
  readonly digest: HashKind
  readonly signature: Uint8Array
  /** The signer's, then its issuers. */
  readonly certificates: readonly Uint8Array[]
}

/** Takes apart what `form` puts together, and other forms that authorities use. */
export function readParts(token: Node): TokenParts {
  const [type, outer] = token.items
  const fields = outer?.items[0]?.items ?? []
  must(rawOf(type) === SIGNED_DATA, 'TOKEN', () => 'the token is no CMS signed data')
  const [, , encapsulated, certificates] = fields
  const signers = fields.at(-1)?.items ?? []
  const isToken = rawOf(encapsulated?.items[0]) === TST_INFO && signers.length === 1
  must(isToken && certificates?.raw[0] === 0xa0, 'TOKEN', () => 'the token is none of one signer with its certificate')
  const content = encapsulated!.items[1]?.items[0]?.content
  const [, sid, algorithm, attributes, , signature] = signers[0]!.items
  const digest = HASHES.find(({ id }) => id === rawOf(algorithm?.items[0]))
  const isWhole = content !== undefined && attributes?.raw[0] === 0xa0 && signature !== undefined
  must(isWhole && digest !== undefined, 'TOKEN', () => 'the token is signed in a way that is not supported')
  const raws = certificates!.items.map(({ raw }) => raw)
  const signer = raws.find((raw) => same(der(0x30, ...nameAndSerial(raw)), sid!.raw))
  must(signer !== undefined, 'TOKEN', () => "the token does not hold its signer's certificate")
  const others = raws.filter((raw) => raw !== signer)
  return { content, attributes, digest, signature: signature.content, certificates: [signer, ...others] }
}

/** The token with nothing in it but these parts (RFC 5652): algorithms as RFC 3370 and RFC 5754 want them. */
export function form({ content, attributes, digest, signature, certificates }: TokenParts): Uint8Array {
  const algorithm = der(0x30, hexToBytes(digest.id))
  const signed = der(0xa0, attributes.content)
  const version = (number: number) => der(0x02, Uint8Array.of(number))
  const [signer] = certificates
  const identity = der(0x30, ...nameAndSerial(signer!))
  const signing = keyKind(signer!) === RSA ? der(0x30, hexToBytes(RSA), NULL) : der(0x30, hexToBytes(digest.ecdsa))
  const info = der(0x30, version(1), identity, algorithm, signed, signing, der(0x04, lowSignature(signer!, signature)))
  const encapsulated = der(0x30, hexToBytes(TST_INFO), der(0xa0, der(0x04, content)))
  const data = der(0x30, version(3), der(0x31, algorithm), encapsulated, der(0xa0, ...certificates), der(0x31, info))
  return der(0x30, hexToBytes(SIGNED_DATA), der(0xa0, data))
}

function nameAndSerial(certificate: Uint8Array): [Uint8Array, Uint8Array] {
  const [serial, , issuer] = tbsFields(certificate)
  return [issuer!.raw, serial!.raw]
}

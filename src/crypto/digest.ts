/** Keyed digests of attribute values: what the chain sees of a declared value. */
import { fromHex, type Hash, toHash, utf8 } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { attributeValueBytesMax } from '../core/limits.js'
import { hmacSha256 } from './hkdf.js'
import { randomBytes } from './random.js'

export const portraitKeyBytes = 32

export class DigestError extends CodedError<'BAD_PORTRAIT_KEY' | 'VALUE_TOO_LONG'> {}

export interface AttributeDigestInput {
  /** The enterprise's secret of 32 bytes. */
  readonly portraitKey: Uint8Array
  readonly chainId: bigint | number
  readonly enterpriseId: Hash
  /** Attribute name as bytes32. */
  readonly attribute: Hash
  readonly schemaVersion: number
  /** Canonical value. */
  readonly value: string
}

const DOMAIN = utf8('concordat attribute digest v1')

/**
 * HMAC-SHA256(portraitKey, domain | chainId u64 | enterpriseId 32 | attribute 32 | schemaVersion u32 | length u32 | value).
 * Keyed, since most attributes have so few values that a plain hash could be searched. Throws DigestError.
 */
export function attributeDigest(input: AttributeDigestInput): Hash {
  if (input.portraitKey.length !== portraitKeyBytes) {
    throw new DigestError(
      'BAD_PORTRAIT_KEY',
      `a portrait key has ${portraitKeyBytes} bytes, got ${input.portraitKey.length}`,
    )
  }
  const value = utf8(input.value)
  if (value.length > attributeValueBytesMax) {
    throw new DigestError('VALUE_TOO_LONG', `a value has at most ${attributeValueBytesMax} bytes, got ${value.length}`)
  }
  const chainId = new Uint8Array(8)
  new DataView(chainId.buffer).setBigUint64(0, BigInt(input.chainId))
  const sizes = new Uint8Array(8)
  new DataView(sizes.buffer).setUint32(0, input.schemaVersion)
  new DataView(sizes.buffer).setUint32(4, value.length)
  const enterprise = fromHex(input.enterpriseId)
  const attribute = fromHex(input.attribute)
  return toHash(hmacSha256(input.portraitKey, DOMAIN, chainId, enterprise, attribute, sizes, value))
}

/** A fresh portrait key: starts a new portrait version. */
export function generatePortraitKey(): Uint8Array {
  return randomBytes(portraitKeyBytes)
}

/**
 * What travels inside envelopes: an enterprise's values for one department, with the portrait key that their digests were
 * made with. Envelopes are bound to everything that stands in clear beside them, so none can be used in another place.
 */
import { attributeId, idText } from '../contracts/textId.js'
import { type Address, concatBytes, fromHex, type Hash, toHash, uintToBytes, utf8 } from '../core/bytes.js'
import { bytesField, CodecError, fixedField, listField, numberField } from '../core/codec.js'
import { attributeValueBytesMax, recordAttributesMax } from '../core/limits.js'
import { RlpError, rlpDecode, rlpEncode } from '../core/rlp.js'
import { portraitKeyBytes } from '../crypto/digest.js'
import { EnvelopeError, openEnvelope, sealEnvelope } from '../crypto/envelope.js'

/** part: StoreData to a supervisor; question: requestVerification to a supervisor; portraitKey: sharePortraitKey to one who asks. */
export type SealedKind = 'part' | 'question' | 'portraitKey'

const KIND_BYTE: Readonly<Record<SealedKind, number>> = { part: 1, question: 2, portraitKey: 3 }

/** What stands in clear in the transaction that carries the envelope. */
export interface SealedContext {
  readonly kind: SealedKind
  readonly chainId: number
  readonly contract: Address
  /** Account that sends the transaction: another one cannot send the same envelope as its own. */
  readonly sender: Address
  readonly enterpriseId: Hash
  readonly portraitVersion: number
  readonly recipient: Address
  readonly keyEpoch: bigint
  readonly attributes: readonly Hash[]
  readonly digests: readonly Hash[]
}

export interface SealedValue {
  /** Version of the attribute's schema that `value` is canonical in. */
  readonly schemaVersion: number
  readonly value: string
}

export interface SealedValues {
  /** 32 bytes. */
  readonly portraitKey: Uint8Array
  /** By attribute name; empty when only the key is shared. */
  readonly values: ReadonlyMap<string, SealedValue>
}

const FORMAT = 1
const INFO = utf8('concordat sealed values v1')

function info(context: SealedContext): Uint8Array {
  const chainId = new Uint8Array(8)
  new DataView(chainId.buffer).setBigUint64(0, BigInt(context.chainId))
  return concatBytes(INFO, chainId, fromHex(context.contract), Uint8Array.of(KIND_BYTE[context.kind]))
}

function associatedData(context: SealedContext): Uint8Array {
  return rlpEncode([
    fromHex(context.sender),
    fromHex(context.enterpriseId),
    uintToBytes(context.portraitVersion),
    fromHex(context.recipient),
    uintToBytes(context.keyEpoch),
    context.attributes.map((attribute) => fromHex(attribute)),
    context.digests.map((digest) => fromHex(digest)),
  ])
}

/** Seals for one X25519 public key of 32 bytes. Throws EnvelopeError. */
export function sealValues(sealed: SealedValues, publicKey: Uint8Array, context: SealedContext): Uint8Array {
  const values = [...sealed.values].map(([attribute, { schemaVersion, value }]) => {
    return [fromHex(attributeId(attribute)), uintToBytes(schemaVersion), utf8(value)]
  })
  const plaintext = rlpEncode([uintToBytes(FORMAT), sealed.portraitKey, values])
  const aad = associatedData(context)
  return sealEnvelope({ recipients: [{ publicKey }], plaintext, info: info(context), aad })
}

/**
 * Opens with the first of `privateKeys` (current and former ones) that fits. null: none fits, or what is inside is
 * malformed; the sender is at fault either way.
 */
export function openValues(
  envelope: Uint8Array,
  privateKeys: readonly Uint8Array[],
  context: SealedContext,
): SealedValues | null {
  const aad = associatedData(context)
  for (const privateKey of privateKeys) {
    try {
      return decodeSealed(openEnvelope({ envelope, privateKey, info: info(context), aad }))
    } catch (error) {
      if (error instanceof EnvelopeError && error.code === 'NOT_A_RECIPIENT') continue
      if (isSenderFault(error)) return null
      throw error
    }
  }
  return null
}

function isSenderFault(error: unknown): boolean {
  return error instanceof EnvelopeError || error instanceof CodecError || error instanceof RlpError
}

function decodeSealed(plaintext: Uint8Array): SealedValues {
  const [format, portraitKey, values] = listField(rlpDecode(plaintext, { depthMax: 3 }), 'sealed values', 3)
  if (numberField(format, 'format') !== FORMAT) throw new CodecError('UNSUPPORTED', 'format', `must be ${FORMAT}`)
  const entries = listField(values, 'values', 0, recordAttributesMax).map((entry) => {
    const [attribute, schemaVersion, value] = listField(entry, 'value', 3)
    const name = attributeName(toHash(fixedField(attribute, 'attribute', 32)))
    const text = decodeText(bytesField(value, name, attributeValueBytesMax), name)
    return [name, { schemaVersion: numberField(schemaVersion, 'schemaVersion', 0xffffffff), value: text }] as const
  })
  const byName = new Map(entries)
  if (byName.size !== entries.length) throw new CodecError('FIELD_RANGE', 'values', 'name an attribute twice')
  return { portraitKey: fixedField(portraitKey, 'portraitKey', portraitKeyBytes), values: byName }
}

function attributeName(attribute: Hash): string {
  try {
    return idText(attribute)
  } catch {
    throw new CodecError('FIELD_RANGE', 'attribute', 'must be the id of a name')
  }
}

function decodeText(bytes: Uint8Array, field: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new CodecError('FIELD_RANGE', field, 'must be UTF-8')
  }
}

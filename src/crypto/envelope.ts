/**
 * Envelopes: one plaintext for one or several recipients. A fresh content secret is wrapped for each recipient by HPKE.
 *
 *     suite 1 | recipients n 1 | n x (key id 8 | enc 32 | wrapped secret 48) | commitment 32 | ciphertext and tag
 *
 * Suite 1: HPKE base, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; content under AES-256-GCM. The commitment binds
 * the content secret, so that one envelope cannot open to different plaintexts for different recipients. The plaintext is
 * padded to a multiple of 128 bytes: the length on the chain tells little about the values.
 */
import { concatBytes, EMPTY_BYTES, equalBytes, toHex, utf8 } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { envelopePlaintextBytesMax, envelopeRecipientsMax } from '../core/limits.js'
import { type AeadInput, aeadNonceBytes, aeadOpen, aeadSeal, aeadTagBytes } from './aead.js'
import { type EncryptionKeyPair, encryptionKeyFromPrivate } from './encryptionKey.js'
import { hmacSha256 } from './hkdf.js'
import { HpkeError, hpkeEncBytes, hpkeOpen, hpkeSeal } from './hpke.js'
import { primitives } from './primitives.js'
import { randomBytes } from './random.js'

export type EnvelopeErrorCode =
  | 'TOO_LARGE'
  | 'BAD_RECIPIENTS'
  | 'BAD_PUBLIC_KEY'
  | 'UNSUPPORTED_SUITE'
  | 'MALFORMED'
  | 'NOT_A_RECIPIENT'
  | 'OPEN_FAILED'

export class EnvelopeError extends CodedError<EnvelopeErrorCode> {}

export interface SealEnvelopeInput {
  readonly recipients: readonly { readonly publicKey: Uint8Array }[]
  readonly plaintext: Uint8Array
  /** Context that both sides know: chain, contract, enterprise, purpose. */
  readonly info: Uint8Array
  readonly aad: Uint8Array
}

export interface OpenEnvelopeInput {
  readonly envelope: Uint8Array
  /** X25519 private key of 32 bytes. */
  readonly privateKey: Uint8Array
  /** Place among the recipients; found by key when left out. */
  readonly recipientIndex?: number
  readonly info: Uint8Array
  readonly aad: Uint8Array
}

const SUITE = 1
const SECRET_BYTES = 32
const KEY_ID_BYTES = 8
const COMMITMENT_BYTES = 32
const WRAPPED_BYTES = SECRET_BYTES + aeadTagBytes
const ENTRY_BYTES = KEY_ID_BYTES + hpkeEncBytes + WRAPPED_BYTES
const LENGTH_BYTES = 4
const PADDING_BYTES = 128

const WRAP_LABEL = utf8('concordat envelope v1 wrap')
const KEY_LABEL = utf8('concordat envelope v1 key')
const COMMIT_LABEL = utf8('concordat envelope v1 commitment')
const CONTENT_LABEL = utf8('concordat envelope v1 content')
// Each content key encrypts exactly one message.
const CONTENT_NONCE = new Uint8Array(aeadNonceBytes)

/** Bytes of an envelope; what a proxy needs to know before it seals. */
export function envelopeBytes(recipients: number, plaintextBytes: number): number {
  return 2 + recipients * ENTRY_BYTES + COMMITMENT_BYTES + paddedBytes(plaintextBytes) + aeadTagBytes
}

/** Throws EnvelopeError TOO_LARGE, BAD_RECIPIENTS or BAD_PUBLIC_KEY. */
export function sealEnvelope({ recipients, plaintext, info, aad }: SealEnvelopeInput): Uint8Array {
  if (plaintext.length > envelopePlaintextBytesMax) {
    throw new EnvelopeError(
      'TOO_LARGE',
      `an envelope holds at most ${envelopePlaintextBytesMax} bytes, got ${plaintext.length}`,
    )
  }
  checkRecipients(recipients.map((recipient) => recipient.publicKey))
  const secret = randomBytes(SECRET_BYTES)
  const parts: Uint8Array[] = [Uint8Array.of(SUITE, recipients.length)]
  for (const { publicKey } of recipients) parts.push(keyId(publicKey), wrapSecret(secret, publicKey, info, aad))
  parts.push(hmacSha256(secret, COMMIT_LABEL))
  const head = concatBytes(...parts)
  return concatBytes(head, aeadSeal(contentInput(secret, head, info, aad), pad(plaintext)))
}

/** Throws EnvelopeError: `NOT_A_RECIPIENT` when the key is not among the recipients, OPEN_FAILED when anything was changed. */
export function openEnvelope({ envelope, privateKey, recipientIndex, info, aad }: OpenEnvelopeInput): Uint8Array {
  const headBytes = checkShape(envelope)
  const own = encryptionKeyFromPrivate(privateKey)
  const index = recipientIndex ?? findRecipient(envelope, own.publicKey)
  const secret = unwrapSecret(entryAt(envelope, index), own, info, aad)
  const head = envelope.subarray(0, headBytes)
  const commitment = head.subarray(headBytes - COMMITMENT_BYTES)
  if (!equalBytes(hmacSha256(secret, COMMIT_LABEL), commitment)) throw openFailed()
  const padded = aeadOpen(contentInput(secret, head, info, aad), envelope.subarray(headBytes))
  if (padded === null) throw openFailed()
  return unpad(padded)
}

/** Number of recipients of a well-formed envelope. Throws EnvelopeError. */
export function envelopeRecipients(envelope: Uint8Array): number {
  checkShape(envelope)
  return envelope[1]!
}

function checkRecipients(publicKeys: readonly Uint8Array[]): void {
  if (publicKeys.length === 0 || publicKeys.length > envelopeRecipientsMax) {
    const message = `an envelope has 1 to ${envelopeRecipientsMax} recipients, got ${publicKeys.length}`
    throw new EnvelopeError('BAD_RECIPIENTS', message)
  }
  const distinct = new Set(publicKeys.map((key) => toHex(key)))
  if (distinct.size !== publicKeys.length) throw new EnvelopeError('BAD_RECIPIENTS', 'a recipient is named twice')
}

/** Returns the bytes in front of the ciphertext. */
function checkShape(envelope: Uint8Array): number {
  if (envelope.length < 2) throw malformed('is cut off')
  if (envelope[0] !== SUITE) {
    throw new EnvelopeError(
      'UNSUPPORTED_SUITE',
      `envelope suite ${envelope[0]} is not supported, seal with suite ${SUITE}`,
    )
  }
  const recipients = envelope[1]!
  if (recipients === 0 || recipients > envelopeRecipientsMax) throw malformed(`names ${recipients} recipients`)
  if (envelope.length > envelopeBytes(recipients, envelopePlaintextBytesMax)) {
    throw new EnvelopeError('TOO_LARGE', `envelope of ${envelope.length} bytes is larger than any that can be sealed`)
  }
  const headBytes = 2 + recipients * ENTRY_BYTES + COMMITMENT_BYTES
  const content = envelope.length - headBytes - aeadTagBytes
  if (content < PADDING_BYTES || content % PADDING_BYTES !== 0)
    throw malformed(`has a length of ${envelope.length} bytes`)
  return headBytes
}

function findRecipient(envelope: Uint8Array, publicKey: Uint8Array): number {
  const id = keyId(publicKey)
  for (let index = 0; index < envelope[1]!; index++) {
    if (equalBytes(entryAt(envelope, index).subarray(0, KEY_ID_BYTES), id)) return index
  }
  throw new EnvelopeError('NOT_A_RECIPIENT', 'envelope was not sealed for this key: check the key epoch')
}

function entryAt(envelope: Uint8Array, index: number): Uint8Array {
  if (!Number.isInteger(index) || index < 0 || index >= envelope[1]!) {
    throw new EnvelopeError('NOT_A_RECIPIENT', `envelope has ${envelope[1]} recipients, none at index ${index}`)
  }
  return envelope.subarray(2 + index * ENTRY_BYTES, 2 + (index + 1) * ENTRY_BYTES)
}

function wrapSecret(secret: Uint8Array, publicKey: Uint8Array, info: Uint8Array, aad: Uint8Array): Uint8Array {
  try {
    const { enc, ciphertext } = hpkeSeal('aes-256-gcm', publicKey, wrapInfo(info), aad, secret)
    return concatBytes(enc, ciphertext)
  } catch (error) {
    if (!(error instanceof HpkeError)) throw error
    throw new EnvelopeError('BAD_PUBLIC_KEY', `recipient key ${toHex(publicKey)} is ${error.message}`, { cause: error })
  }
}

function unwrapSecret(entry: Uint8Array, own: EncryptionKeyPair, info: Uint8Array, aad: Uint8Array): Uint8Array {
  const enc = entry.subarray(KEY_ID_BYTES, KEY_ID_BYTES + hpkeEncBytes)
  const ciphertext = entry.subarray(KEY_ID_BYTES + hpkeEncBytes)
  try {
    return hpkeOpen('aes-256-gcm', { enc, ciphertext }, own, wrapInfo(info), aad)
  } catch (error) {
    if (error instanceof HpkeError) throw openFailed()
    throw error
  }
}

function wrapInfo(info: Uint8Array): Uint8Array {
  return concatBytes(WRAP_LABEL, info)
}

/** Everything in front of the ciphertext is associated data: no recipient can be taken out or added unseen. */
function contentInput(secret: Uint8Array, head: Uint8Array, info: Uint8Array, aad: Uint8Array): AeadInput {
  const lengths = new Uint8Array(8)
  new DataView(lengths.buffer).setUint32(0, head.length)
  new DataView(lengths.buffer).setUint32(4, info.length)
  return {
    aead: 'aes-256-gcm',
    key: hmacSha256(secret, KEY_LABEL),
    nonce: CONTENT_NONCE,
    aad: concatBytes(CONTENT_LABEL, lengths, head, info, aad),
  }
}

/** Short name of a public key by which a recipient finds its entry; recipients are public anyway. */
function keyId(publicKey: Uint8Array): Uint8Array {
  return primitives.sha256(publicKey).subarray(0, KEY_ID_BYTES)
}

function paddedBytes(length: number): number {
  return Math.ceil((LENGTH_BYTES + length) / PADDING_BYTES) * PADDING_BYTES
}

function pad(plaintext: Uint8Array): Uint8Array {
  const padded = new Uint8Array(paddedBytes(plaintext.length))
  new DataView(padded.buffer).setUint32(0, plaintext.length)
  padded.set(plaintext, LENGTH_BYTES)
  return padded
}

function unpad(padded: Uint8Array): Uint8Array {
  const length = new DataView(padded.buffer, padded.byteOffset).getUint32(0)
  if (paddedBytes(length) !== padded.length) throw malformed('is padded to a wrong length')
  const end = LENGTH_BYTES + length
  if (padded.subarray(end).some((byte) => byte !== 0)) throw malformed('has padding other than zero')
  return length === 0 ? EMPTY_BYTES : padded.subarray(LENGTH_BYTES, end)
}

function malformed(problem: string): EnvelopeError {
  return new EnvelopeError('MALFORMED', `envelope ${problem}`)
}

function openFailed(): EnvelopeError {
  return new EnvelopeError('OPEN_FAILED', 'envelope does not open: it was sealed for another context or was changed')
}

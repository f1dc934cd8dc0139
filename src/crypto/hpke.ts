/**
 * Hybrid public key encryption (RFC 9180), base mode, DHKEM(X25519, HKDF-SHA256) with HKDF-SHA256. Synchronous: a
 * context's sequence number cannot be raced, so no nonce is used twice.
 */
import { assert } from '../core/assert.js'
import { concatBytes, EMPTY_BYTES, utf8 } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { type AeadName, aeadKeyBytes, aeadNonceBytes, aeadOpen, aeadSeal } from './aead.js'
import {
  type EncryptionKeyPair,
  encryptionKeyFromPrivate,
  generateEncryptionKey,
  sharedSecret,
} from './encryptionKey.js'
import { hkdfExpand, hkdfExtract, sha256Bytes } from './hkdf.js'

export type HpkeErrorCode = 'BAD_PUBLIC_KEY' | 'OPEN_FAILED' | 'EXPORT_ONLY'

export class HpkeError extends CodedError<HpkeErrorCode> {}

/** AEAD of the suite; 'export-only' gives a context without seal and open. */
export type HpkeAead = AeadName | 'export-only'

/** Bytes of an encapsulated key. */
export const hpkeEncBytes = 32

/** RFC 9180, 7.3. */
const AEAD_ID = { 'aes-128-gcm': 1, 'aes-256-gcm': 2, 'chacha20-poly1305': 3, 'export-only': 0xffff } as const
/** RFC 9180, 7.1: DHKEM(X25519, HKDF-SHA256). RFC 9180, 7.2: HKDF-SHA256. */
const KEM_ID = 0x20
const KDF_ID = 1
const BASE_MODE = Uint8Array.of(0)

const VERSION = utf8('HPKE-v1')
const KEM_SUITE = concatBytes(utf8('KEM'), u16(KEM_ID))

export interface HpkeSender {
  /** Encapsulated key, 32 bytes: goes to the recipient. */
  readonly enc: Uint8Array
  readonly context: HpkeContext
}

/** One direction of a session: `seal` on the sender's side, `open` on the recipient's, in the same order. */
export class HpkeContext {
  private sequence = 0

  constructor(
    private readonly aead: HpkeAead,
    private readonly suite: Uint8Array,
    private readonly key: Uint8Array,
    private readonly baseNonce: Uint8Array,
    private readonly exporterSecret: Uint8Array,
  ) {}

  /** Ciphertext with tag. Throws HpkeError EXPORT_ONLY. */
  seal(aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const sealed = aeadSeal({ aead: this.cipher(), key: this.key, nonce: this.nonce(), aad }, plaintext)
    this.sequence++
    return sealed
  }

  /** Throws HpkeError OPEN_FAILED; the context then still waits for the same message. */
  open(aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    const plaintext = aeadOpen({ aead: this.cipher(), key: this.key, nonce: this.nonce(), aad }, ciphertext)
    if (plaintext === null) {
      throw new HpkeError('OPEN_FAILED', 'ciphertext was made for another key, info or associated data, or was changed')
    }
    this.sequence++
    return plaintext
  }

  /** `length` bytes of secret that both sides share. Throws HkdfError TOO_LONG above 8,160 bytes. */
  export(exporterContext: Uint8Array, length: number): Uint8Array {
    return labeledExpand(this.suite, this.exporterSecret, 'sec', exporterContext, length)
  }

  private cipher(): AeadName {
    if (this.aead === 'export-only') throw new HpkeError('EXPORT_ONLY', 'this suite only exports secrets')
    return this.aead
  }

  /** Base nonce with the sequence number added by xor (RFC 9180, 5.2). */
  private nonce(): Uint8Array {
    assert(this.sequence < Number.MAX_SAFE_INTEGER, 'an HPKE context ends before its sequence number wraps')
    const nonce = this.baseNonce.slice()
    for (let i = nonce.length - 1, rest = this.sequence; rest > 0; i--, rest = Math.floor(rest / 256)) {
      nonce[i] = nonce[i]! ^ (rest % 256)
    }
    return nonce
  }
}

/** `ephemeral` is fresh unless a test gives the key pair of a vector. Throws HpkeError BAD_PUBLIC_KEY. */
export function hpkeSetupSender(
  aead: HpkeAead,
  recipientPublicKey: Uint8Array,
  info: Uint8Array,
  ephemeral: EncryptionKeyPair = generateEncryptionKey(),
): HpkeSender {
  const dh = exchange(ephemeral.privateKey, recipientPublicKey)
  const shared = extractAndExpand(dh, ephemeral.publicKey, recipientPublicKey)
  return { enc: ephemeral.publicKey, context: keySchedule(aead, shared, info) }
}

/** Throws HpkeError BAD_PUBLIC_KEY when `enc` is not a usable public key. */
export function hpkeSetupRecipient(
  aead: HpkeAead,
  enc: Uint8Array,
  recipient: EncryptionKeyPair,
  info: Uint8Array,
): HpkeContext {
  const dh = exchange(recipient.privateKey, enc)
  return keySchedule(aead, extractAndExpand(dh, enc, recipient.publicKey), info)
}

export interface HpkeMessage {
  readonly enc: Uint8Array
  readonly ciphertext: Uint8Array
}

/** Single-shot seal (RFC 9180, 6.1). */
export function hpkeSeal(
  aead: AeadName,
  recipientPublicKey: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): HpkeMessage {
  const { enc, context } = hpkeSetupSender(aead, recipientPublicKey, info)
  return { enc, ciphertext: context.seal(aad, plaintext) }
}

/** Single-shot open (RFC 9180, 6.1). Throws HpkeError. */
export function hpkeOpen(
  aead: AeadName,
  message: HpkeMessage,
  recipient: EncryptionKeyPair,
  info: Uint8Array,
  aad: Uint8Array,
): Uint8Array {
  return hpkeSetupRecipient(aead, message.enc, recipient, info).open(aad, message.ciphertext)
}

/** DeriveKeyPair of DHKEM(X25519) (RFC 9180, 7.1.3): `ikm` must hold at least 256 bits of entropy. */
export function deriveEncryptionKey(ikm: Uint8Array): EncryptionKeyPair {
  const prk = labeledExtract(KEM_SUITE, EMPTY_BYTES, 'dkp_prk', ikm)
  return encryptionKeyFromPrivate(labeledExpand(KEM_SUITE, prk, 'sk', EMPTY_BYTES, 32))
}

function exchange(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const dh = publicKey.length === hpkeEncBytes ? sharedSecret(privateKey, publicKey) : null
  if (dh === null)
    throw new HpkeError('BAD_PUBLIC_KEY', 'not a usable X25519 public key: it needs 32 bytes and not a low order')
  return dh
}

/** RFC 9180, 4.1. */
function extractAndExpand(dh: Uint8Array, enc: Uint8Array, recipientPublicKey: Uint8Array): Uint8Array {
  const prk = labeledExtract(KEM_SUITE, EMPTY_BYTES, 'eae_prk', dh)
  return labeledExpand(KEM_SUITE, prk, 'shared_secret', concatBytes(enc, recipientPublicKey), 32)
}

/** RFC 9180, 5.1, base mode: no pre-shared key. */
function keySchedule(aead: HpkeAead, shared: Uint8Array, info: Uint8Array): HpkeContext {
  const suite = concatBytes(utf8('HPKE'), u16(KEM_ID), u16(KDF_ID), u16(AEAD_ID[aead]))
  const pskIdHash = labeledExtract(suite, EMPTY_BYTES, 'psk_id_hash', EMPTY_BYTES)
  const infoHash = labeledExtract(suite, EMPTY_BYTES, 'info_hash', info)
  const context = concatBytes(BASE_MODE, pskIdHash, infoHash)
  const secret = labeledExtract(suite, shared, 'secret', EMPTY_BYTES)
  const exporterSecret = labeledExpand(suite, secret, 'exp', context, sha256Bytes)
  if (aead === 'export-only') return new HpkeContext(aead, suite, EMPTY_BYTES, EMPTY_BYTES, exporterSecret)
  const key = labeledExpand(suite, secret, 'key', context, aeadKeyBytes(aead))
  const baseNonce = labeledExpand(suite, secret, 'base_nonce', context, aeadNonceBytes)
  return new HpkeContext(aead, suite, key, baseNonce, exporterSecret)
}

/** RFC 9180, 4. */
function labeledExtract(suite: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array {
  return hkdfExtract(salt, VERSION, suite, utf8(label), ikm)
}

/** RFC 9180, 4. */
function labeledExpand(
  suite: Uint8Array,
  prk: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
): Uint8Array {
  return hkdfExpand(prk, length, u16(length), VERSION, suite, utf8(label), info)
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 255)
}

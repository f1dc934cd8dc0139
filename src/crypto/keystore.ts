/** Web3 Secret Storage, version 3: a private key encrypted by a password (aes-128-ctr under scrypt or PBKDF2). */
import { createCipheriv, createDecipheriv, pbkdf2, randomBytes, randomUUID, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { scryptAsync as nobleScrypt } from '@noble/hashes/scrypt.js'
import { z } from 'zod'
import { concatBytes, fromHex, toHex, utf8 } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { keystoreBytesMax, keystorePbkdf2RoundsMax, keystoreScryptBytesMax } from '../core/limits.js'
import { keccak256 } from './keccak.js'
import { privateKeyToAddress } from './secp256k1.js'

export type KeystoreErrorCode = 'TOO_LARGE' | 'MALFORMED' | 'UNSUPPORTED_VERSION' | 'TOO_COSTLY' | 'WRONG_PASSWORD'

/** A keystore that does not open; never holds key material or the password. */
export class KeystoreError extends CodedError<KeystoreErrorCode> {}

const hex = z.string().regex(/^(?:[0-9a-fA-F]{2})*$/, 'must be hex digits without 0x')
const positive = z.int().positive()
const scryptParams = z.object({ n: positive, r: positive, p: positive, dklen: z.literal(32), salt: hex })
const pbkdf2Params = z.object({ c: positive, prf: z.literal('hmac-sha256'), dklen: z.literal(32), salt: hex })
const cipherFields = {
  cipher: z.literal('aes-128-ctr'),
  cipherparams: z.object({ iv: hex.length(32) }),
  ciphertext: hex.min(2).max(64),
  mac: hex.length(64),
}
const keystoreSchema = z.object({
  version: z.literal(3),
  id: z.string().optional(),
  address: z.string().optional(),
  crypto: z.discriminatedUnion('kdf', [
    z.object({ ...cipherFields, kdf: z.literal('scrypt'), kdfparams: scryptParams }),
    z.object({ ...cipherFields, kdf: z.literal('pbkdf2'), kdfparams: pbkdf2Params }),
  ]),
})

export type Keystore = z.infer<typeof keystoreSchema>

type ScryptParams = z.infer<typeof scryptParams>
type Pbkdf2Params = z.infer<typeof pbkdf2Params>

export interface EncryptKeystoreOptions {
  /** scrypt cost N, a power of two; 2^17 by default (128 MiB for about half a second). */
  readonly scryptN?: number
  /** Writes the key's account address into the file, as geth does. On by default; off for keys of other kinds. */
  readonly withAddress?: boolean
}

/** Keystore of a private key of 32 bytes, ready for JSON.stringify. */
export async function encryptKeystore(
  privateKey: Uint8Array,
  password: string,
  { scryptN = 2 ** 17, withAddress = true }: EncryptKeystoreOptions = {},
): Promise<Keystore> {
  if (privateKey.length !== 32) throw new RangeError(`a private key must have 32 bytes, got ${privateKey.length}`)
  const kdfparams: ScryptParams = { n: scryptN, r: 8, p: 1, dklen: 32, salt: bareHex(randomBytes(32)) }
  const derived = await deriveScrypt(password, kdfparams)
  const iv = randomBytes(16)
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv)
  const ciphertext = concatBytes(cipher.update(privateKey), cipher.final())
  return {
    version: 3,
    id: randomUUID(),
    ...(withAddress ? { address: privateKeyToAddress(privateKey).slice(2) } : {}),
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: bareHex(iv) },
      ciphertext: bareHex(ciphertext),
      mac: bareHex(macOf(derived, ciphertext)),
      kdf: 'scrypt',
      kdfparams,
    },
  }
}

/** Private key of 32 bytes (shorter ones are padded with zeros in front). Throws KeystoreError. */
export async function decryptKeystore(json: string, password: string): Promise<Uint8Array> {
  const { crypto } = parseKeystore(json)
  const derived =
    crypto.kdf === 'scrypt'
      ? await deriveScrypt(password, crypto.kdfparams)
      : await derivePbkdf2(password, crypto.kdfparams)
  const ciphertext = bytesOf(crypto.ciphertext)
  if (!timingSafeEqual(macOf(derived, ciphertext), bytesOf(crypto.mac))) {
    throw new KeystoreError('WRONG_PASSWORD', 'keystore does not open: wrong password, or the file was changed')
  }
  const decipher = createDecipheriv('aes-128-ctr', derived.subarray(0, 16), bytesOf(crypto.cipherparams.iv))
  const secret = concatBytes(decipher.update(ciphertext), decipher.final())
  return concatBytes(new Uint8Array(32 - secret.length), secret)
}

/** Checks the form of a keystore file without opening it. Throws KeystoreError. */
export function parseKeystore(json: string): Keystore {
  if (json.length > keystoreBytesMax) {
    throw new KeystoreError('TOO_LARGE', `keystore has ${json.length} characters, at most ${keystoreBytesMax} allowed`)
  }
  const value = parseJson(json)
  const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined
  if (version !== 3) {
    const got = typeof version === 'number' || typeof version === 'string' ? String(version).slice(0, 20) : 'none'
    throw new KeystoreError('UNSUPPORTED_VERSION', `keystore version must be 3, got ${got}; convert the file first`)
  }
  const parsed = keystoreSchema.safeParse(withLowerCaseCrypto(value))
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new KeystoreError('MALFORMED', `keystore field ${issue?.path.join('.')}: ${issue?.message}`)
  }
  return parsed.data
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw new KeystoreError('MALFORMED', 'keystore is not JSON')
  }
}

/** Some old writers spell the section `Crypto`. */
function withLowerCaseCrypto(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || 'crypto' in value || !('Crypto' in value)) return value
  return { ...value, crypto: value.Crypto }
}

const scryptAsync = promisify<string, Uint8Array, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
  scrypt,
)
const pbkdf2Async = promisify(pbkdf2)

async function deriveScrypt(password: string, { n, r, p, dklen, salt }: ScryptParams): Promise<Uint8Array> {
  const bytes = 128 * n * r * p
  if (bytes > keystoreScryptBytesMax) {
    throw new KeystoreError(
      'TOO_COSTLY',
      `keystore asks for scrypt with 128 * n * r * p = ${bytes}, at most ${keystoreScryptBytesMax} allowed`,
    )
  }
  if (n < 2 || (n & (n - 1)) !== 0)
    throw new KeystoreError('MALFORMED', 'keystore field crypto.kdfparams.n: must be a power of 2')
  const cost = { N: n, r, p }
  // RFC 7914 bounds N by 2^(16 r) and OpenSSL keeps to it; the best known example file does not.
  if (n >= 2 ** (16 * r)) return nobleScrypt(utf8(password), bytesOf(salt), { ...cost, dkLen: dklen })
  // OpenSSL counts some working space on top of 128 * n * r.
  return scryptAsync(password, bytesOf(salt), dklen, { ...cost, maxmem: 2 * bytes + 1024 * 1024 })
}

async function derivePbkdf2(password: string, { c, dklen, salt }: Pbkdf2Params): Promise<Uint8Array> {
  if (c > keystorePbkdf2RoundsMax) {
    throw new KeystoreError(
      'TOO_COSTLY',
      `keystore asks for ${c} PBKDF2 rounds, at most ${keystorePbkdf2RoundsMax} allowed`,
    )
  }
  return pbkdf2Async(utf8(password), bytesOf(salt), c, dklen, 'sha256')
}

function macOf(derived: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return keccak256(concatBytes(derived.subarray(16, 32), ciphertext))
}

function bytesOf(bare: string): Uint8Array {
  return fromHex(`0x${bare}`)
}

function bareHex(bytes: Uint8Array): string {
  return toHex(bytes).slice(2)
}

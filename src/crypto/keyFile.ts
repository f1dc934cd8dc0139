/** Private keys in files: plain hex (mode 0600) or keystore V3 with a password file. */
import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { toHex } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { keystoreBytesMax } from '../core/limits.js'
import { decryptKeystore } from './keystore.js'

/** A key file that cannot be used; the message says what to do and never holds key material. */
export class KeyFileError extends CodedError<'UNREADABLE' | 'TOO_OPEN' | 'MALFORMED' | 'PASSWORD_MISSING' | 'EXISTS'> {}

/** The 32-byte private key in `file`. Throws KeyFileError or KeystoreError. */
export async function readKeyFile(file: string, passwordFile?: string): Promise<Uint8Array> {
  const text = readSecret(file).trim()
  if (/^(0x)?[0-9a-fA-F]{64}$/.test(text)) {
    const hex = text.replace(/^0x/, '')
    return new Uint8Array(Buffer.from(hex, 'hex'))
  }
  if (!text.startsWith('{')) {
    throw new KeyFileError('MALFORMED', `${file} holds neither 64 hex digits nor a keystore V3 (JSON)`)
  }
  if (passwordFile === undefined) {
    throw new KeyFileError(
      'PASSWORD_MISSING',
      `${file} is an encrypted keystore; name the file with its password (passwordFile)`,
    )
  }
  return decryptKeystore(text, readSecret(passwordFile).replace(/\r?\n$/, ''))
}

/** Writes a plain hex key that only its owner can read, durably; refuses to replace a file. Throws KeyFileError. */
export function writeKeyFile(file: string, key: Uint8Array): void {
  try {
    const opened = openSync(file, 'wx', 0o600)
    try {
      writeFileSync(opened, `${toHex(key)}\n`)
      fsyncSync(opened)
    } finally {
      closeSync(opened)
    }
    syncFolder(dirname(file))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new KeyFileError('EXISTS', `${file} exists already; move it away first, keys are never overwritten`)
    }
    throw error
  }
}

/** The entry of a new file is durable with its folder. */
function syncFolder(dir: string): void {
  if (process.platform === 'win32') return
  const opened = openSync(dir, 'r')
  try {
    fsyncSync(opened)
  } finally {
    closeSync(opened)
  }
}

/** Text of a small file that only its owner can read. Throws KeyFileError. */
export function readSecret(file: string, bytesMax = keystoreBytesMax): string {
  let mode: number
  let text: string
  try {
    const info = statSync(file)
    mode = info.mode
    if (info.size > bytesMax)
      throw new KeyFileError('MALFORMED', `${file} has ${info.size} bytes; a key file has at most ${bytesMax}`)
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof KeyFileError) throw error
    throw new KeyFileError('UNREADABLE', `cannot read the key file ${file}: ${(error as Error).message}`)
  }
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new KeyFileError('TOO_OPEN', `${file} can be read by other users; protect it with: chmod 600 ${file}`)
  }
  return text
}

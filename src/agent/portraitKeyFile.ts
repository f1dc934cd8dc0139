/** The enterprise's own file of portrait keys: secret, one key for each portrait version, never overwritten in part. */
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { type Address, asAddress, asHash, fromHex, type Hash, toHex } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { portraitKeyFileBytesMax } from '../core/limits.js'
import { generatePortraitKey } from '../crypto/digest.js'
import type { PortraitKey, PortraitKeys } from './portraitKeys.js'

export class PortraitKeyFileError extends CodedError<
  'UNREADABLE' | 'MALFORMED' | 'OTHER_ENTERPRISE' | 'TOO_OPEN' | 'NO_SUCH_VERSION'
> {}

const fileSchema = z.strictObject({
  enterpriseId: z.string().regex(/^0x[0-9a-f]{64}$/),
  keys: z
    .array(
      z.strictObject({
        version: z.int().min(1).max(0xffffffff),
        key: z.string().regex(/^0x[0-9a-f]{64}$/),
        sharedWith: z.array(z.string().regex(/^0x[0-9a-f]{40}$/)).default([]),
      }),
    )
    .min(1),
})

type KeyFile = z.infer<typeof fileSchema>

/** The keys in a file; made with the first, mode 0600. Its methods throw PortraitKeyFileError. */
export const portraitKeysIn = (file: string): PortraitKeys => ({
  current: (enterpriseId, chainVersion) => portraitKeyOf(file, enterpriseId, chainVersion),
  newest: (enterpriseId) => readPortraitKey(file, enterpriseId),
  noteShared: (enterpriseId, version, recipients) => notePortraitKeyShared(file, enterpriseId, version, recipients),
})

/**
 * The newest key. When the file has none for `chainVersion`, the version that the chain knows (0: none), the next version is
 * started: a lost file costs the portrait, never its secrecy. Throws PortraitKeyFileError.
 */
export async function portraitKeyOf(file: string, enterpriseId: Hash, chainVersion: number): Promise<PortraitKey> {
  const found = await readKeys(file, enterpriseId)
  const newest = found?.keys.at(-1)
  if (newest && newest.version >= chainVersion) {
    return { version: newest.version, key: fromHex(newest.key), sharedWith: newest.sharedWith.map((a) => asAddress(a)) }
  }
  return addKey(file, enterpriseId, found, chainVersion + 1)
}

/** A key of a file that is there already, by default the newest. Throws PortraitKeyFileError. */
export async function readPortraitKey(
  file: string,
  enterpriseId: Hash,
  version?: number,
): Promise<Pick<PortraitKey, 'version' | 'key'>> {
  const found = await readKeys(file, enterpriseId)
  if (found === null) {
    throw new PortraitKeyFileError('UNREADABLE', `${file} is not there: name the enterprise's file of portrait keys`)
  }
  const wanted = version === undefined ? found.keys.at(-1) : found.keys.find((entry) => entry.version === version)
  if (wanted) return { version: wanted.version, key: fromHex(wanted.key) }
  const known = found.keys.map((entry) => entry.version).join(', ')
  throw new PortraitKeyFileError('NO_SUCH_VERSION', `${file} has no portrait version ${version}: it has ${known}`)
}

/** Notes who has the key of a version, so that it is shared once. */
export async function notePortraitKeyShared(
  file: string,
  enterpriseId: Hash,
  version: number,
  recipients: readonly Address[],
): Promise<void> {
  const found = await readKeys(file, enterpriseId)
  const keys = found?.keys.map((entry) => {
    return entry.version === version
      ? { ...entry, sharedWith: [...new Set([...entry.sharedWith, ...recipients])] }
      : entry
  })
  if (keys) await writeDurably(file, { enterpriseId, keys })
}

/** Starts the next portrait version: digests made before fit no longer. */
export async function rotatePortraitKey(file: string, enterpriseId: Hash): Promise<PortraitKey> {
  const found = await readKeys(file, enterpriseId)
  return addKey(file, enterpriseId, found, (found?.keys.at(-1)?.version ?? 0) + 1)
}

async function addKey(file: string, enterpriseId: Hash, found: KeyFile | null, version: number): Promise<PortraitKey> {
  const key = generatePortraitKey()
  const keys = [...(found?.keys ?? []), { version, key: toHex(key), sharedWith: [] }]
  await writeDurably(file, { enterpriseId, keys })
  return { version, key, sharedWith: [] }
}

async function readKeys(file: string, enterpriseId: Hash): Promise<KeyFile | null> {
  const text = await readSecret(file)
  if (text === null) return null
  const parsed = fileSchema.safeParse(parseJson(text))
  if (!parsed.success) {
    throw new PortraitKeyFileError('MALFORMED', `${file} is no portrait key file: restore it, or name another file`)
  }
  if (asHash(parsed.data.enterpriseId) !== enterpriseId) {
    throw new PortraitKeyFileError('OTHER_ENTERPRISE', `${file} belongs to another enterprise: name another file`)
  }
  const keys = parsed.data.keys.toSorted((a, b) => a.version - b.version)
  return { enterpriseId, keys }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function readSecret(file: string): Promise<string | null> {
  try {
    const handle = await open(file, 'r')
    try {
      const { size, mode } = await handle.stat()
      if (size > portraitKeyFileBytesMax) throw new PortraitKeyFileError('MALFORMED', `${file} is too large`)
      if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
        throw new PortraitKeyFileError('TOO_OPEN', `${file} can be read by other users: chmod 600 ${file}`)
      }
      return await readFile(handle, 'utf8')
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof PortraitKeyFileError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    throw new PortraitKeyFileError('UNREADABLE', `${file} cannot be read (${code ?? message})`)
  }
}

/** New file, synced, put in place of the old one: a crash leaves the old or the new keys. */
async function writeDurably(file: string, content: KeyFile): Promise<void> {
  const dir = path.dirname(file)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const draft = `${file}.${process.pid}.tmp`
  const handle = await open(draft, 'w', 0o600)
  try {
    await handle.writeFile(`${JSON.stringify(content, null, 2)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(draft, file)
  const folder = await open(dir, 'r')
  await folder.sync()
  await folder.close()
}

/** The enterprise's own file of portrait keys: secret, one key for each portrait version, never overwritten in part. */
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { asAddress, asHash, fromHex, type Hash } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { portraitKeyFileBytesMax } from '../core/limits.js'
import {
  type KeptPortraitKey,
  type PortraitKey,
  type PortraitKeyStore,
  type PortraitKeys,
  portraitKeysOver,
} from './portraitKeys.js'

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
  ...portraitKeysOver(storeIn(file)),
  newest: (enterpriseId) => readPortraitKey(file, enterpriseId),
})

const storeIn = (file: string): PortraitKeyStore => ({
  read: async (enterpriseId) => (await readKeys(file, enterpriseId))?.keys.map(asKept) ?? null,
  write: (enterpriseId, keys) => writeDurably(file, { enterpriseId, keys: keys.map(asWritten) }),
})

type WrittenKey = KeyFile['keys'][number]

const asKept = ({ version, key, sharedWith }: WrittenKey): KeptPortraitKey => ({
  version,
  key: asHash(key),
  sharedWith: sharedWith.map((account) => asAddress(account)),
})
const asWritten = ({ version, key, sharedWith }: KeptPortraitKey): WrittenKey => ({
  version,
  key,
  sharedWith: [...sharedWith],
})

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

/** Files of a declaration package in memory, from a folder or a .zip. Links are never followed. */
import { constants } from 'node:fs'
import { lstat, open, readdir } from 'node:fs/promises'
import path from 'node:path'
import { archiveEntriesMax, archiveUnpackedBytesMax, declarationPackageBytesMax } from '../../core/limits.js'
import { DeclarationError } from './declarationError.js'
import { checkPath, type Files, readZip, UniquePaths } from './zip.js'

/** What file managers leave behind; it belongs to nobody's declaration. */
const LITTER = /^(?:__MACOSX\/|(?:.*\/)?(?:\.DS_Store|Thumbs\.db|desktop\.ini)$)/

/** True for a folder and for a name that ends in .zip. */
export async function isPackage(source: string): Promise<boolean> {
  if (source.toLowerCase().endsWith('.zip')) return true
  return (await lstat(source).catch(() => undefined))?.isDirectory() ?? false
}

/** Throws DeclarationError. */
export async function readPackageFiles(source: string): Promise<Files> {
  const name = path.basename(path.resolve(source))
  const info = await attempt(source, () => lstat(source))
  const files = info.isDirectory()
    ? await readFolder(source, name)
    : readZip(await readBounded(source, declarationPackageBytesMax, source), name)
  return new Map([...files].filter(([file]) => !LITTER.test(file)))
}

async function readFolder(root: string, name: string): Promise<Files> {
  const files = new Map<string, Uint8Array>()
  const names = new UniquePaths(name)
  let total = 0
  const walk = async (folder: string): Promise<void> => {
    const entries = await attempt(folder || name, () => readdir(path.join(root, folder), { withFileTypes: true }))
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const own = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (LITTER.test(own) || LITTER.test(`${own}/`)) continue
      const file = checkPath(own, name)
      if (entry.isDirectory()) {
        await walk(own)
        continue
      }
      if (!entry.isFile()) {
        throw new DeclarationError('UNSAFE_PATH', 'is a link or a device: put the file itself there', {
          file: name,
          field: own,
        })
      }
      names.add(file)
      if (files.size >= archiveEntriesMax) throw tooLarge(name, `holds more than ${archiveEntriesMax} files`)
      const bytes = await readBounded(path.join(root, own), archiveUnpackedBytesMax - total, own)
      total += bytes.length
      files.set(file, bytes)
    }
  }
  await walk('')
  return files
}

/** A regular file of at most `bytesMax` bytes; `shown` stands in messages. Throws DeclarationError. */
export async function readBounded(file: string, bytesMax: number, shown: string): Promise<Uint8Array> {
  return attempt(shown, async () => {
    // Not blocking: a pipe in place of a file must not hold us.
    const handle = await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
    try {
      const info = await handle.stat()
      if (!info.isFile()) throw new DeclarationError('UNSAFE_PATH', 'is no regular file', { file: shown })
      if (info.size > bytesMax) throw tooLarge(shown, `is over ${bytesMax} bytes`)
      return new Uint8Array(await handle.readFile())
    } finally {
      await handle.close()
    }
  })
}

async function attempt<T>(file: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof DeclarationError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    const problem =
      code === 'ELOOP' ? 'is a link: put the file itself there' : `cannot be read (${code ?? message}): check the path`
    throw new DeclarationError(code === 'ELOOP' ? 'UNSAFE_PATH' : 'UNREADABLE', problem, { file })
  }
}

const tooLarge = (file: string, problem: string) => new DeclarationError('TOO_LARGE', problem, { file })

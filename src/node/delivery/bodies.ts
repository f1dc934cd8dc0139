/**
 * Envelopes as files, one each: a file can be overwritten and removed at once, where a log-structured database keeps deleted
 * bytes until it happens to rewrite them.
 */
import { mkdirSync } from 'node:fs'
import { type FileHandle, open, readdir, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'

export class Bodies {
  readonly #dir: string

  constructor(dir: string) {
    this.#dir = dir
    mkdirSync(dir, { recursive: true, mode: 0o700 })
  }

  names(): Promise<string[]> {
    return readdir(this.#dir)
  }

  /** Resolves when file and name are on disk. */
  async write(name: string, bytes: Uint8Array): Promise<void> {
    await using(await open(join(this.#dir, name), 'w', 0o600), async (file) => {
      await file.writeFile(bytes)
      await file.datasync()
    })
    await this.#syncNames()
  }

  /** Undefined when there is no such file. */
  async read(name: string): Promise<Uint8Array | undefined> {
    try {
      return new Uint8Array(await readFile(join(this.#dir, name)))
    } catch (error) {
      return absent(error)
    }
  }

  /** Overwrites, then removes; resolves when both are on disk. A file system or disk that copies on write may keep old blocks. */
  async erase(name: string): Promise<void> {
    const path = join(this.#dir, name)
    try {
      await using(await open(path, 'r+'), async (file) => {
        const { size } = await file.stat()
        await overwrite(file, size)
        await file.datasync()
      })
      await unlink(path)
    } catch (error) {
      return absent(error)
    }
    await this.#syncNames()
  }

  async #syncNames(): Promise<void> {
    await using(await open(this.#dir, 'r'), (folder) => folder.sync())
  }
}

/** A write may take a part only. */
async function overwrite(file: FileHandle, size: number): Promise<void> {
  for (let at = 0; at < size; ) at += (await file.write(new Uint8Array(size - at), 0, size - at, at)).bytesWritten
}

async function using<T>(handle: FileHandle, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  try {
    return await use(handle)
  } finally {
    await handle.close()
  }
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}

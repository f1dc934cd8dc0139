/** Faults of the disk for files that this process has open: what was written stays as a real disk would leave it. */
import { open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** `sync`: EIO. `write`: ENOSPC after half of it; the rest of the call is reported as not written first, as POSIX has it. */
export type Fault = 'sync' | 'write'

interface Handle {
  write(bytes: Uint8Array, at?: number, length?: number, position?: number | null): Promise<{ bytesWritten: number }>
  writeFile(bytes: Uint8Array): Promise<void>
  sync(): Promise<void>
  datasync(): Promise<void>
}

const fail = (code: 'EIO' | 'ENOSPC') =>
  Object.assign(new Error(`${code}: ${code === 'EIO' ? 'i/o error, fdatasync' : 'no space left on device, write'}`), {
    code,
  })

export class FaultyFiles {
  /** How many calls of the kind succeed before all of them fail. */
  #fault: { readonly kind: Fault; left: number } | undefined

  /** All FileHandles of the process, until the test ends. */
  static async install(t: Test): Promise<FaultyFiles> {
    const faults = new FaultyFiles()
    const path = join(tmpdir(), `concordat-handle-${process.pid}`)
    const handle = await open(path, 'w')
    const real = Object.getPrototypeOf(handle) as Handle
    await handle.close()
    await unlink(path)
    const { write, writeFile, sync, datasync } = real
    const synced = (call: () => Promise<void>) =>
      async function (this: Handle): Promise<void> {
        if (faults.#due('sync')) throw fail('EIO')
        await call.call(this)
      }
    real.sync = synced(sync)
    real.datasync = synced(datasync)
    real.write = async function (bytes, at = 0, length = bytes.length - at, position = null) {
      if (!faults.#due('write')) return write.call(this, bytes, at, length, position)
      if (length < 2) throw fail('ENOSPC')
      return write.call(this, bytes, at, length >> 1, position)
    }
    real.writeFile = async function (bytes) {
      if (!faults.#due('write')) return writeFile.call(this, bytes)
      await write.call(this, bytes, 0, bytes.length >> 1, null)
      throw fail('ENOSPC')
    }
    t.teardown(() => Object.assign(real, { write, writeFile, sync, datasync }))
    return faults
  }

  /** From now on; the first `after` calls succeed. */
  begin(kind: Fault, after = 0): void {
    this.#fault = { kind, left: after }
  }

  end(): void {
    this.#fault = undefined
  }

  #due(kind: Fault): boolean {
    if (this.#fault?.kind !== kind) return false
    return this.#fault.left-- <= 0
  }
}

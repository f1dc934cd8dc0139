/** Disks of a chosen size for tests, where the machine allows to mount them. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const run = (command: string, ...args: string[]): boolean => spawnSync(command, args, { stdio: 'ignore' }).status === 0

export class SmallDisk {
  #mounted = true

  private constructor(private readonly path: string) {}

  /** Puts the folder `path` on a disk of its own, with what is in it. */
  static mount(path: string, bytes: number): SmallDisk {
    mkdirSync(path, { recursive: true })
    carried(path, () => {
      if (!run('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path)) throw new Error(`cannot mount on ${path}`)
    })
    return new SmallDisk(path)
  }

  /** Puts what is on it back to where there is room. Once. */
  unmount(): void {
    if (!this.#mounted) return
    this.#mounted = false
    carried(this.path, () => run('umount', '-l', this.path))
  }
}

/** The content of a folder is the same after `change`. */
function carried(path: string, change: () => void): void {
  const aside = mkdtempSync(join(tmpdir(), 'concordat-aside-'))
  cpSync(path, aside, { recursive: true })
  change()
  cpSync(aside, path, { recursive: true })
  rmSync(aside, { recursive: true })
}

/** False where tests may not mount: the reason why a test is skipped. */
export function whyNoSmallDisk(): string | false {
  if (process.getuid?.() !== 0) return 'needs root to mount a small disk'
  const path = mkdtempSync(join(tmpdir(), 'concordat-mount-'))
  const mounted = run('mount', '-t', 'tmpfs', '-o', 'size=65536', 'tmpfs', path)
  if (mounted) run('umount', path)
  rmSync(path, { recursive: true, force: true })
  return mounted ? false : 'needs to be allowed to mount a small disk'
}

/** Disks of a chosen size for tests, where the machine allows to mount them. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRunning } from '../../src/cli/network/processes.js'

/** Says whose a disk is: that of a test which was killed is taken away by the next. */
const OWNER = 'concordat-test-'

const run = (command: string, ...args: string[]): boolean => spawnSync(command, args, { stdio: 'ignore' }).status === 0

export class SmallDisk {
  #mounted = true

  private constructor(private readonly path: string) {}

  /** Puts the folder `path` on a disk of its own, with what is in it. */
  static mount(path: string, bytes: number): SmallDisk {
    mkdirSync(path, { recursive: true })
    carried(path, () => {
      if (!mountSmall(path, bytes)) throw new Error(`cannot mount on ${path}`)
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

const mountSmall = (path: string, bytes: number): boolean =>
  run('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, `${OWNER}${process.pid}`, path)

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
  unmountOrphans()
  const path = mkdtempSync(join(tmpdir(), 'concordat-mount-'))
  const mounted = mountSmall(path, 65_536)
  if (mounted) run('umount', path)
  rmSync(path, { recursive: true, force: true })
  return mounted ? false : 'needs to be allowed to mount a small disk'
}

/** Takes away the disks of tests that were killed before they could. */
function unmountOrphans(): void {
  for (const { path, owner } of smallDisks()) if (!isRunning(owner)) run('umount', '-l', path)
}

/** All small disks of this machine, and the process of the test that mounted each. */
export function smallDisks(): { readonly path: string; readonly owner: number }[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([source]) => source!.startsWith(OWNER))
    .map(([source, path]) => ({ path: unescaped(path!), owner: Number(source!.slice(OWNER.length)) }))
}

/** Blanks and the like stand as octal numbers there, proc(5). */
const unescaped = (path: string): string =>
  path.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))

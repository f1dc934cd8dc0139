/** What the operating system and the log say of a node's process on this machine. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { isRunning } from '../network/processes.js'

export interface ProcessFacts {
  /** Null: `network up` has not started it, or `network down` stopped it. */
  readonly pid: number | null
  readonly running: boolean
  /** The last fault that the log tells; null when it tells none at its end. */
  readonly lastWords: string | null
}

const TAIL_BYTES = 64 * 1024
const WORDS_MAX = 300
/** pino's level of warnings' next: errors and what ends a node. */
const ERROR_LEVEL = 50

/** Whether the host of `url` is this machine: only then do process ids, files and ports here tell of the node. */
export function isOfThisMachine(url: string): boolean {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  if (host === 'localhost' || host === '0.0.0.0' || host === '::') return true
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host))
}

export function processFacts(pid: number | undefined, logFile: string): ProcessFacts {
  return { pid: pid ?? null, running: pid !== undefined && isRunning(pid), lastWords: lastWords(logFile) }
}

/** The last line of the log that tells of an error, if no start follows it. */
function lastWords(file: string): string | null {
  const lines = tail(file).split('\n')
  for (const line of lines.reverse()) {
    const said = wordsOf(line)
    if (said === 'up') return null
    if (said !== undefined) return said.slice(0, WORDS_MAX)
  }
  return null
}

/** 'up' for the line of a start; undefined for lines that tell of no fault. */
function wordsOf(line: string): string | undefined {
  if (line.startsWith('concordat: ')) return line.slice('concordat: '.length)
  try {
    const { level, msg, reason, err } = JSON.parse(line) as LogLine
    if (msg === 'node is up') return 'up'
    if (typeof level !== 'number' || level < ERROR_LEVEL) return undefined
    return [msg, reason, err?.message].filter((part) => part !== undefined).join(': ')
  } catch {
    return undefined
  }
}

interface LogLine {
  readonly level?: number
  readonly msg?: string
  readonly reason?: string
  readonly err?: { readonly message?: string }
}

/** The end of a text file; '' when it cannot be read. */
function tail(file: string): string {
  try {
    const fd = openSync(file, 'r')
    try {
      const { size } = fstatSync(fd)
      const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES))
      readSync(fd, bytes, 0, bytes.length, size - bytes.length)
      return bytes.toString('utf8')
    } finally {
      closeSync(fd)
    }
  } catch {
    return ''
  }
}

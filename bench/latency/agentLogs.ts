/** What the supervisors' agents say of each question in their logs. */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** One supervisor's part in answering a request. */
export interface SupervisorTimes {
  /** Opening the envelope, look-ups. */
  readonly localMs: number
  /** From handing the answers to the node until they were final. */
  readonly attestMs: number
  /** When they were final; milliseconds since 1970. */
  readonly finalAt: number
}

/** How long lines that are still to come are waited for. */
const LATE_MS = 5_000
const POLL_MS = 200

interface Draft {
  localMs?: number
  attestMs?: number
  finalAt?: number
}

/** Reads what is appended to these files, by supervisor, from the moment it is made. */
export class AgentLogs {
  readonly #files: readonly { readonly supervisor: string; readonly file: string; readonly from: number }[]

  constructor(
    files: ReadonlyMap<string, string>,
    private readonly waitMs = LATE_MS,
  ) {
    this.#files = [...files].map(([supervisor, file]) => {
      return { supervisor, file, from: existsSync(file) ? statSync(file).size : 0 }
    })
  }

  /**
   * For each request with the supervisors that it asked: the one whose answers were final last. Waits a little for lines that
   * are still to come; undefined when some are missing for good.
   */
  async slowest(
    asked: ReadonlyMap<string, readonly string[]>,
  ): Promise<ReadonlyMap<string, SupervisorTimes> | undefined> {
    const deadline = performance.now() + this.waitMs
    for (;;) {
      const found = this.#read(asked)
      if (found.size === asked.size) return found
      if (performance.now() > deadline) return undefined
      await pause(POLL_MS)
    }
  }

  #read(asked: ReadonlyMap<string, readonly string[]>): Map<string, SupervisorTimes> {
    const logs = new Map(this.#files.map(({ supervisor, file, from }) => [supervisor, timesOf(readFrom(file, from))]))
    const slowest = new Map<string, SupervisorTimes>()
    for (const [request, supervisors] of asked) {
      const all = supervisors.map((supervisor) => logs.get(supervisor)?.get(request))
      const whole = all.filter((one) => one !== undefined)
      if (whole.length !== all.length || whole.length === 0) continue
      slowest.set(
        request,
        whole.reduce((a, b) => (b.finalAt > a.finalAt ? b : a)),
      )
    }
    return slowest
  }
}

function timesOf(text: string): Map<string, SupervisorTimes> {
  const drafts = new Map<string, Draft>()
  const draft = (request: string): Draft => {
    const kept = drafts.get(request) ?? {}
    drafts.set(request, kept)
    return kept
  }
  for (const line of text.split('\n')) {
    const entry = parsed(line)
    if (entry.msg === 'question answered') draft(String(entry.request)).localMs = Number(entry.ms)
    if (entry.msg !== 'messages are final' || !Array.isArray(entry.requests)) continue
    for (const request of entry.requests) {
      // Several transactions may carry the answers to one request: the last one counts.
      Object.assign(draft(String(request)), { attestMs: Number(entry.ms), finalAt: Number(entry.time) })
    }
  }
  return new Map([...drafts].filter((one): one is [string, SupervisorTimes] => isWhole(one[1])))
}

const isWhole = ({ localMs, attestMs }: Draft): boolean => localMs !== undefined && attestMs !== undefined

function parsed(line: string): Readonly<Record<string, unknown>> {
  if (!line.startsWith('{')) return {}
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    // Half a line: it is being written.
    return {}
  }
}

function readFrom(file: string, from: number): string {
  if (!existsSync(file)) return ''
  const descriptor = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(Math.max(0, statSync(file).size - from))
    const read = readSync(descriptor, bytes, 0, bytes.length, from)
    return bytes.toString('utf8', 0, read)
  } finally {
    closeSync(descriptor)
  }
}

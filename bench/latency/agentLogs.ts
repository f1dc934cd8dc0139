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

const LATE_MS = 3_000
const POLL_MS = 50

interface Draft {
  localMs?: number
  attestMs?: number
  finalAt?: number
}

/** Reads what is appended to these files from the moment it is made. */
export class AgentLogs {
  readonly #from: ReadonlyMap<string, number>

  constructor(files: readonly string[]) {
    this.#from = new Map(files.map((file) => [file, existsSync(file) ? statSync(file).size : 0]))
  }

  /**
   * By request: the supervisor whose answers were final last. Waits a little for lines that are still to come; a request that
   * some log says nothing of is left out.
   */
  async slowest(requests: readonly string[]): Promise<Map<string, SupervisorTimes>> {
    const deadline = performance.now() + LATE_MS
    for (;;) {
      const found = this.#read()
      if (requests.every((request) => found.has(request)) || performance.now() > deadline) return found
      await pause(POLL_MS)
    }
  }

  #read(): Map<string, SupervisorTimes> {
    const logs = [...this.#from].map(([file, from]) => timesOf(readFrom(file, from)))
    const slowest = new Map<string, SupervisorTimes>()
    for (const request of logs[0]?.keys() ?? []) {
      const all = logs.map((log) => log.get(request)).filter((one) => one !== undefined)
      if (all.length === logs.length)
        slowest.set(
          request,
          all.reduce((a, b) => (b.finalAt > a.finalAt ? b : a)),
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

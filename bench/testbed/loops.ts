/**
 * Drivers of load. In an open loop operations are due at fixed instants, whatever became of those before, and a time counts
 * from the instant at which the operation was due: when the system stands still, all that fell due meanwhile have waited
 * (no coordinated omission). In a closed loop each client waits for its operation before it begins the next.
 */
import { setTimeout as delay } from 'node:timers/promises'

/** Time in ms from any origin. */
export interface LoopClock {
  now(): number
  /** Resolves at `instant` or later; rejects when `signal` is aborted. */
  sleepUntil(instant: number, signal: AbortSignal): Promise<void>
}

export const systemClock: LoopClock = {
  now: () => performance.now(),
  sleepUntil: (instant, signal) => delay(Math.max(1, instant - performance.now()), undefined, { signal }),
}

/** Instants of one operation, in ms by the clock of the loop. */
export interface Timed {
  readonly dueAt: number
  /** Later than due when the driver was late: its own fault, but part of the time all the same. */
  readonly startedAt: number
  readonly endedAt: number
}

export interface Load {
  /** Begins operation `index` at once; resolves with the instant at which it was done. */
  readonly operate: (index: number) => Promise<number>
  /** Ends the loop: it rejects with the reason of the signal, and what is under way is left alone. */
  readonly signal: AbortSignal
  readonly clock?: LoopClock
}

/** `count` operations, one every 1 / `perSecond` s; resolves when all are done, in the order in which they were due. */
export async function openLoop(load: Load & { perSecond: number; count: number }): Promise<Timed[]> {
  const { operate, signal, clock = systemClock, perSecond, count } = load
  const startedAt = clock.now()
  const dueOf = (index: number) => startedAt + (index * 1_000) / perSecond
  const running: Promise<Timed>[] = []
  while (running.length < count) {
    const next = dueOf(running.length)
    if (next > clock.now()) await abortable(clock.sleepUntil(next, signal), signal)
    signal.throwIfAborted()
    const now = clock.now()
    for (let index = running.length; index < count && dueOf(index) <= now; index++) {
      const timed = timedOf(operate(index), dueOf(index), now)
      // It is awaited below, perhaps long after it failed.
      timed.catch(() => {})
      running.push(timed)
    }
  }
  return abortable(Promise.all(running), signal)
}

export interface ClosedLoad extends Load {
  /** Operations under way at a time. */
  readonly clients: number
  /** Nothing is begun afterwards. Default: no limit. */
  readonly seconds?: number
  /** Goes on beyond `seconds` until operations have ended at so many instants, as blocks of a slow network do. Default 0. */
  readonly endsMin?: number
  /** Operations at most. Default: no limit. */
  readonly count?: number
}

/** Resolves when the last operations are done, in the order of their ends. Needs `seconds` or `count`. */
export async function closedLoop(load: ClosedLoad): Promise<Timed[]> {
  const { operate, signal, clock = systemClock, clients, endsMin = 0 } = load
  const { seconds = Number.POSITIVE_INFINITY, count = Number.POSITIVE_INFINITY } = load
  const endAt = clock.now() + 1_000 * seconds
  const done: Timed[] = []
  const ends = new Set<number>()
  let next = 0
  let ended = false
  const goesOn = (now: number) => !ended && next < count && (now < endAt || ends.size < endsMin)
  const client = async () => {
    for (let now = clock.now(); goesOn(now); now = clock.now()) {
      const timed = await timedOf(operate(next++), now, now)
      done.push(timed)
      if (ends.size < endsMin) ends.add(timed.endedAt)
    }
  }
  try {
    await abortable(Promise.all(Array.from({ length: clients }, client)), signal)
  } finally {
    ended = true
  }
  return done.sort((a, b) => a.endedAt - b.endedAt)
}

/** Times in ms from due to done. */
export const timesOf = (operations: readonly Timed[]): number[] => operations.map((one) => one.endedAt - one.dueAt)

/**
 * Operations done in a second, from the first end to the last: what ended with the first was begun before, and does not count.
 * NaN when all ended at the same instant.
 */
export function rateOf(operations: readonly Timed[]): number {
  const ends = operations.map(({ endedAt }) => endedAt).sort((a, b) => a - b)
  const first = ends[0] ?? Number.NaN
  const later = ends.filter((end) => end > first).length
  return (1_000 * later) / (ends.at(-1)! - first)
}

async function timedOf(operation: Promise<number>, dueAt: number, startedAt: number): Promise<Timed> {
  return { dueAt, startedAt, endedAt: await operation }
}

/** `work`, or the reason of `signal` when that comes first. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/**
 * The event loop belongs to consensus: whatever requests there are, their work together gets one slice of each turn of it.
 * What does not fit waits for a later turn. Connections that used little lately go first; while transactions wait for their block,
 * those that used much have a share of the time among them, so that the processor is free for votes.
 */
import type { Line } from './line.js'

/** RPC work of one turn of the event loop; one step of a job may overrun it. */
const SLICE_MS = 5
/** While consensus has work: of the time so much is for connections that used much, all together, */
const HEAVY_SHARE = 0.1
/** of which they may save up so much, */
const HEAVY_MS_MAX = 25
/** and without savings each works so long at once. */
const BUSY_SLICE_MS = 2
/** The next transaction is often near: consensus counts as busy for so long after its work. */
const BUSY_MS = 50

/** Hands out the slices of turns. The event loop is one for the process, and so is this. */
export class Turns {
  /** Lines whose first waiter may go on, in the order of their turns. */
  readonly #light = new Set<Line>()
  readonly #heavy = new Set<Line>()
  readonly #watched = new Set<() => boolean>()
  /** Whose step runs, and since when. */
  #running: Line | undefined
  #stepMs = 0
  /** A slice is open until the loop has come round. */
  #isOpen = false
  #sliceMs = 0
  /** Work in it. */
  #usedMs = 0
  /** Until then nothing goes on, and nothing of lines that used much. */
  #restMs = 0
  #heavyRestMs = 0
  /** What lines that used much have left of their share, and when that was so. */
  #savedMs = HEAVY_MS_MAX
  #savedAtMs = 0
  #timer: NodeJS.Timeout | undefined
  /** When consensus was last seen with work. */
  #workMs = Number.NEGATIVE_INFINITY

  /** `now`: milliseconds, never backwards. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Lines that wait for their turn. */
  get waiting(): number {
    return this.#light.size + this.#heavy.size
  }

  /** `hasWork`: whether consensus has some; cheap. Returns how to call it off. */
  watch(hasWork: () => boolean): () => void {
    this.#watched.add(hasWork)
    return () => this.#watched.delete(hasWork)
  }

  /** A promise when a new request has to wait. undefined: it runs at once, and `leave` has to follow in the same task. */
  enter(line: Line): Promise<void> | undefined {
    const nowMs = this.now()
    if (!this.#hasRoom(line, nowMs)) return this.#wait(line)
    this.#begin(line, nowMs)
    return undefined
  }

  /** The request is answered, or goes on in microtasks. */
  leave(isAnswered: boolean): void {
    if (isAnswered) this.#end()
    else queueMicrotask(() => process.nextTick(() => this.#end()))
  }

  /** So much of the running step is not held against its connection. */
  excuse(ms: number): void {
    this.#stepMs += ms
  }

  /** A promise when a job has to leave the rest of this turn to others. */
  pause(line: Line): Promise<void> | undefined {
    if (this.#running === undefined) {
      // It has waited for something else than its turn.
      const wait = this.enter(line)
      if (!wait) this.leave(false)
      return wait
    }
    const nowMs = this.now()
    const mayGoOn = this.#running === line && !line.isClogged && !this.#isUsed(nowMs) && !this.#shouldRest(line, nowMs)
    return mayGoOn ? undefined : this.#wait(line)
  }

  #hasRoom(line: Line, nowMs: number): boolean {
    if (this.#running || line.isClogged || this.#isUsed(nowMs) || nowMs < this.#restMs) return false
    if (this.#light.size > 0) return false
    return !line.isHeavy(nowMs) || (this.#heavy.size === 0 && nowMs >= this.#heavyRestMs)
  }

  #isUsed(nowMs: number): boolean {
    return this.#isOpen && nowMs - this.#sliceMs >= SLICE_MS
  }

  #shouldRest(line: Line, nowMs: number): boolean {
    const ms = nowMs - this.#stepMs
    return ms >= Math.max(BUSY_SLICE_MS, this.#saved(nowMs)) && line.isHeavy(nowMs) && this.#isBusy(nowMs)
  }

  #isBusy(nowMs: number): boolean {
    for (const hasWork of this.#watched) if (hasWork()) this.#workMs = nowMs
    return nowMs - this.#workMs < BUSY_MS
  }

  #wait(line: Line): Promise<void> {
    return new Promise((go, drop) => {
      line.waiting.push({ go, drop })
      line.onReady ??= () => this.#queue(line)
      if (!line.isClogged) this.#queue(line)
    })
  }

  #queue(line: Line): void {
    const nowMs = this.now()
    if (!this.#light.has(line) && !this.#heavy.has(line)) {
      const queue = line.isHeavy(nowMs) ? this.#heavy : this.#light
      queue.add(line)
    }
    this.#open(nowMs)
  }

  #open(nowMs: number): void {
    if (this.#isOpen) return
    this.#isOpen = true
    this.#sliceMs = nowMs
    this.#usedMs = 0
    setImmediate(this.#next)
  }

  readonly #next = (): void => {
    this.#isOpen = false
    const nowMs = this.now()
    if (this.#usedMs >= SLICE_MS && this.#isBusy(nowMs)) this.#restMs = nowMs + SLICE_MS
    if (this.waiting === 0) return
    const fromMs = this.#light.size > 0 ? this.#restMs : Math.max(this.#restMs, this.#heavyRestMs)
    if (nowMs >= fromMs) {
      this.#open(nowMs)
      this.#release()
      return
    }
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#rested, Math.ceil(fromMs - nowMs))
  }

  readonly #rested = (): void => this.#open(this.now())

  /** Lets one after the other run, each until it is done or waits again. */
  #release(): void {
    const nowMs = this.now()
    const line = this.#isUsed(nowMs) ? undefined : this.#pick(nowMs)
    if (line === undefined) return
    const { go } = line.waiting.shift()!
    if (line.waiting.length > 0) this.#queue(line)
    this.#begin(line, nowMs)
    go()
    // The queue of microtasks is empty again before the next one is let in.
    queueMicrotask(() => process.nextTick(this.#released))
  }

  readonly #released = (): void => {
    this.#end()
    this.#release()
  }

  /** Takes the next line out of its queue. */
  #pick(nowMs: number): Line | undefined {
    // Those that used little may take half of a slice before others go on: short answers stay short beside long searches.
    const isLightFirst = nowMs - this.#sliceMs < SLICE_MS / 2
    const heavy = nowMs >= this.#heavyRestMs ? [this.#heavy] : []
    for (const queue of isLightFirst ? [this.#light, ...heavy] : [...heavy, this.#light]) {
      for (const line of queue) {
        queue.delete(line)
        // It may have ended, or have been answered and not have read, meanwhile.
        if (line.waiting.length > 0 && !line.isClogged) return line
      }
    }
    return undefined
  }

  #begin(line: Line, nowMs: number): void {
    this.#open(nowMs)
    this.#running = line
    this.#stepMs = nowMs
  }

  #end(): void {
    const line = this.#running
    if (line === undefined) return
    this.#running = undefined
    const nowMs = this.now()
    const ms = nowMs - this.#stepMs
    this.#usedMs += ms
    line.use(ms, nowMs)
    if (line.isHeavy(nowMs) && this.#isBusy(nowMs)) this.#spend(ms, nowMs)
  }

  #saved(nowMs: number): number {
    return Math.min(HEAVY_MS_MAX, this.#savedMs + (nowMs - this.#savedAtMs) * HEAVY_SHARE)
  }

  #spend(ms: number, nowMs: number): void {
    this.#savedMs = this.#saved(nowMs) - ms
    this.#savedAtMs = nowMs
    if (this.#savedMs < 0) this.#heavyRestMs = nowMs - this.#savedMs / HEAVY_SHARE
  }
}

export const turns = new Turns()

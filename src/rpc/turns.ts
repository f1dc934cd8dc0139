/**
 * The event loop belongs to consensus: whatever requests there are, their work together gets one slice of each turn of it.
 * What does not fit waits for a later turn. Connections that used little lately go first; while transactions wait for their block,
 * those that used much have a share of the time among them, so that the processor is free for votes.
 */
import { clientGone, type Kind, type Lane, type Line } from './line.js'
import { Share } from './share.js'

/** RPC work of one turn of the event loop; one step of a job may overrun it. */
const SLICE_MS = 5
/** While consensus has work, a long job of a connection that used much works so long at once. */
const BUSY_SLICE_MS = 2
/** While consensus has work: shares of the time for connections that used much, and what these may save up, in ms. */
export const SHORT_SHARE = 0.3
export const LONG_SHARE = 0.06
/** Who follows a busy chain reads a large block at once, and not often. */
export const SHORT_SAVED_MS = 50
export const LONG_SAVED_MS = 10
/** The next transaction is often near: consensus counts as busy for so long after its work. */
const BUSY_MS = 50

/** Hands out the slices of turns. The event loop is one for the process, and so is this. */
export class Turns {
  /** Lanes whose first waiter may go on, in the order of their turns. */
  readonly #light = new Set<Lane>()
  readonly #heavy: Readonly<Record<Kind, Set<Lane>>> = { short: new Set(), long: new Set() }
  /** What heavy lanes have. */
  readonly #shares: Readonly<Record<Kind, Share>> = {
    short: new Share(SHORT_SHARE, SHORT_SAVED_MS),
    long: new Share(LONG_SHARE, LONG_SAVED_MS),
  }
  readonly #watched = new Set<() => boolean>()
  /** Whose step runs, and since when. */
  #running: Lane | undefined
  #stepMs = 0
  /** A slice is open until the loop has come round. */
  #isOpen = false
  #sliceMs = 0
  /** Work in it. */
  #usedMs = 0
  /** Until then nothing goes on. */
  #restMs = 0
  #timer: NodeJS.Timeout | undefined
  /** When consensus was last seen with work. */
  #workMs = Number.NEGATIVE_INFINITY

  /** `now`: milliseconds, never backwards. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Lanes that wait for their turn. */
  get waiting(): number {
    return this.#light.size + this.#heavy.short.size + this.#heavy.long.size
  }

  /** `hasWork`: whether consensus has some; cheap. Returns how to call it off. */
  watch(hasWork: () => boolean): () => void {
    this.#watched.add(hasWork)
    return () => this.#watched.delete(hasWork)
  }

  /** A promise when a new request has to wait. undefined: it runs at once, and `leave` has to follow in the same task. */
  enter(line: Line): Promise<void> | undefined {
    return this.#enter(line.short)
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
      const wait = this.#enter(line.long)
      if (!wait) this.leave(false)
      return wait
    }
    const nowMs = this.now()
    const mayGoOn =
      this.#running.line === line && !line.isClogged && !this.#isUsed(nowMs) && !this.#shouldRest(line, nowMs)
    return mayGoOn ? undefined : this.#wait(line.long)
  }

  #enter(lane: Lane): Promise<void> | undefined {
    const nowMs = this.now()
    if (!this.#hasRoom(lane, nowMs)) return this.#wait(lane)
    this.#begin(lane, nowMs)
    return undefined
  }

  #hasRoom(lane: Lane, nowMs: number): boolean {
    if (this.#running || lane.line.isClogged || this.#isUsed(nowMs) || nowMs < this.#restMs) return false
    if (this.#light.size > 0) return false
    return !lane.isHeavy(nowMs) || (this.#heavy[lane.kind].size === 0 && nowMs >= this.#shares[lane.kind].restMs)
  }

  #isUsed(nowMs: number): boolean {
    return this.#isOpen && nowMs - this.#sliceMs >= SLICE_MS
  }

  #shouldRest({ long }: Line, nowMs: number): boolean {
    const msMax = Math.max(BUSY_SLICE_MS, this.#shares.long.saved(nowMs))
    return nowMs - this.#stepMs >= msMax && long.isHeavy(nowMs) && this.#isBusy(nowMs)
  }

  #isBusy(nowMs: number): boolean {
    for (const hasWork of this.#watched) if (hasWork()) this.#workMs = nowMs
    return nowMs - this.#workMs < BUSY_MS
  }

  #wait(lane: Lane): Promise<void> {
    const { line } = lane
    // Nobody would wake or drop it.
    if (line.isClosed) return Promise.reject(clientGone())
    return new Promise((go, drop) => {
      // A job goes on before others of its connection: answers come one by one, and whoever does not read them stops the rest.
      if (lane === this.#running) lane.waiting.unshift({ go, drop })
      else lane.waiting.push({ go, drop })
      line.onReady ??= (ready) => this.#queue(ready)
      if (!line.isClogged) this.#queue(lane)
    })
  }

  #queue(lane: Lane): void {
    const nowMs = this.now()
    const heavy = this.#heavy[lane.kind]
    if (!this.#light.has(lane) && !heavy.has(lane)) {
      const queue = lane.isHeavy(nowMs) ? heavy : this.#light
      queue.add(lane)
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
    const fromMs = Math.max(this.#restMs, this.#light.size > 0 ? 0 : this.#heavyFromMs())
    if (nowMs >= fromMs) {
      this.#open(nowMs)
      this.#release()
      return
    }
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#rested, Math.ceil(fromMs - nowMs))
  }

  readonly #rested = (): void => this.#open(this.now())

  /** When the first of the heavy lanes that wait may go on. */
  #heavyFromMs(): number {
    const { short, long } = this.#heavy
    const shortMs = short.size > 0 ? this.#shares.short.restMs : Number.POSITIVE_INFINITY
    return long.size > 0 ? Math.min(shortMs, this.#shares.long.restMs) : shortMs
  }

  /** Lets one after the other run, each until it is done or waits again. */
  #release(): void {
    const nowMs = this.now()
    const lane = this.#isUsed(nowMs) ? undefined : this.#pick(nowMs)
    if (lane === undefined) return
    const { go } = lane.waiting.shift()!
    if (lane.waiting.length > 0) this.#queue(lane)
    this.#begin(lane, nowMs)
    go()
    // The queue of microtasks is empty again before the next one is let in.
    queueMicrotask(() => process.nextTick(this.#released))
  }

  readonly #released = (): void => {
    this.#end()
    this.#release()
  }

  /** Takes the next lane out of its queue. */
  #pick(nowMs: number): Lane | undefined {
    const heavy = (['short', 'long'] as const).filter((kind) => nowMs >= this.#shares[kind].restMs)
    const queues = [this.#light, ...heavy.map((kind) => this.#heavy[kind])]
    // Those that used little may take half of a slice before others go on: short answers stay short beside long searches.
    if (nowMs - this.#sliceMs >= SLICE_MS / 2) queues.reverse()
    for (const queue of queues) {
      for (const lane of queue) {
        queue.delete(lane)
        // It may have ended, or have been answered and not have read, meanwhile.
        if (lane.waiting.length > 0 && !lane.line.isClogged) return lane
      }
    }
    return undefined
  }

  #begin(lane: Lane, nowMs: number): void {
    this.#open(nowMs)
    this.#running = lane
    this.#stepMs = nowMs
  }

  #end(): void {
    const lane = this.#running
    if (lane === undefined) return
    this.#running = undefined
    const nowMs = this.now()
    const ms = nowMs - this.#stepMs
    this.#usedMs += ms
    lane.use(ms, nowMs)
    if (lane.isHeavy(nowMs) && this.#isBusy(nowMs)) this.#shares[lane.kind].spend(ms, nowMs)
  }
}

export const turns = new Turns()

/** One connection among all: what it has not read yet, and its work in two lanes, short requests and long jobs. */
import { RPC_CODES, RpcError } from './errors.js'

/** Who used less than this lately in a lane is served first. */
const LIGHT_MS = 10
/** What was used counts half after this. */
const HALF_LIFE_MS = 1_000
/** A client that has not read so much is asked to read before it is answered more. */
const UNREAD_BYTES_MAX = 1024 * 1024

export const clientGone = (): RpcError => new RpcError(RPC_CODES.timeout, 'the connection has ended')

/** Work that waits for its turn. */
interface Waiting {
  go(): void
  drop(reason: RpcError): void
}

/** `short`: a request until it pauses or is answered. `long`: jobs after their first pause. */
export type Kind = 'short' | 'long'

/** Work of one kind of one connection. */
export class Lane {
  /** First come, first served; a job that has begun goes on first. */
  readonly waiting: Waiting[] = []
  #usedMs = 0
  #atMs = 0

  constructor(
    readonly line: Line,
    readonly kind: Kind,
    private readonly lightMs: number,
  ) {}

  /** Whether it used much lately. */
  isHeavy(nowMs: number): boolean {
    return this.#decayed(nowMs) >= this.lightMs
  }

  use(ms: number, nowMs: number): void {
    this.#usedMs = this.#decayed(nowMs) + ms
    this.#atMs = nowMs
  }

  #decayed(nowMs: number): number {
    return this.#usedMs * 2 ** ((this.#atMs - nowMs) / HALF_LIFE_MS)
  }
}

export class Line {
  readonly short: Lane
  readonly long: Lane
  /** Called with a lane whose work may go on again. */
  onReady: ((lane: Lane) => void) | undefined
  #isClosed = false
  #unreadBytes = 0

  /** `lightMs`: who used as much lately is heavy. */
  constructor(lightMs = LIGHT_MS) {
    this.short = new Lane(this, 'short', lightMs)
    this.long = new Lane(this, 'long', lightMs)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get unreadBytes(): number {
    return this.#unreadBytes
  }

  /** Nothing more is done for it until it has read. */
  get isClogged(): boolean {
    return this.#unreadBytes > UNREAD_BYTES_MAX
  }

  sent(bytes: number): void {
    this.#unreadBytes += bytes
  }

  read(bytes: number): void {
    const wasClogged = this.isClogged
    this.#unreadBytes -= bytes
    if (!wasClogged || this.isClogged) return
    for (const lane of [this.short, this.long]) if (lane.waiting.length > 0) this.onReady?.(lane)
  }

  /** Nobody hears the answers any more: what waits is dropped, what runs stops at its next pause. */
  close(): void {
    this.#isClosed = true
    for (const lane of [this.short, this.long]) for (const { drop } of lane.waiting.splice(0)) drop(clientGone())
  }
}

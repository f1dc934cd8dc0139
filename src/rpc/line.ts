/** One connection among all: what it has used, what it has not read yet, and which of its requests wait. */
import { RPC_CODES, RpcError } from './errors.js'

/** Who used less than this lately is served first, and does not rest. */
const LIGHT_MS = 10
/** What was used counts half after this. */
const HALF_LIFE_MS = 1_000
/** A client that has not read so much is asked to read before it is answered more. */
const UNREAD_BYTES_MAX = 1024 * 1024

/** Work that waits for its turn. */
interface Waiting {
  go(): void
  drop(reason: RpcError): void
}

export const clientGone = (): RpcError => new RpcError(RPC_CODES.timeout, 'the connection has ended')

export class Line {
  /** First come, first served. */
  readonly waiting: Waiting[] = []
  /** Called when what waits may go on again. */
  onReady: (() => void) | undefined
  #isClosed = false
  #unreadBytes = 0
  #usedMs = 0
  #atMs = 0

  /** `lightMs`: who used as much lately is heavy. */
  constructor(private readonly lightMs = LIGHT_MS) {}

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

  /** Whether it used much lately. */
  isHeavy(nowMs: number): boolean {
    return this.#decayed(nowMs) >= this.lightMs
  }

  use(ms: number, nowMs: number): void {
    this.#usedMs = this.#decayed(nowMs) + ms
    this.#atMs = nowMs
  }

  sent(bytes: number): void {
    this.#unreadBytes += bytes
  }

  read(bytes: number): void {
    const wasClogged = this.isClogged
    this.#unreadBytes -= bytes
    if (wasClogged && !this.isClogged && this.waiting.length > 0) this.onReady?.()
  }

  /** Nobody hears the answers any more: what waits is dropped, what runs stops at its next pause. */
  close(): void {
    this.#isClosed = true
    for (const { drop } of this.waiting.splice(0)) drop(clientGone())
  }

  #decayed(nowMs: number): number {
    return this.#usedMs * 2 ** ((this.#atMs - nowMs) / HALF_LIFE_MS)
  }
}

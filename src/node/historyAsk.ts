/** One question at a time to one peer after the other; those who have nothing, or lie, are left alone for a while. */
import type { Address } from '../core/bytes.js'
import { HISTORY_RETRY_MS, SYNC_TIMEOUT_MS } from './limits.js'
import type { Pace } from './pace.js'
import type { ReceiptsRequest } from './receiptsMessages.js'
import type { SyncAnswer } from './sync.js'
import { encodeSyncMessage, type RangeRequest } from './syncMessages.js'

/** Questions of range sync count from 1: these never meet them. */
const FIRST_ID = 2 ** 40

export interface HistoryPeers {
  readonly connected: () => readonly Address[]
  /** False when the peer's queue does not take it. */
  readonly send: (peer: Address, frame: Uint8Array) => boolean
  readonly now: () => number
  readonly timeoutMs?: number
  readonly retryMs?: number
}

export interface Answered<T> {
  readonly from: Address
  readonly answer: T
}

export class HistoryAsk {
  readonly #peers: HistoryPeers
  readonly #pace: Pace
  /** Until when a peer is not asked. */
  readonly #aside = new Map<Address, number>()
  #lastId = FIRST_ID
  #asked: { readonly id: number; readonly peer: Address; answer?: SyncAnswer } | undefined

  constructor(peers: HistoryPeers, pace: Pace) {
    this.#peers = peers
    this.#pace = pace
  }

  /** Whether there is anyone to ask. */
  get hasPeers(): boolean {
    return this.#candidates().length > 0
  }

  range(question: Pick<RangeRequest, 'from' | 'to'>, peer?: Address) {
    return this.#ask((id) => ({ type: 'request', id, ...question }), 'response', peer)
  }

  receipts(question: Pick<ReceiptsRequest, 'from' | 'to' | 'index'>, peer?: Address) {
    return this.#ask((id) => ({ type: 'receipts', id, ...question }), 'receiptsResponse', peer)
  }

  /** Leaves a peer alone for a while. */
  setAside(peer: Address): void {
    this.#aside.set(peer, this.#peers.now() + (this.#peers.retryMs ?? HISTORY_RETRY_MS))
  }

  /** Whoever is not there is not set aside either. */
  forget(peer: Address): void {
    this.#aside.delete(peer)
    if (this.#asked?.peer === peer) this.#pace.wake()
  }

  /** Takes an answer to the question under way; others are passed over. */
  take(from: Address, answer: SyncAnswer): void {
    if (this.#asked?.id !== answer.id || this.#asked.peer !== from) return
    this.#asked.answer = answer
    this.#pace.wake()
  }

  /** Waits until somebody may be asked again. */
  rest(): Promise<void> {
    return this.#pace.sleep(this.#peers.retryMs ?? HISTORY_RETRY_MS)
  }

  /** Asks `peer`, or the next one. Undefined when there is nobody, no answer in time, or one of another kind or version. */
  async #ask<T extends SyncAnswer['type']>(
    question: (id: number) => RangeRequest | ReceiptsRequest,
    kind: T,
    wanted?: Address,
  ): Promise<Answered<Extract<SyncAnswer, { type: T }>> | undefined> {
    const candidates = this.#candidates()
    const id = ++this.#lastId
    const peer = wanted !== undefined && candidates.includes(wanted) ? wanted : candidates[id % candidates.length]
    if (peer === undefined) return undefined
    this.#asked = { id, peer }
    if (this.#peers.send(peer, encodeSyncMessage(question(id))) && this.#asked.answer === undefined)
      await this.#pace.sleep(this.#peers.timeoutMs ?? SYNC_TIMEOUT_MS)
    const { answer } = this.#asked
    this.#asked = undefined
    if (answer?.type === kind) return { from: peer, answer: answer as Extract<SyncAnswer, { type: T }> }
    this.setAside(peer)
    return undefined
  }

  #candidates(): Address[] {
    const now = this.#peers.now()
    return this.#peers.connected().filter((peer) => (this.#aside.get(peer) ?? now) <= now)
  }
}

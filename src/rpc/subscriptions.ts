/**
 * eth_subscribe: fans final blocks and pool transactions out to WebSockets. At once where few listen; else in slices, behind
 * which at most so much waits: a block must not wait for its readers.
 */
import type { Hex } from '../core/bytes.js'
import type { ChainApi, ChainTransaction, FinalBlockEvent, Unsubscribe } from './chainApi.js'
import { invalidParams, serverError } from './errors.js'
import { randomId } from './filters.js'
import { Line } from './line.js'
import { bloomMayMatch, type LogMatcher, matchingLogs } from './logFilter.js'
import { presentHeader, presentTransaction } from './present.js'
import { SyncWatch } from './syncWatch.js'
import { turns } from './turns.js'

export type SubscriptionKind =
  | { readonly name: 'newHeads' }
  | { readonly name: 'logs'; readonly matcher: LogMatcher }
  | { readonly name: 'newPendingTransactions'; readonly full: boolean }
  | { readonly name: 'syncing' }

export interface SocketSubscription {
  readonly kind: SubscriptionKind
  /** Number of the first notice that is sent to it; Infinity until the client has been told its id. */
  from: number
}

/** What one WebSocket offers to its subscriptions. */
export interface SubscriptionSink {
  /** Sends one JSON text; never blocks. */
  send(text: string): void
  /** Ends the connection: something was not sent. */
  cut(): void
  readonly subscriptions: Map<Hex, SocketSubscription>
}

/** A request that came by WebSocket. */
export interface SocketRequest {
  readonly sink: SubscriptionSink
  /** `task` runs once this request is answered: no notification may overtake the id it bears. */
  afterAnswer(task: () => void): void
}

/** Something to tell; `number` counts all that ever was. */
interface Notice {
  readonly number: number
  tell(sink: SubscriptionSink, id: Hex, kind: SubscriptionKind): void
}

/** Up to so many subscriptions are told at once: about a ms. */
const FEW = 64
/** Notices that wait to be told; beyond it the readers are cut. */
const NOTICES_MAX = 256

export class Subscriptions {
  readonly #sinks = new Set<SubscriptionSink>()
  readonly #stop: readonly Unsubscribe[]
  readonly #sync: SyncWatch
  readonly #notices: Notice[] = []
  /** What clients wait for never rests. */
  readonly #line = new Line(Number.POSITIVE_INFINITY)
  #number = 0
  #telling = false

  constructor(
    readonly api: ChainApi,
    readonly subscriptionsMax: number,
  ) {
    this.#sync = new SyncWatch({
      status: () => api.syncing(),
      wanted: () => this.#anyoneFollowsSync(),
      tell: (json) => this.#onSync(json),
    })
    this.#stop = [
      api.onFinalBlock((event) => this.#onFinalBlock(event)),
      api.onPendingTransaction((tx) => this.#onPendingTransaction(tx)),
    ]
  }

  /** Notifications begin after the answer is sent. */
  add({ sink, afterAnswer }: SocketRequest, kind: SubscriptionKind): Hex {
    if (sink.subscriptions.size >= this.subscriptionsMax) {
      const open = `too many subscriptions: ${this.subscriptionsMax} are open on this connection`
      throw serverError(`${open}; end some with eth_unsubscribe`)
    }
    const id = randomId()
    const subscription: SocketSubscription = { kind, from: Number.POSITIVE_INFINITY }
    sink.subscriptions.set(id, subscription)
    afterAnswer(() => {
      subscription.from = this.#number
      this.#sinks.add(sink)
      if (kind.name === 'syncing') sink.send(notification(id, this.#sync.begin()))
    })
    return id
  }

  remove(sink: SubscriptionSink, id: string): boolean {
    const removed = sink.subscriptions.delete(id as Hex)
    if (!removed) throw serverError('subscription not found')
    if (sink.subscriptions.size === 0) this.#sinks.delete(sink)
    return removed
  }

  /** The socket is gone. */
  drop(sink: SubscriptionSink): void {
    this.#sinks.delete(sink)
    sink.subscriptions.clear()
  }

  close(): void {
    for (const stop of this.#stop) stop()
    this.#sync.stop()
    this.#sinks.clear()
    this.#notices.length = 0
  }

  #onFinalBlock(event: FinalBlockEvent): void {
    const { header } = event.block
    let head: string | undefined
    this.#announce((sink, id, kind) => {
      if (kind.name === 'newHeads') {
        head ??= JSON.stringify(presentHeader(event.hash, header))
        sink.send(notification(id, head))
      }
      if (kind.name !== 'logs' || !bloomMayMatch(kind.matcher, header.logsBloom)) return
      for (const log of matchingLogs(kind.matcher, event, event.receipts)) {
        sink.send(notification(id, JSON.stringify(log)))
      }
    })
    this.#sync.onBlock()
  }

  #onSync(json: string): void {
    this.#announce((sink, id, kind) => {
      if (kind.name === 'syncing') sink.send(notification(id, json))
    })
  }

  #anyoneFollowsSync(): boolean {
    for (const { subscriptions } of this.#sinks) {
      for (const { kind } of subscriptions.values()) if (kind.name === 'syncing') return true
    }
    return false
  }

  #onPendingTransaction(tx: ChainTransaction): void {
    this.#announce((sink, id, kind) => {
      if (kind.name !== 'newPendingTransactions') return
      sink.send(notification(id, JSON.stringify(kind.full ? presentTransaction(tx) : tx.hash)))
    })
  }

  #announce(tell: Notice['tell']): void {
    if (this.#sinks.size === 0) return
    const notice = { number: this.#number++, tell }
    if (!this.#telling && this.#areFew()) {
      for (const sink of this.#sinks) {
        for (const [id, { kind, from }] of sink.subscriptions) if (from <= notice.number) tell(sink, id, kind)
      }
      return
    }
    this.#notices.push(notice)
    if (this.#notices.length > NOTICES_MAX) this.#giveUp()
    else if (!this.#telling) void this.#tellInSlices()
  }

  #areFew(): boolean {
    let count = 0
    for (const { subscriptions } of this.#sinks) count += subscriptions.size
    return count <= FEW
  }

  /** One after the other, so that each reader hears everything in order. */
  async #tellInSlices(): Promise<void> {
    this.#telling = true
    for (let notice = this.#notices[0]; notice; notice = this.#notices[0]) {
      for (const sink of [...this.#sinks]) {
        for (const [id, { kind, from }] of [...sink.subscriptions]) {
          const pause = turns.pause(this.#line)
          if (pause) await pause
          if (from <= notice.number && sink.subscriptions.has(id)) notice.tell(sink, id, kind)
        }
      }
      this.#notices.shift()
    }
    this.#telling = false
  }

  /** Nobody misses something without knowing it: whoever comes back reads what was in between. */
  #giveUp(): void {
    this.#notices.length = 0
    for (const sink of [...this.#sinks]) {
      this.drop(sink)
      sink.cut()
    }
  }
}

const notification = (id: Hex, json: string): string =>
  `{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"${id}","result":${json}}}`

/** Geth's text for a kind it does not offer. */
export const unknownSubscription = (name: string) => invalidParams(`no "${name}" subscription in eth namespace`)

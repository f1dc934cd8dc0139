/** eth_subscribe: fans final blocks and pool transactions out to WebSockets. */
import type { Hex } from '../core/bytes.js'
import type { ChainApi, ChainTransaction, FinalBlockEvent, Unsubscribe } from './chainApi.js'
import { invalidParams, serverError } from './errors.js'
import { randomId } from './filters.js'
import { bloomMayMatch, type LogMatcher, matchingLogs } from './logFilter.js'
import { presentHeader, presentTransaction } from './present.js'

export type SubscriptionKind =
  | { readonly name: 'newHeads' }
  | { readonly name: 'logs'; readonly matcher: LogMatcher }
  | { readonly name: 'newPendingTransactions'; readonly full: boolean }

/** `active` once its id has been sent to the client. */
export interface SocketSubscription {
  readonly kind: SubscriptionKind
  active: boolean
}

/** What one WebSocket offers to its subscriptions. */
export interface SubscriptionSink {
  /** Sends one JSON text; never blocks. */
  send(text: string): void
  readonly subscriptions: Map<Hex, SocketSubscription>
}

/** A request that came by WebSocket. */
export interface SocketRequest {
  readonly sink: SubscriptionSink
  /** `task` runs once this request is answered: no notification may overtake the id it bears. */
  afterAnswer(task: () => void): void
}

export class Subscriptions {
  readonly #sinks = new Set<SubscriptionSink>()
  readonly #stop: readonly Unsubscribe[]

  constructor(
    readonly api: ChainApi,
    readonly subscriptionsMax: number,
  ) {
    this.#stop = [
      api.onFinalBlock((event) => this.#onFinalBlock(event)),
      api.onPendingTransaction((tx) => this.#onPendingTransaction(tx)),
    ]
  }

  /** Notifications begin after the answer is sent. */
  add({ sink, afterAnswer }: SocketRequest, kind: SubscriptionKind): Hex {
    if (sink.subscriptions.size >= this.subscriptionsMax) {
      throw serverError(`too many subscriptions: ${this.subscriptionsMax} are open on this connection`)
    }
    const id = randomId()
    const subscription: SocketSubscription = { kind, active: false }
    sink.subscriptions.set(id, subscription)
    afterAnswer(() => {
      subscription.active = true
      this.#sinks.add(sink)
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
    this.#sinks.clear()
  }

  #onFinalBlock(event: FinalBlockEvent): void {
    if (this.#sinks.size === 0) return
    const { header } = event.block
    const head = JSON.stringify(presentHeader(event.hash, header))
    for (const sink of this.#sinks) {
      for (const [id, { kind, active }] of sink.subscriptions) {
        if (!active) continue
        if (kind.name === 'newHeads') sink.send(notification(id, head))
        if (kind.name !== 'logs' || !bloomMayMatch(kind.matcher, header.logsBloom)) continue
        for (const log of matchingLogs(kind.matcher, event, event.receipts)) {
          sink.send(notification(id, JSON.stringify(log)))
        }
      }
    }
  }

  #onPendingTransaction(tx: ChainTransaction): void {
    for (const sink of this.#sinks) {
      for (const [id, { kind, active }] of sink.subscriptions) {
        if (!active || kind.name !== 'newPendingTransactions') continue
        sink.send(notification(id, JSON.stringify(kind.full ? presentTransaction(tx) : tx.hash)))
      }
    }
  }
}

const notification = (id: Hex, json: string): string =>
  `{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"${id}","result":${json}}}`

/** Geth's text for a kind it does not offer. */
export const unknownSubscription = (name: string) => invalidParams(`no "${name}" subscription in eth namespace`)

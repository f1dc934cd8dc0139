/** Follows the chain's final blocks by push. */
import { assert } from '../core/assert.js'
import { fromHex, type Hash } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { bloomMayHold } from '../crypto/bloom.js'
import type { RpcClient, Subscription } from '../rpc/client.js'

/** OVERTAKEN: another transaction of the account has the nonce; this one has no effect and never will. */
export type WaitCode = 'TIMEOUT' | 'STOPPED' | 'OVERTAKEN'

/** A wait for the chain that ended without what was waited for. */
export class WaitError extends CodedError<WaitCode> {}

export interface Heads {
  /** Height of the newest final block seen; -1 before the first. */
  readonly height: number
  /** Calls back for each new final block seen, until closed. Heights grow but may skip. */
  onHead(callback: (height: number) => void): Subscription
  /**
   * False: block `height` holds no log with all of these topics, so that nobody has to ask for them. True: it may, or this
   * block's bloom was not pushed or is no longer kept.
   */
  mayHold(height: number, ...topics: readonly Hash[]): boolean
  /**
   * Runs `check` now and after each new final block until it returns a value; not before a block above `afterHeight` when
   * nothing can be found up to there. Rejects with WaitError, which says `what` was waited for, or with what `check` throws.
   */
  until<T>(check: () => Promise<T | undefined>, timeoutMs: number, what: string, afterHeight?: number): Promise<T>
  stop(): void
}

/** Subscribes to new final blocks; after a reconnect the height is read, so nothing is waited for in vain. */
export function followHeads(client: RpcClient): Heads {
  return new HeadFollower(client)
}

/** Blocks whose blooms are kept, of 256 bytes each: more than come while one answer is worked on. */
const BLOOMS_MAX = 256

class HeadFollower implements Heads {
  height = -1
  readonly #blooms = new Map<number, Uint8Array>()
  readonly #callbacks = new Set<(height: number) => void>()
  readonly #stops = new Set<() => void>()
  readonly #subscription: Subscription
  #stopped = false

  constructor(client: RpcClient) {
    this.#subscription = client.subscribe('newHeads', [], {
      onValue: ({ number, logsBloom }) => {
        const height = Number(number)
        this.#blooms.set(height, fromHex(logsBloom, 'logsBloom'))
        this.#blooms.delete(height - BLOOMS_MAX)
        this.#advance(height)
      },
      onConnected: () => {
        // A node that cannot answer now cuts the connection as well; the next one reads again.
        client.call('eth_blockNumber').then(
          (height) => this.#advance(Number(height)),
          () => {},
        )
      },
    })
  }

  #advance(height: number): void {
    if (height <= this.height) return
    this.height = height
    for (const callback of [...this.#callbacks]) callback(height)
  }

  mayHold(height: number, ...topics: readonly Hash[]): boolean {
    const bloom = this.#blooms.get(height)
    return bloom === undefined || topics.every((topic) => bloomMayHold(bloom, topic))
  }

  onHead(callback: (height: number) => void): Subscription {
    this.#callbacks.add(callback)
    return { close: () => this.#callbacks.delete(callback) }
  }

  async until<T>(
    check: () => Promise<T | undefined>,
    timeoutMs: number,
    what: string,
    afterHeight = Number.NEGATIVE_INFINITY,
  ): Promise<T> {
    assert(timeoutMs > 0, 'a wait needs a time limit')
    if (this.#stopped) throw new WaitError('STOPPED', `stopped while waiting for ${what}`)
    const { promise, resolve, reject } = deferred<T>()
    let checking = false
    let again = false
    const run = async (): Promise<void> => {
      again = checking
      if (checking) return
      checking = true
      try {
        const value = await check()
        if (value !== undefined) return resolve(value)
      } catch (error) {
        return reject(error)
      } finally {
        checking = false
      }
      if (again) await run()
    }
    const timer = setTimeout(() => {
      reject(new WaitError('TIMEOUT', `waited ${timeoutMs} ms for ${what}: is the network making blocks?`))
    }, timeoutMs)
    const stop = () => reject(new WaitError('STOPPED', `stopped while waiting for ${what}`))
    this.#stops.add(stop)
    const subscription = this.onHead(() => void run())
    try {
      if (this.height > afterHeight) void run()
      return await promise
    } finally {
      clearTimeout(timer)
      this.#stops.delete(stop)
      subscription.close()
    }
  }

  stop(): void {
    this.#stopped = true
    this.#subscription.close()
    this.#callbacks.clear()
    for (const stop of [...this.#stops]) stop()
  }
}

/** Promise.withResolvers, which Node 20 lacks. */
function deferred<T>() {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

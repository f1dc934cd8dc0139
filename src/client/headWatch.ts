/**
 * Subscriptions without a connection that pushes: the newest block is asked for, and what subscribers want is read from there. Where
 * the transport pushes, a push is when to look. Often while something is done, seldom else.
 */
import type { Subscription, SubscriptionHandlers, SubscriptionKinds } from '../rpc/client.js'
import type { RpcError } from '../rpc/errors.js'
import { RPC_CODES } from '../rpc/errors.js'
import type { LogFilter, RpcHeader, RpcLog } from '../rpc/wire.js'

interface HeadWatchNeeds {
  ask(method: string, params: readonly unknown[]): Promise<unknown>
  /** Calls back at each new block, and when no more may come; undefined where the transport does not. */
  readonly pushed: ((look: () => void) => Promise<{ unsubscribe(): Promise<unknown> }>) | undefined
}

/** Nothing was asked for so long: nobody waits for a block. */
const IDLE_AFTER_MS = 60_000
const IDLE_POLL_MS = 4_000
/** Blocks whose logs are read after a pause; beyond, the subscriber is told that it has missed some. */
const CATCH_UP_BLOCKS = 1_000

type Kind = keyof SubscriptionKinds

interface Entry {
  readonly kind: Kind
  readonly filter: LogFilter
  readonly handlers: SubscriptionHandlers<unknown>
  /** Block up to which its logs are told; -1 before the first look. */
  told: number
}

export class HeadWatch {
  readonly #pollMs: number
  readonly #needs: HeadWatchNeeds
  readonly #entries = new Set<Entry>()
  #height = -1
  #touchedMs = Date.now()
  #timer: ReturnType<typeof setTimeout> | undefined
  #push: Promise<{ unsubscribe(): Promise<unknown> } | undefined> | undefined
  #isLooking = false
  /** A block came while the one before was looked at. */
  #lookAgain = false
  #isPushed = false
  #isLost = false

  constructor({ pollMs }: { readonly pollMs: number }, needs: HeadWatchNeeds) {
    this.#pollMs = pollMs
    this.#needs = needs
  }

  /** Something is done: blocks matter now. */
  touch(): void {
    const wasIdle = this.#isIdle()
    this.#touchedMs = Date.now()
    if (wasIdle && this.#timer !== undefined) this.#schedule()
  }

  subscribe<K extends Kind>(
    kind: K,
    params: SubscriptionKinds[K]['params'],
    handlers: SubscriptionHandlers<unknown>,
  ): Subscription {
    const entry = { kind, filter: (params[0] ?? {}) as LogFilter, handlers, told: this.#height }
    this.#entries.add(entry)
    if (this.#timer === undefined) this.#start()
    queueMicrotask(() => this.#entries.has(entry) && handlers.onConnected?.())
    return {
      close: () => {
        this.#entries.delete(entry)
        if (this.#entries.size === 0) this.close()
      },
    }
  }

  close(): void {
    this.#entries.clear()
    clearTimeout(this.#timer)
    this.#timer = undefined
    const push = this.#push
    this.#push = undefined
    this.#isPushed = false
    push?.then((subscribed) => subscribed?.unsubscribe()).catch(() => {})
  }

  /** Nothing is pushed any more: asked for anew as soon as the node answers. */
  pushLost(): void {
    this.#push = undefined
    this.#isPushed = false
  }

  #start(): void {
    this.#askForPush()
    this.#schedule()
  }

  #askForPush(): void {
    const asked = this.#needs.pushed?.(() => void this.#look()).catch(() => undefined)
    this.#push = asked
    asked?.then((push) => {
      if (this.#push === asked) this.#isPushed = push !== undefined
    })
  }

  #isIdle(): boolean {
    return Date.now() - this.#touchedMs > IDLE_AFTER_MS
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    const next = () => void this.#look().then(() => this.#entries.size > 0 && this.#schedule())
    const isSlow = this.#isIdle() || (this.#isPushed && !this.#isLost)
    this.#timer = setTimeout(next, isSlow ? IDLE_POLL_MS : this.#pollMs)
    // Looking for blocks alone keeps no process of Node alive.
    ;(this.#timer as { unref?(): void }).unref?.()
  }

  async #look(): Promise<void> {
    this.#lookAgain = this.#isLooking
    if (this.#isLooking || this.#entries.size === 0) return
    this.#isLooking = true
    try {
      const head = (await this.#needs.ask('eth_getBlockByNumber', ['latest', false])) as RpcHeader | null
      if (head !== null) await this.#tell(head)
      this.#found()
    } catch (error) {
      this.#lost(error)
    } finally {
      this.#isLooking = false
    }
    if (this.#lookAgain) await this.#look()
  }

  async #tell(head: RpcHeader): Promise<void> {
    const height = Number(head.number)
    const entries = [...this.#entries]
    if (height > this.#height) {
      this.#height = height
      for (const { kind, handlers } of entries) if (kind === 'newHeads') handlers.onValue(head)
    }
    for (const entry of entries) if (entry.kind === 'logs' && entry.told < height) await this.#tellLogs(entry, height)
  }

  /** What cannot be read now is read at the next look. */
  async #tellLogs(entry: Entry, to: number): Promise<void> {
    const { filter, handlers, told } = entry
    const from = told < 0 ? to : told + 1
    const range = { fromBlock: `0x${from.toString(16)}`, toBlock: `0x${to.toString(16)}` } as const
    const isTooMuch = to - from >= CATCH_UP_BLOCKS
    const logs = isTooMuch
      ? []
      : ((await this.#needs.ask('eth_getLogs', [{ ...filter, ...range }])) as readonly RpcLog[])
    entry.told = to
    if (isTooMuch) handlers.onConnected?.()
    for (const log of logs) handlers.onValue(log)
  }

  #found(): void {
    if (!this.#isLost) return
    this.#isLost = false
    if (this.#push === undefined) this.#askForPush()
    for (const { handlers } of [...this.#entries]) handlers.onConnected?.()
  }

  #lost(error: unknown): void {
    if (this.#isLost) return
    this.#isLost = true
    this.#schedule()
    for (const entry of [...this.#entries]) {
      if (isRefusal(error)) {
        this.#entries.delete(entry)
        entry.handlers.onRefused?.(error)
      } else entry.handlers.onDisconnected?.(error instanceof Error ? error.message : String(error))
    }
  }
}

/** The node does not know what is asked for: asking again is in vain. */
const isRefusal = (error: unknown): error is RpcError =>
  (error as Partial<RpcError> | undefined)?.code === RPC_CODES.methodNotFound

/**
 * Transactions that wait for a block. Bounded in count, bytes and per sender; ordered by nonce within a sender and by
 * arrival between senders. A transaction with a gap before it waits here and never displaces one that can run.
 */
import type { Address, Hash } from '../core/bytes.js'
import type { RecoveredTransaction } from '../crypto/transaction.js'

export interface MempoolOptions {
  readonly countMax: number
  readonly bytesMax: number
  readonly perSenderMax: number
  /** How far a nonce may be ahead of the sender's next one. */
  readonly nonceWindow: number
}

export const MEMPOOL_DEFAULTS: MempoolOptions = {
  countMax: 20_000,
  bytesMax: 128 * 1024 * 1024,
  perSenderMax: 4_096,
  nonceWindow: 4_096,
}

export type MempoolRefusal =
  | 'ALREADY_KNOWN'
  | 'NONCE_TOO_LOW'
  | 'NONCE_TOO_FAR'
  | 'NONCE_TAKEN'
  | 'POOL_FULL'
  | 'SENDER_FULL'

interface SenderQueue {
  /** Next nonce by the final state. */
  next: bigint
  readonly byNonce: Map<bigint, RecoveredTransaction>
  /** Length of the gapless run that starts at `next`. */
  executable: number
}

export class Mempool {
  readonly #options: MempoolOptions
  /** Insertion order is the order of service; a served sender moves to the end. */
  readonly #senders = new Map<Address, SenderQueue>()
  readonly #byHash = new Map<Hash, RecoveredTransaction>()
  #bytes = 0
  #executable = 0

  constructor(options: MempoolOptions = MEMPOOL_DEFAULTS) {
    this.#options = options
  }

  get size(): number {
    return this.#byHash.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Transactions that could run now, counted against the final state. */
  get executable(): number {
    return this.#executable
  }

  get(hash: Hash): RecoveredTransaction | undefined {
    return this.#byHash.get(hash)
  }

  has(hash: Hash): boolean {
    return this.#byHash.has(hash)
  }

  /** Nonce after the last gapless pending transaction of `sender`, or undefined when none is pending. */
  pendingNonce(sender: Address): bigint | undefined {
    const queue = this.#senders.get(sender)
    return queue === undefined || queue.executable === 0 ? undefined : queue.next + BigInt(queue.executable)
  }

  /** Adds a transaction; `stateNonce` is the sender's nonce in the final state. Returns why it was refused, if it was. */
  add(tx: RecoveredTransaction, stateNonce: bigint): MempoolRefusal | undefined {
    if (this.#byHash.has(tx.hash)) return 'ALREADY_KNOWN'
    if (tx.nonce < stateNonce) return 'NONCE_TOO_LOW'
    if (tx.nonce >= stateNonce + BigInt(this.#options.nonceWindow)) return 'NONCE_TOO_FAR'
    let queue = this.#senders.get(tx.sender)
    if (queue?.byNonce.has(tx.nonce)) return 'NONCE_TAKEN'
    if ((queue?.byNonce.size ?? 0) >= this.#options.perSenderMax) return 'SENDER_FULL'
    const fits = () => this.size < this.#options.countMax && this.#bytes + tx.raw.length <= this.#options.bytesMax
    const runsNow = tx.nonce === (queue ? queue.next + BigInt(queue.executable) : stateNonce)
    if (!fits() && !(runsNow && this.#evictWaiting(tx.sender) && fits())) return 'POOL_FULL'
    // An eviction may have emptied and dropped the queue.
    queue = this.#senders.get(tx.sender)
    if (queue === undefined) {
      queue = { next: stateNonce, byNonce: new Map(), executable: 0 }
      this.#senders.set(tx.sender, queue)
    }
    queue.byNonce.set(tx.nonce, tx)
    this.#byHash.set(tx.hash, tx)
    this.#bytes += tx.raw.length
    this.#recount(queue, queue.executable)
    return undefined
  }

  /**
   * Gapless transactions for a block in order of service, starting for each sender at `nonceOf(sender)` on the tip.
   * Each round takes a share of every sender, so that one busy sender does not fill the block alone.
   */
  *candidates(nonceOf: (sender: Address) => bigint): Generator<RecoveredTransaction> {
    const share = 64
    const positions = new Map<SenderQueue, bigint>()
    for (const [sender, queue] of this.#senders) positions.set(queue, nonceOf(sender))
    while (positions.size > 0) {
      for (const [queue, from] of positions) {
        let nonce = from
        for (let taken = 0; taken < share; taken++, nonce++) {
          const tx = queue.byNonce.get(nonce)
          if (tx === undefined) break
          yield tx
        }
        if (nonce - from === BigInt(share)) positions.set(queue, nonce)
        else positions.delete(queue)
      }
    }
  }

  /** Removes what a final block included and what its nonces made obsolete. */
  committed(transactions: readonly RecoveredTransaction[]): void {
    const nextNonce = new Map<Address, bigint>()
    for (const tx of transactions) nextNonce.set(tx.sender, tx.nonce + 1n)
    for (const [sender, next] of nextNonce) {
      const queue = this.#senders.get(sender)
      if (queue === undefined) continue
      for (let nonce = queue.next; nonce < next; nonce++) this.#drop(queue, nonce)
      const known = Math.max(0, queue.executable - Number(next - queue.next))
      queue.next = next
      this.#recount(queue, known)
      this.#senders.delete(sender)
      if (queue.byNonce.size > 0) this.#senders.set(sender, queue)
    }
  }

  /** Removes one transaction that cannot be included, with the reason known to the caller. */
  remove(tx: RecoveredTransaction): void {
    const queue = this.#senders.get(tx.sender)
    if (queue === undefined || queue.byNonce.get(tx.nonce)?.hash !== tx.hash) return
    this.#drop(queue, tx.nonce)
    this.#recount(queue, Math.min(queue.executable, Number(tx.nonce - queue.next)))
    if (queue.byNonce.size === 0) this.#senders.delete(tx.sender)
  }

  /** All pending transactions by sender, for txpool_* and for a peer that has just connected. */
  *all(): Generator<{ readonly tx: RecoveredTransaction; readonly executable: boolean }> {
    for (const queue of this.#senders.values()) {
      const end = queue.next + BigInt(queue.executable)
      for (const tx of queue.byNonce.values()) yield { tx, executable: tx.nonce < end }
    }
  }

  #drop(queue: SenderQueue, nonce: bigint): void {
    const tx = queue.byNonce.get(nonce)
    if (tx === undefined) return
    queue.byNonce.delete(nonce)
    this.#byHash.delete(tx.hash)
    this.#bytes -= tx.raw.length
  }

  /** Extends the gapless run of `queue`, of which the first `known` transactions are certain. */
  #recount(queue: SenderQueue, known: number): void {
    let run = known
    while (queue.byNonce.has(queue.next + BigInt(run))) run++
    this.#executable += run - queue.executable
    queue.executable = run
  }

  /** Makes room by dropping one transaction which has a gap before it. */
  #evictWaiting(except: Address): boolean {
    for (const [sender, queue] of this.#senders) {
      if (queue.byNonce.size === queue.executable) continue
      let last = -1n
      for (const nonce of queue.byNonce.keys()) if (nonce > last) last = nonce
      if (sender === except && last < queue.next + BigInt(queue.executable)) continue
      this.#drop(queue, last)
      if (queue.byNonce.size === 0) this.#senders.delete(sender)
      return true
    }
    return false
  }
}

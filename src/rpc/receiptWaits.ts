/** Who waits for the receipt of a transaction (eth_sendRawTransactionSync). Each wait ends with its request. */
import type { Hash } from '../core/bytes.js'
import type { ChainApi, FinalBlockEvent, Unsubscribe } from './chainApi.js'

export class ReceiptWaits {
  readonly #waiting = new Map<Hash, Set<() => void>>()
  #stop: Unsubscribe | undefined

  constructor(readonly api: ChainApi) {}

  /** Resolves to true once `hash` is in a final block, to false after `waitMs`. */
  wait(hash: Hash, waitMs: number): Promise<boolean> {
    if (this.api.locate(hash)) return Promise.resolve(true)
    return new Promise((resolve) => {
      const end = (isFinal: boolean) => {
        clearTimeout(timer)
        this.#remove(hash, found)
        resolve(isFinal)
      }
      const found = () => end(true)
      const timer = setTimeout(() => end(false), waitMs)
      this.#add(hash, found)
    })
  }

  #add(hash: Hash, found: () => void): void {
    const set = this.#waiting.get(hash) ?? new Set()
    this.#waiting.set(hash, set.add(found))
    this.#stop ??= this.api.onFinalBlock((event) => this.#onFinalBlock(event))
  }

  #remove(hash: Hash, found: () => void): void {
    const set = this.#waiting.get(hash)
    set?.delete(found)
    if (set?.size === 0) this.#waiting.delete(hash)
    if (this.#waiting.size > 0) return
    this.#stop?.()
    this.#stop = undefined
  }

  #onFinalBlock({ block }: FinalBlockEvent): void {
    for (const { hash } of block.transactions) for (const found of [...(this.#waiting.get(hash) ?? [])]) found()
  }
}

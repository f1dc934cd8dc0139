/** The transaction that took a nonce, found without an index of its own: in the pool, or where the sender's nonce passed it. */
import { type Address, asHeight } from '../core/bytes.js'
import { notKept, stateNotKept } from './blockRef.js'
import type { ChainApi, ChainTransaction, FinalBlock } from './chainApi.js'

export type BySender =
  | { readonly final: FinalBlock; readonly index: number }
  | { readonly pending: ChainTransaction }
  | undefined

/** Throws -32000 when the transaction is older than the states that this node keeps, 4444 when its block was pruned. */
export function transactionBySender(api: ChainApi, sender: Address, nonce: bigint): BySender {
  if (nonceAt(api, api.head().header.number, sender) <= nonce) {
    const { pending, queued } = api.pool()
    const waiting = [...pending, ...queued].find((tx) => tx.sender === sender && tx.nonce === nonce)
    return waiting && { pending: waiting }
  }
  const height = asHeight(heightOf(api, sender, nonce))
  const final = api.blockByNumber(height) ?? notKept(api, height)
  const index = final?.block.transactions.findIndex((tx) => tx.sender === sender && tx.nonce === nonce) ?? -1
  return final === undefined || index === -1 ? undefined : { final, index }
}

/** The first block after which the sender's nonce is above `nonce`; at the head it is. */
function heightOf(api: ChainApi, sender: Address, nonce: bigint): number {
  let low: number = api.oldestState()
  let high: number = api.head().header.number
  if (nonceAt(api, low, sender) > nonce) throw stateNotKept(api, low - 1)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (nonceAt(api, middle, sender) > nonce) high = middle
    else low = middle
  }
  return high
}

const nonceAt = (api: ChainApi, height: number, sender: Address): bigint =>
  api.state(asHeight(height))?.account(sender)?.nonce ?? 0n

/** txpool_: what waits in this node's pool, by sender and nonce. */
import type { Address } from '../../core/bytes.js'
import type { ChainTransaction } from '../chainApi.js'
import { type MethodEntries, type MethodNeeds, method } from '../method.js'
import { readAddress } from '../params.js'
import { presentTransaction, quantity } from '../present.js'
import type { RpcTransaction } from '../wire.js'

type ByNonce = Record<string, RpcTransaction>

export function txpoolMethods({ api }: MethodNeeds): MethodEntries {
  return [
    ['txpool_status', method(0, () => presentCounts(api.poolCounts()))],
    [
      'txpool_content',
      method(0, () => {
        const { pending, queued } = api.pool()
        return { pending: bySender(pending), queued: bySender(queued) }
      }),
    ],
    [
      'txpool_contentFrom',
      method(1, (p) => {
        const sender = readAddress(p, 0)
        const { pending, queued } = api.pool()
        return { pending: byNonce(pending, sender), queued: byNonce(queued, sender) }
      }),
    ],
  ]
}

const presentCounts = ({ pending, queued }: { pending: number; queued: number }) => ({
  pending: quantity(pending),
  queued: quantity(queued),
})

function bySender(transactions: readonly ChainTransaction[]): Record<Address, ByNonce> {
  const senders = new Map<Address, ByNonce>()
  for (const tx of transactions) {
    const nonces = senders.get(tx.sender) ?? {}
    nonces[String(tx.nonce)] = presentTransaction(tx)
    senders.set(tx.sender, nonces)
  }
  return Object.fromEntries(senders)
}

const byNonce = (transactions: readonly ChainTransaction[], sender: Address): ByNonce =>
  Object.fromEntries(
    transactions.filter((tx) => tx.sender === sender).map((tx) => [String(tx.nonce), presentTransaction(tx)]),
  )

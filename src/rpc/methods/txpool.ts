/** txpool_: what waits in this node's pool, by sender and nonce. */
import type { Address } from '../../core/bytes.js'
import type { ChainTransaction } from '../chainApi.js'
import { type MethodEntries, type MethodNeeds, method } from '../method.js'
import { readAddress } from '../params.js'
import { presentTransaction, quantity } from '../present.js'
import type { RpcTransaction } from '../wire.js'

type ByNonce<T> = Record<string, T>

export function txpoolMethods({ api }: MethodNeeds): MethodEntries {
  return [
    ['txpool_status', method(0, () => presentCounts(api.poolCounts()))],
    [
      'txpool_content',
      method(0, () => {
        const { pending, queued } = api.pool()
        return { pending: bySender(pending, full), queued: bySender(queued, full) }
      }),
    ],
    [
      'txpool_inspect',
      method(0, () => {
        const { pending, queued } = api.pool()
        return { pending: bySender(pending, inWords), queued: bySender(queued, inWords) }
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

const full = (tx: ChainTransaction): RpcTransaction => presentTransaction(tx)

/** Geth's words. */
const inWords = ({ to, value, gasLimit, gasPrice }: ChainTransaction): string =>
  `${to ?? 'contract creation'}: ${value} wei + ${gasLimit} gas × ${gasPrice} wei`

function bySender<T>(
  transactions: readonly ChainTransaction[],
  show: (tx: ChainTransaction) => T,
): Record<Address, ByNonce<T>> {
  const senders = new Map<Address, ByNonce<T>>()
  for (const tx of transactions) {
    const nonces = senders.get(tx.sender) ?? {}
    nonces[String(tx.nonce)] = show(tx)
    senders.set(tx.sender, nonces)
  }
  return Object.fromEntries(senders)
}

const byNonce = (transactions: readonly ChainTransaction[], sender: Address): ByNonce<RpcTransaction> =>
  Object.fromEntries(
    transactions.filter((tx) => tx.sender === sender).map((tx) => [String(tx.nonce), presentTransaction(tx)]),
  )

/** eth_: transactions, receipts, submission, nonces. */
import { toHex } from '../../core/bytes.js'
import { readBlock, readState } from '../blockRef.js'
import type { ChainApi, FinalBlock, TransactionPlace } from '../chainApi.js'
import { submitError } from '../errors.js'
import { type MethodEntries, type MethodNeeds, method } from '../method.js'
import { type Params, readAddress, readBytes, readHash, readIndex } from '../params.js'
import { placeOf, presentReceiptAt, presentTransaction, quantity } from '../present.js'

export function ethTransactionMethods({ api }: MethodNeeds): MethodEntries {
  return [
    ['eth_getTransactionByHash', method(1, (p) => transactionByHash(api, p))],
    ['eth_getTransactionByBlockNumberAndIndex', method(2, (p) => transactionAt(readBlock(api, p, 0), p))],
    ['eth_getTransactionByBlockHashAndIndex', method(2, (p) => transactionAt(api.blockByHash(readHash(p, 0)), p))],
    ['eth_getTransactionReceipt', method(1, (p) => receiptByHash(api, p))],
    ['eth_getTransactionCount', method(2, (p) => transactionCount(api, p))],
    ['eth_sendRawTransaction', method(1, (p) => submit(api, p))],
  ]
}

function finalTransaction(api: ChainApi, params: Params): { final: FinalBlock; place: TransactionPlace } | undefined {
  const place = api.locate(readHash(params, 0))
  const final = place && api.blockByNumber(place.blockNumber)
  return final && { final, place }
}

function transactionByHash(api: ChainApi, params: Params) {
  const found = finalTransaction(api, params)
  if (found) return presentAt(found.final, found.place.index)
  const pending = api.pendingTransaction(readHash(params, 0))
  return pending ? presentTransaction(pending) : null
}

const transactionAt = (final: FinalBlock | undefined, params: Params) => {
  const index = readIndex(params, 1)
  return final ? presentAt(final, index) : null
}

function presentAt(final: FinalBlock, index: number) {
  const tx = final.block.transactions[index]
  return tx ? presentTransaction(tx, placeOf(final.hash, final.block.header), index) : null
}

function receiptByHash(api: ChainApi, params: Params) {
  const found = finalTransaction(api, params)
  const receipts = found && api.receipts(found.place.blockNumber)
  return receipts ? presentReceiptAt(found.final, receipts, found.place.index) : null
}

/** `pending` counts what waits in the pool; every other block names a state. */
function transactionCount(api: ChainApi, params: Params) {
  const address = readAddress(params, 0)
  if (params[1] === 'pending') return quantity(api.pendingNonce(address))
  return quantity(readState(api, params, 1).account(address)?.nonce ?? 0n)
}

function submit(api: ChainApi, params: Params) {
  const result = api.submitTransaction(readBytes(params, 0))
  if (result.ok) return result.hash
  throw submitError(result.code, result.detail)
}

export const rawTransaction = (api: ChainApi, params: Params) => {
  const found = finalTransaction(api, params)
  const tx = found ? found.final.block.transactions[found.place.index] : api.pendingTransaction(readHash(params, 0))
  return tx ? toHex(tx.raw) : null
}

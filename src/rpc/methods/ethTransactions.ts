/** eth_: transactions, receipts, submission, nonces. */
import { type Hash, toHex } from '../../core/bytes.js'
import { readBlock, readState } from '../blockRef.js'
import type { ChainApi, ChainTransaction, FinalBlock, TransactionPlace } from '../chainApi.js'
import { invalidArgument, RPC_CODES, RpcError, submitError } from '../errors.js'
import { type CallContext, type MethodEntries, type MethodNeeds, method } from '../method.js'
import { asQuantity, isAbsent, type Params, readAddress, readBytes, readHash, readIndex } from '../params.js'
import { placeOf, presentReceiptAt, presentTransaction, quantity } from '../present.js'
import { ReceiptWaits } from '../receiptWaits.js'
import { transactionBySender } from '../senderNonce.js'
import type { RpcReceipt } from '../wire.js'

export function ethTransactionMethods({ api }: MethodNeeds): MethodEntries {
  const waits = new ReceiptWaits(api)
  const byNumber = (params: Params) => transactionAt(readBlock(api, params, 0), params)
  const byHash = (params: Params) => transactionAt(api.blockByHash(readHash(params, 0)), params)
  return [
    ['eth_getTransactionByHash', method(1, (p) => transactionByHash(api, p))],
    ['eth_getTransactionByBlockNumberAndIndex', method(2, (p) => presentPlaced(byNumber(p)))],
    ['eth_getTransactionByBlockHashAndIndex', method(2, (p) => presentPlaced(byHash(p)))],
    ['eth_getTransactionBySenderAndNonce', method(2, (p) => bySenderAndNonce(api, p))],
    ['eth_getRawTransactionByHash', method(1, (p) => rawTransaction(api, p) ?? '0x')],
    ['eth_getRawTransactionByBlockNumberAndIndex', method(2, (p) => presentRaw(byNumber(p)))],
    ['eth_getRawTransactionByBlockHashAndIndex', method(2, (p) => presentRaw(byHash(p)))],
    ['eth_getTransactionReceipt', method(1, (p) => receiptOf(api, readHash(p, 0)))],
    ['eth_getTransactionCount', method(2, (p) => transactionCount(api, p))],
    ['eth_sendRawTransaction', { ...method(1, (p) => submit(api, p)), submits: true }],
    ['eth_sendRawTransactionSync', method(2, (p, context) => submitAndWait(api, waits, p, context))],
  ]
}

function finalTransaction(api: ChainApi, hash: Hash): { final: FinalBlock; place: TransactionPlace } | undefined {
  const place = api.locate(hash)
  const final = place && api.blockByNumber(place.blockNumber)
  return final && { final, place }
}

function transactionByHash(api: ChainApi, params: Params) {
  const hash = readHash(params, 0)
  const found = finalTransaction(api, hash)
  if (found) return presentPlaced({ final: found.final, index: found.place.index })
  const pending = api.pendingTransaction(hash)
  return pending ? presentTransaction(pending) : null
}

interface Placed {
  readonly final: FinalBlock
  readonly index: number
}

function transactionAt(final: FinalBlock | undefined, params: Params): Placed | undefined {
  const index = readIndex(params, 1)
  return final && { final, index }
}

const transactionOf = (placed: Placed | undefined): ChainTransaction | undefined =>
  placed?.final.block.transactions[placed.index]

function presentPlaced(placed: Placed | undefined) {
  const tx = transactionOf(placed)
  return placed && tx
    ? presentTransaction(tx, placeOf(placed.final.hash, placed.final.block.header), placed.index)
    : null
}

function bySenderAndNonce(api: ChainApi, params: Params) {
  const found = transactionBySender(api, readAddress(params, 0), BigInt(readIndex(params, 1)))
  return found && 'pending' in found ? presentTransaction(found.pending) : presentPlaced(found)
}

/** Geth answers `0x` where there is none. */
const presentRaw = (placed: Placed | undefined) => toHex(transactionOf(placed)?.raw ?? new Uint8Array(0))

function receiptOf(api: ChainApi, hash: Hash): RpcReceipt | null {
  const found = finalTransaction(api, hash)
  const receipts = found && api.receipts(found.place.blockNumber)
  return receipts ? presentReceiptAt(found.final, receipts, found.place.index) : null
}

/** `pending` counts what waits in the pool; every other block names a state. */
function transactionCount(api: ChainApi, params: Params) {
  const address = readAddress(params, 0)
  if (params[1] === 'pending') return quantity(api.pendingNonce(address))
  return quantity(readState(api, params, 1).account(address)?.nonce ?? 0n)
}

function submit(api: ChainApi, params: Params): Hash {
  const result = api.submitTransaction(readBytes(params, 0))
  if (result.ok) return result.hash
  throw submitError(result.code, result.detail)
}

/** Kept back of a request's time for its answer. */
const ANSWER_MS = 250

/** EIP-7966: the receipt, or error 4 with the hash where the block is not final in time; the transaction stays in the pool. */
async function submitAndWait(api: ChainApi, waits: ReceiptWaits, params: Params, { deadlineMs }: CallContext) {
  const askedMs = readWaitMs(params)
  const hash = submit(api, params)
  const waitMs = Math.max(0, Math.min(askedMs, deadlineMs - performance.now() - ANSWER_MS))
  if (await waits.wait(hash, waitMs)) return receiptOf(api, hash)
  const message = `the transaction is in the pool and not final after ${Math.round(waitMs)} ms`
  throw new RpcError(RPC_CODES.notFinalInTime, message, hash)
}

/** In ms; clients write it as a number or in hex. */
function readWaitMs(params: Params): number {
  const value = params[1]
  if (isAbsent(value)) return Number.POSITIVE_INFINITY
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  return Number(asQuantity(value, 64, (reason) => invalidArgument(1, reason)))
}

export const rawTransaction = (api: ChainApi, params: Params) => {
  const hash = readHash(params, 0)
  const found = finalTransaction(api, hash)
  const tx = found ? found.final.block.transactions[found.place.index] : api.pendingTransaction(hash)
  return tx ? toHex(tx.raw) : null
}

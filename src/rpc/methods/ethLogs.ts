/** eth_: log search, polled filters, subscriptions. */
import type { Hash } from '../../core/bytes.js'
import { readHeight } from '../blockRef.js'
import type { ChainApi } from '../chainApi.js'
import { invalidArgument, invalidParams, RPC_CODES, RpcError, serverError } from '../errors.js'
import type { Filters } from '../filters.js'
import { type LogMatcher, readLogMatcher } from '../logFilter.js'
import { type CallContext, type MethodEntries, type MethodNeeds, method } from '../method.js'
import { asFixed, isAbsent, type Params, readBoolean, readObject, readString, typeName } from '../params.js'
import { Slices } from '../slices.js'
import { type SubscriptionKind, type Subscriptions, unknownSubscription } from '../subscriptions.js'

export interface LogMethodNeeds extends MethodNeeds {
  readonly subscriptions: Subscriptions
  readonly logRangeBlocksMax: number
}

export function ethLogMethods(needs: LogMethodNeeds): MethodEntries {
  const { api, filters, subscriptions } = needs
  return [
    ['eth_getLogs', method(1, (p, context) => getLogs(needs, p, context))],
    ['eth_newFilter', method(1, (p) => newFilter(needs, p))],
    ['eth_newBlockFilter', method(0, () => filters.addBlocks())],
    ['eth_newPendingTransactionFilter', method(1, (p) => newPendingFilter(filters, p))],
    ['eth_getFilterChanges', method(1, (p, context) => filters.changes(readString(p, 0), slicesOf(context)))],
    ['eth_getFilterLogs', method(1, (p, context) => getFilterLogs(needs, p, context))],
    ['eth_uninstallFilter', method(1, (p) => filters.remove(readString(p, 0)))],
    ['eth_subscribe', method(2, (p, context) => subscribe(api, subscriptions, p, context))],
    ['eth_unsubscribe', method(1, (p, { socket }) => subscriptions.remove(needSocket(socket).sink, readString(p, 0)))],
  ]
}

interface Range {
  readonly from: number
  readonly to: number
}

function getLogs(needs: LogMethodNeeds, params: Params, context: CallContext) {
  const { api, logs } = needs
  const filter = readObject(params, 0)
  const matcher = readLogMatcher(api, filter, 0)
  const { from, to } = isAbsent(filter.blockHash) ? readRange(needs, filter) : rangeOfHash(api, filter)
  return logs.scan(matcher, from, to, slicesOf(context))
}

function rangeOfHash(api: ChainApi, filter: Readonly<Record<string, unknown>>): Range {
  if (!isAbsent(filter.fromBlock) || !isAbsent(filter.toBlock)) {
    throw invalidArgument(0, 'cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other')
  }
  const hash = asFixed(filter.blockHash, 32, (reason) => invalidArgument(0, `blockHash: ${reason}`)) as Hash
  const height = api.heightOf(hash)
  if (height === undefined) throw serverError('unknown block')
  return { from: height, to: height }
}

const beyondHead = () => invalidParams('block range extends beyond current head block')

/** Absent ends mean latest. */
function readRange({ api, logRangeBlocksMax }: LogMethodNeeds, filter: Readonly<Record<string, unknown>>): Range {
  const from = readEnd(api, filter.fromBlock)
  const to = readEnd(api, filter.toBlock)
  if (from !== undefined && to !== undefined) {
    if (from > to) throw invalidParams('invalid block range params')
    if (to - from >= logRangeBlocksMax) {
      throw invalidParams(`block range of ${to - from + 1} exceeds the limit of ${logRangeBlocksMax}: ask in parts`)
    }
    return { from, to }
  }
  if (isReversed(filter.fromBlock, filter.toBlock)) throw invalidParams('invalid block range params')
  throw beyondHead()
}

function readEnd(api: ChainApi, value: unknown): number | undefined {
  if (!isAbsent(value) && typeof value !== 'string') {
    throw invalidArgument(0, `block range wants numbers or tags, got ${typeName(value)}`)
  }
  return readHeight(api, [value], 0)
}

/** Both ends were read as numbers before: at least one lies beyond the head. */
const isReversed = (from: unknown, to: unknown): boolean =>
  typeof from === 'string' &&
  typeof to === 'string' &&
  from.startsWith('0x') &&
  to.startsWith('0x') &&
  BigInt(from) > BigInt(to)

/** A filter may begin or end in the future. */
function newFilter({ api, filters }: LogMethodNeeds, params: Params) {
  const filter = readObject(params, 0)
  const matcher = readLogMatcher(api, filter, 0)
  if (!isAbsent(filter.blockHash)) throw invalidArgument(0, 'blockHash is for eth_getLogs: a filter follows new blocks')
  const fromBlock = readFixedEnd(api, filter.fromBlock)
  const toBlock = readFixedEnd(api, filter.toBlock)
  if (fromBlock !== undefined && toBlock !== undefined && fromBlock > toBlock) {
    throw invalidParams('invalid block range params')
  }
  return filters.addLogs(matcher, fromBlock, toBlock)
}

/** Filters keep hashes: whole transactions until somebody polls would be memory for the asking. */
function newPendingFilter(filters: Filters, params: Params) {
  if (readBoolean(params, 0, false)) {
    throw invalidArgument(0, 'whole transactions come by eth_subscribe("newPendingTransactions", true)')
  }
  return filters.addPending()
}

const MOVING_TAGS: ReadonlySet<unknown> = new Set(['latest', 'pending', 'safe', 'finalized'])

/** Number of a fixed end; undefined for one that moves with the head. */
function readFixedEnd(api: ChainApi, value: unknown): number | undefined {
  if (isAbsent(value) || MOVING_TAGS.has(value)) return undefined
  const height = readEnd(api, value)
  return height ?? Number(value)
}

function getFilterLogs(
  { api, filters, logs, logRangeBlocksMax }: LogMethodNeeds,
  params: Params,
  context: CallContext,
) {
  const filter = filters.logFilter(readString(params, 0))
  const head = api.head().header.number
  const from = filter.fromBlock ?? head
  const to = Math.min(filter.toBlock ?? head, head)
  if (to - from >= logRangeBlocksMax) {
    throw invalidParams(
      `block range of ${to - from + 1} exceeds the limit of ${logRangeBlocksMax}: use eth_getLogs in parts`,
    )
  }
  return logs.scan(filter.matcher, from, to, slicesOf(context))
}

const slicesOf = ({ line, deadlineMs }: CallContext) => new Slices(line, deadlineMs)

/** Geth's text and code for a transport that cannot push. */
function needSocket(socket: CallContext['socket']) {
  if (!socket) throw new RpcError(RPC_CODES.methodNotFound, 'notifications not supported')
  return socket
}

function subscribe(api: ChainApi, subscriptions: Subscriptions, params: Params, context: CallContext) {
  const socket = needSocket(context.socket)
  return subscriptions.add(socket, readSubscription(api, params))
}

function readSubscription(api: ChainApi, params: Params): SubscriptionKind {
  const name = readString(params, 0)
  switch (name) {
    case 'newHeads':
    case 'syncing':
      return { name }
    case 'logs':
      return { name, matcher: readMatcher(api, params) }
    case 'newPendingTransactions':
      return { name, full: readBoolean(params, 1, false) }
    default:
      throw unknownSubscription(name.slice(0, 64))
  }
}

const readMatcher = (api: ChainApi, params: Params): LogMatcher =>
  readLogMatcher(api, isAbsent(params[1]) ? {} : readObject(params, 1), 1)

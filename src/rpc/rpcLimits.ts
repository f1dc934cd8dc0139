/** Limits of one RPC server: all configurable, the defaults from core/limits.ts. */
import {
  rpcBatchMax,
  rpcBodyBytesMax,
  rpcCallGasMax,
  rpcConnectionPendingMax,
  rpcConnectionsMax,
  rpcFilterHashesMax,
  rpcFiltersMax,
  rpcLogRangeBlocksMax,
  rpcPendingBytesMax,
  rpcRequestsMax,
  rpcResponseBytesMax,
  rpcSocketPendingMax,
  rpcSocketQueueBytesMax,
  rpcSocketsMax,
  rpcSubscriptionsMax,
  rpcUnreadBytesMax,
} from '../core/limits.js'

export interface RpcLimits {
  readonly bodyBytesMax: number
  readonly batchMax: number
  readonly responseBytesMax: number
  readonly logRangeBlocksMax: number
  /** From the last byte of a request: what is not answered by then is refused. */
  readonly requestTimeoutMs: number
  /** A request has to arrive whole within this. */
  readonly receiveTimeoutMs: number
  /** Who reads nothing of an answer for so long is cut. */
  readonly sendTimeoutMs: number
  /** Gas of one eth_call or eth_estimateGas. */
  readonly callGasMax: number
  /** A filter that nobody polls is dropped. */
  readonly filterIdleMs: number
  readonly filtersMax: number
  readonly filterHashesMax: number
  readonly connectionsMax: number
  /** Requests that are not answered yet, of one HTTP connection and of all clients. */
  readonly connectionPendingMax: number
  readonly requestsMax: number
  /** Size of those of all clients. */
  readonly pendingBytesMax: number
  /** What clients have not read yet, all together. */
  readonly unreadBytesMax: number
  readonly socketsMax: number
  readonly subscriptionsMax: number
  readonly socketPendingMax: number
  readonly socketQueueBytesMax: number
  /** A WebSocket without a sign of life for one to two of these is cut. */
  readonly socketPingMs: number
}

export const RPC_LIMITS: RpcLimits = {
  bodyBytesMax: rpcBodyBytesMax,
  batchMax: rpcBatchMax,
  responseBytesMax: rpcResponseBytesMax,
  logRangeBlocksMax: rpcLogRangeBlocksMax,
  requestTimeoutMs: 5_000,
  receiveTimeoutMs: 5_000,
  sendTimeoutMs: 30_000,
  callGasMax: rpcCallGasMax,
  filterIdleMs: 5 * 60_000,
  filtersMax: rpcFiltersMax,
  filterHashesMax: rpcFilterHashesMax,
  connectionsMax: rpcConnectionsMax,
  connectionPendingMax: rpcConnectionPendingMax,
  requestsMax: rpcRequestsMax,
  pendingBytesMax: rpcPendingBytesMax,
  unreadBytesMax: rpcUnreadBytesMax,
  socketsMax: rpcSocketsMax,
  subscriptionsMax: rpcSubscriptionsMax,
  socketPendingMax: rpcSocketPendingMax,
  socketQueueBytesMax: rpcSocketQueueBytesMax,
  socketPingMs: 30_000,
}

/** What a JSON-RPC method is, and the table that holds all of them. */
import type { AuditApi } from './auditApi.js'
import type { ChainApi } from './chainApi.js'
import type { DeliveryApi } from './deliveryApi.js'
import type { Filters } from './filters.js'
import type { Line } from './line.js'
import type { LogScanner } from './logScan.js'
import type { Params } from './params.js'
import type { ReadObserver } from './reads.js'
import type { Caller } from './roles.js'
import type { SocketRequest } from './subscriptions.js'

/** Where a request comes from. */
export interface RequestSource {
  /** IP address of the client; empty where it is not known. */
  readonly remote: string
  /** Its connection. */
  readonly line: Line
  /** undefined over HTTP. */
  readonly socket?: SocketRequest
  /** What it may call. */
  readonly caller: Caller
}

/** One request's surroundings. */
export interface CallContext extends Omit<RequestSource, 'caller'> {
  /** Milliseconds on the clock of `performance.now()`: work in slices stops then. */
  readonly deadlineMs: number
}

/** What methods work with; one per server. */
export interface MethodNeeds {
  readonly api: ChainApi
  readonly filters: Filters
  readonly logs: LogScanner
  /** Gas of one eth_call or eth_estimateGas. */
  readonly callGasMax: number
  /** Absent: nobody is told of this node's records. */
  readonly audit?: AuditApi
  /** Absent: no reads are recorded. */
  readonly reads?: ReadObserver
  /** Undefined: this server knows no envelopes. */
  readonly delivery?: DeliveryApi | undefined
}

export interface Method {
  /** More parameters than these are refused. */
  readonly paramsMax: number
  /** It hands consensus its work: its time is not held against the connection when it succeeds. */
  readonly submits?: true
  /** Returns JSON, or a promise of it for work done in slices. Throws RpcError. */
  run(params: Params, context: CallContext): unknown
}

/** A Map, so that `constructor` or `__proto__` is no method. */
export type MethodTable = ReadonlyMap<string, Method>

/** Methods of one namespace by full name. */
export type MethodEntries = readonly (readonly [name: string, method: Method])[]

export const method = (paramsMax: number, run: Method['run']): Method => ({ paramsMax, run })

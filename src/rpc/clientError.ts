import { CodedError } from '../core/codedError.js'

/** Trouble between client and node; faults which the node itself reports are RpcError. */
export type RpcClientCode = 'UNREACHABLE' | 'TIMEOUT' | 'REFUSED' | 'MALFORMED_ANSWER' | 'OVERSIZED' | 'CLOSED'

export class RpcClientError extends CodedError<RpcClientCode> {}

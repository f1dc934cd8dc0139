/** What the RPC asks of a node's records. The node decides who may ask. */
import type { CallContext } from './method.js'

export interface AuditApi {
  /** Entries of a trail for a member that proves its key. Throws RpcError; its data names the reason of a refusal. */
  trail(query: unknown, authorization: unknown, context: CallContext): Promise<unknown>
}

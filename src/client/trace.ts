/** Who asked, answered and read what: a node's audit trail, for who may see it (docs/audit.md). */
import { auditTrail } from '../agent/auditClient.js'
import type { AuditQuery } from '../audit/auditQuery.js'
import type { TraceEntry } from '../audit/entry.js'
import type { Member } from './connect.js'

export type { AuditQuery } from '../audit/auditQuery.js'
export type { TraceEntry } from '../audit/entry.js'

/** Of which blocks; default: all. */
export type TraceOptions = Partial<AuditQuery>

/**
 * Entries in the order in which they happened; the member signs who asks, and the node says what it may see. Throws RpcError, whose
 * data names the reason of a refusal, or RpcClientError.
 *
 *     for await (const { kind, says } of trace(member, { enterprise: '91440300708461136T' })) show(kind, says)
 */
export async function* trace(member: Member, options: TraceOptions = {}): AsyncGenerator<TraceEntry> {
  const { fromBlock = 0, toBlock = Number(await member.client.call('eth_blockNumber')), ...about } = options
  for await (const page of auditTrail(member.client, member.sender, { fromBlock, toBlock, ...about })) {
    yield* page.entries
  }
}

/** Asks a node for a trail that holds reads too, and proves who asks (docs/audit.md). */
import type { AuditAnswer, AuditQuery } from '../audit/auditQuery.js'
import { authorizationDigest, authorizationTypedData, queryHash } from '../audit/authorization.js'
import type { TrailPage } from '../audit/trail.js'
import { toHash, toHex } from '../core/bytes.js'
import { randomBytes } from '../crypto/random.js'
import type { RpcClient } from '../rpc/client.js'
import type { TypedSigner } from './signer.js'

/** How long an authorization counts: for one answer, and clocks that differ a little. */
const EXPIRES_S = 120

/** Pages of final blocks and of the node's read log. Throws RpcError, whose data names the reason of a refusal, or RpcClientError. */
export async function* auditTrail(
  client: RpcClient,
  signer: TypedSigner,
  query: AuditQuery,
): AsyncGenerator<TrailPage> {
  const chainId = Number(await client.call('eth_chainId'))
  const { self: node } = await client.call('concordat_consensusStatus')
  let asked: AuditQuery = query
  for (;;) {
    const expires = Math.floor(Date.now() / 1_000) + EXPIRES_S
    const terms = { chainId, node, expires, nonce: toHash(randomBytes(32)) }
    const hash = queryHash(asked)
    const digest = authorizationDigest(hash, terms)
    const signature = toHex(await signer.signTypedData(authorizationTypedData(hash, terms), digest))
    const answer = (await client.request('concordat_auditTrail', [asked, { ...terms, signature }])) as AuditAnswer
    const toBlock = answer.next === null ? query.toBlock : Math.min(query.toBlock, answer.next.nextBlock)
    yield { entries: answer.entries, fromBlock: query.fromBlock, toBlock }
    if (answer.next === null) return
    asked = { ...query, ...answer.next }
  }
}

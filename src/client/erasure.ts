/** Erasure of envelopes that travelled directly (docs/delivery.md). */
import { delivery } from '../agent/contractClient.js'
import { transact } from '../agent/transact.js'
import type { Hash } from '../core/bytes.js'
import type { Member } from './connect.js'

export interface ErasureRequest {
  readonly transaction: Hash
  readonly block: number
  /** Block until which the holders have to confirm. */
  readonly deadline: number
}

/**
 * Asks all who hold the envelopes of a submission to erase them within so many blocks. Throws ContractRevert (NothingToErase:
 * what stands in blocks cannot be erased), AgentError, RpcError or RpcClientError.
 */
export async function requestErasure(
  member: Member,
  submissionId: bigint,
  withinBlocks: number,
): Promise<ErasureRequest> {
  // Of the next block, which is the first that can hold the request.
  const deadline = Number(await member.client.call('eth_blockNumber')) + 1 + withinBlocks
  const { transaction, block } = await transact(member, delivery, 'requestErasureOf', {
    submissionId,
    deadline: BigInt(deadline),
  })
  return { transaction, block, deadline }
}

/** Whether a StoreData that may have left has become final. */
import type { Hash } from '../../core/bytes.js'
import { rpcLogRangeBlocksMax } from '../../core/limits.js'
import type { Connection } from '../connection.js'
import { dataSharing, view } from '../contractClient.js'
import { type StoredSubmission, storedIn } from '../enterpriseProxy.js'
import { WaitError } from '../heads.js'
import type { KnownDeclaration } from './knownDeclaration.js'

interface Sent {
  readonly transaction: Hash
  /** It is in a later block, if in any. */
  readonly afterHeight: number
}

/**
 * By receipt; a transaction that the node still has is waited for; then by the enterprise's submissions since, of which one may have this
 * document. Undefined: none is final, and none can become so but in place of the next of this account.
 */
export async function findStored(
  connection: Connection,
  declaration: KnownDeclaration,
  sent: readonly Sent[],
  timeoutMs: number,
): Promise<StoredSubmission | undefined> {
  for (const { transaction } of sent) {
    const found = await settled(connection, transaction, timeoutMs)
    if (found) return found
  }
  const [first] = sent
  return first && findDocument(connection, declaration, Math.max(0, first.afterHeight))
}

async function settled(
  { client, heads }: Connection,
  hash: Hash,
  timeoutMs: number,
): Promise<StoredSubmission | undefined> {
  const receiptOf = async () => (await client.call('eth_getTransactionReceipt', hash)) ?? undefined
  let receipt = await receiptOf()
  if (receipt === undefined && (await client.call('eth_getTransactionByHash', hash)) !== null) {
    receipt = await heads.until(receiptOf, timeoutMs, `transaction ${hash} to become final`).catch((error: unknown) => {
      // Lost meanwhile, or displaced: the logs tell.
      if (error instanceof WaitError && error.code === 'TIMEOUT') return undefined
      throw error
    })
  }
  return receipt?.status === '0x1' ? storedIn(receipt) : undefined
}

async function findDocument(
  connection: Connection,
  { enterpriseId, documentHash }: KnownDeclaration,
  afterHeight: number,
): Promise<StoredSubmission | undefined> {
  const { client } = connection
  const head = Number(await client.call('eth_blockNumber'))
  for (let from = afterHeight; from <= head; from += rpcLogRangeBlocksMax) {
    const to = Math.min(head, from + rpcLogRangeBlocksMax - 1)
    const logs = await client.call('eth_getLogs', {
      address: dataSharing.address,
      fromBlock: quantity(from),
      toBlock: quantity(to),
      topics: [dataSharing.abi.topic('DataStored'), null, enterpriseId],
    })
    for (const { topics, transactionHash, blockNumber } of logs) {
      const submissionId = BigInt(topics[1] ?? 0)
      const stored = await view(client, dataSharing, 'submissionOf', { submissionId })
      if (stored.documentHash !== documentHash) continue
      return { submissionId, transaction: transactionHash, height: Number(blockNumber) }
    }
  }
  return undefined
}

const quantity = (value: number): `0x${string}` => `0x${value.toString(16)}`

/** The whole public history of a batch of goods, for whoever can read the chain. */
import { BATCH_STATE, type BatchStateName, nameOf } from '../contracts/codes.js'
import { idText, isTextId } from '../contracts/textId.js'
import { type Address, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../core/bytes.js'
import { stepsPageMax } from '../core/limits.js'
import type { RpcClient } from '../rpc/client.js'
import { provenance, view } from './contractClient.js'
import { createDirectory } from './directory.js'

export interface BatchStep {
  readonly by: string
  readonly kind: string
  readonly block: number
  /** ISO 8601. */
  readonly time: string
  readonly dataHash: Hash
  readonly note: string
}

export interface BatchHistory {
  readonly batch: string
  readonly product: string
  readonly state: BatchStateName
  readonly reason: string
  readonly origin: string
  readonly custodian: string
  readonly nextCustodian: string | null
  readonly openedInBlock: number
  readonly dataHash: Hash
  /** Batches that it was made from. */
  readonly inputs: readonly string[]
  /** The batch behind it, or itself, that was recalled. */
  readonly recalled: string | null
  readonly steps: readonly BatchStep[]
}

/** Throws ContractRevert (UnknownBatch, TooMany), RpcError or RpcClientError. */
export async function batchHistory(client: RpcClient, batchId: Hash): Promise<BatchHistory> {
  const batch = await view(client, provenance, 'batchOf', { batchId })
  const directory = createDirectory(client)
  const named = async (account: Address) => (await directory.member(account))?.name ?? account
  const recalled = await view(client, provenance, 'recalledSource', { batchId })
  const steps: BatchStep[] = []
  for (let first = 0; first < batch.steps; first += stepsPageMax) {
    for (const step of await view(client, provenance, 'stepsOf', { batchId, first, count: stepsPageMax })) {
      const { dataHash, note } = step
      const time = new Date(Number(step.time) * 1000).toISOString()
      steps.push({
        by: await named(step.by),
        kind: wordText(step.kind),
        block: Number(step.height),
        time,
        dataHash,
        note,
      })
    }
  }
  return {
    batch: wordText(batchId),
    product: batch.product,
    state: nameOf(BATCH_STATE, batch.state) ?? 'open',
    reason: batch.reason,
    origin: await named(batch.origin),
    custodian: await named(batch.custodian),
    nextCustodian: batch.nextCustodian === ZERO_ADDRESS ? null : await named(batch.nextCustodian),
    openedInBlock: Number(batch.openedAt),
    dataHash: batch.dataHash,
    inputs: batch.inputs.map(wordText),
    recalled: recalled === ZERO_HASH ? null : wordText(recalled),
    steps,
  }
}

const wordText = (word: Hash): string => (isTextId(word) ? idText(word) : word)

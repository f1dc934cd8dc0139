/** Gathers what proves a transaction, an entry of the user portrait or a whole exchange, and verifies it before it is handed out. */
import type { Hash } from '../../core/bytes.js'
import { EXCHANGE_TOPICS } from '../../evidence/exchange.js'
import { type EvidenceFile, FORMAT, type TransactionPlace, writeEvidence } from '../../evidence/format.js'
import { word } from '../../evidence/layout.js'
import { type EvidenceReport, prove, verifyEvidence } from '../../evidence/verify.js'
import type { RpcClient } from '../../rpc/client.js'
import type { LogFilter, RpcLog } from '../../rpc/wire.js'
import { dataSharing, view } from '../contractClient.js'
import { isTooWide } from '../logRange.js'
import { ExportError } from './exportError.js'
import { NodePool } from './nodePool.js'
import { placeNodes } from './orderedProof.js'
import { closingRuns, hexNumber, runsOf } from './runs.js'
import { StateNodes } from './stateNodes.js'

/** What is to be proved; words are those of textId. */
export type EvidenceQuery =
  | { readonly kind: 'transaction'; readonly hash: Hash }
  | { readonly kind: 'portrait'; readonly enterprise: Hash; readonly attribute: Hash }
  | { readonly kind: 'exchange'; readonly requestId: bigint }

export interface ExportedEvidence {
  /** The file. */
  readonly text: string
  readonly report: EvidenceReport
}

/** Blocks may become final while proofs are fetched, and their state may then be gone. */
const ATTEMPTS_MAX = 20

/** Throws ExportError, EvidenceError where the node's data prove nothing, RpcError and RpcClientError. */
export async function exportEvidence(client: RpcClient, query: EvidenceQuery): Promise<ExportedEvidence> {
  const origin = await originOf(client)
  if (query.kind === 'transaction') {
    const place = await placeOf(client, query.hash)
    return gather(client, { ...origin, kind: query.kind, subject: [query.hash], transactions: [place], state: null })
  }
  const states = new StateNodes(client)
  for (let attempt = 1; ; attempt++) {
    const height = Number(await client.call('eth_blockNumber'))
    try {
      return await gather(client, { ...origin, ...(await stateful(client, query, height)), state: height }, states)
    } catch (error) {
      const moved = Number(await client.call('eth_blockNumber')) > height
      if (!moved || attempt === ATTEMPTS_MAX) throw error
    }
  }
}

type Origin = Pick<EvidenceFile, 'format' | 'chainId' | 'genesis' | 'nodes' | 'token'>
type Subject = Pick<EvidenceFile, 'kind' | 'subject' | 'transactions' | 'state'>

async function originOf(client: RpcClient): Promise<Origin> {
  const { header, nodes } = await client.call('concordat_getGenesisProof')
  const chainId = Number(await client.call('eth_chainId'))
  return { format: FORMAT, chainId, genesis: header, nodes, token: null }
}

async function placeOf(client: RpcClient, hash: Hash): Promise<TransactionPlace> {
  const found = await client.call('eth_getTransactionByHash', hash)
  if (found === null || found.blockNumber === null) {
    throw new ExportError('NOT_FOUND', `transaction ${hash} is in no final block of this node`)
  }
  return { block: Number(found.blockNumber), index: Number(found.transactionIndex) }
}

async function stateful(
  client: RpcClient,
  query: Exclude<EvidenceQuery, { kind: 'transaction' }>,
  height: number,
): Promise<Omit<Subject, 'state'>> {
  if (query.kind === 'portrait')
    return { kind: 'portrait', subject: [query.enterprise, query.attribute], transactions: [] }
  const { requestId } = query
  const request = await view(client, dataSharing, 'requestOf', { requestId })
  const logs = await exchangeLogs(client, requestId, Number(request.height), height)
  const places = new Map(
    logs.map(({ blockNumber, transactionIndex }) => {
      const place = { block: Number(blockNumber), index: Number(transactionIndex) }
      return [`${place.block}/${place.index}`, place] as const
    }),
  )
  return { kind: 'exchange', subject: [word(requestId)], transactions: [...places.values()] }
}

/** Everything that the contract said about a question, in order. */
async function exchangeLogs(
  client: RpcClient,
  requestId: bigint,
  from: number,
  to: number,
): Promise<readonly RpcLog[]> {
  const topics = [EXCHANGE_TOPICS as readonly Hash[], word(requestId) as Hash]
  const filter: LogFilter = { address: dataSharing.address, topics }
  try {
    return await client.call('eth_getLogs', { ...filter, fromBlock: hexNumber(from), toBlock: hexNumber(to) })
  } catch (error) {
    if (!isTooWide(error, to - from + 1)) throw error
    const middle = (from + to) >> 1
    const first = await exchangeLogs(client, requestId, from, middle)
    return [...first, ...(await exchangeLogs(client, requestId, middle + 1, to))]
  }
}

async function gather(client: RpcClient, wanted: Origin & Subject, states?: StateNodes): Promise<ExportedEvidence> {
  const { transactions, state } = wanted
  const pool = new NodePool(wanted.nodes)
  for (const { block, index } of transactions) for (const node of await placeNodes(client, block, index)) pool.add(node)
  const fetch = state === null ? undefined : await states?.open(pool, state)
  const heights = [...transactions.map(({ block }) => block), ...(state === null ? [] : [state])]
  const blocks = await runsOf(client, heights)
  const epochs = await closingRuns(client, blocks)
  const genesisHash = await client.call('concordat_genesisHash')
  const file = { ...wanted, epochs, blocks }
  await prove(file, { genesisHash, take: pool.take, fetch })
  const text = writeEvidence({ ...file, nodes: pool.used })
  return { text, report: await verifyEvidence(text, { genesisHash }) }
}

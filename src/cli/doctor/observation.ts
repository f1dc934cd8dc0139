/** What nodes say of themselves over RPC, asked all at once; a node that does not answer is an observation, too. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Address, Hash } from '../../core/bytes.js'
import { createRpcClient, type RpcClient, RpcClientError } from '../../rpc/client.js'
import { RpcError } from '../../rpc/errors.js'
import type { RpcConsensus, RpcDeliveryTotals, RpcPeer } from '../../rpc/wire.js'
import { rpcOf } from '../rpcAccess.js'
import type { ProcessFacts } from './processFacts.js'

const TIMEOUT_MS = 3_000
/** A node that is merely one block later than the others has caught up after this. */
const SECOND_LOOK_MS = 500

export interface Target {
  readonly name: string
  readonly url: string
  /** One that is known for it; others come by CONCORDAT_RPC_TOKEN_FILE. */
  readonly token?: string | undefined
  /** Where it is known before the node answers. */
  readonly address?: Address
  /** Where the node is a process of this machine. */
  readonly process?: ProcessFacts
}

export interface Head {
  readonly height: number
  readonly hash: Hash
  readonly stateRoot: Hash
}

export interface Answer {
  readonly clientVersion: string
  readonly chainId: number
  readonly genesisHash: Hash
  readonly head: Head
  readonly syncing: false | { readonly currentBlock: number; readonly highestBlock: number }
  readonly consensus: RpcConsensus
  readonly peers: readonly RpcPeer[]
  /** Blocks that another node had and this one did not, half a second later still. */
  readonly lagBlocks: number
  /** How far it has fetched the blocks below its snapshot; null where it fetches none. */
  readonly history: { readonly checked: number; readonly total: number } | null
  /** Transactions that could be sealed now. */
  readonly pendingCount: number
  /** Envelopes that this node brings to others and that do not arrive; the longest first. */
  readonly overdue: RpcDeliveryTotals['overdue']
  readonly rttMs: number
  /** The node's wall clock minus this machine's, known to half of `rttMs`. */
  readonly clockOffsetMs: number
  /** Its block at the height that all answering nodes of its chain have. */
  readonly common: { readonly height: number; readonly hash: Hash } | null
}

export interface Observation extends Target {
  readonly answer: Answer | null
  /** Why there is no answer, in plain words; '' with one. */
  readonly fault: string
}

/** Asks every target; never throws. Takes seconds at most, whatever the nodes do. */
export async function observe(targets: readonly Target[]): Promise<readonly Observation[]> {
  const clients = targets.map(({ url, token }) => createRpcClient({ ...rpcOf(url, {}, token), timeoutMs: TIMEOUT_MS }))
  try {
    const first = await Promise.all(targets.map((target, i) => ask(target, clients[i]!)))
    return await Promise.all((await lookAgain(first, clients)).map((one, i) => withCommon(one, first, clients[i]!)))
  } finally {
    for (const client of clients) client.close()
  }
}

async function ask(target: Target, client: RpcClient): Promise<Observation> {
  const { url } = client
  try {
    return { ...target, url, answer: await read(client), fault: '' }
  } catch (error) {
    return { ...target, url, answer: null, fault: faultText(error, url) }
  }
}

async function read(client: RpcClient): Promise<Answer> {
  // The first request opens the connection: its time would be counted to the clock.
  const genesisHash = await client.call('concordat_genesisHash')
  const sentAt = Date.now()
  const before = performance.now()
  const consensus = await client.call('concordat_consensus')
  const rttMs = performance.now() - before
  const [clientVersion, chainId, head, syncing, peers, pool, { overdue }, { history }] = await Promise.all([
    client.call('web3_clientVersion'),
    client.call('eth_chainId'),
    readHead(client),
    client.call('eth_syncing'),
    client.call('concordat_peers'),
    client.call('txpool_status'),
    client.call('concordat_deliveryTotals'),
    client.call('concordat_consensusStatus'),
  ])
  return {
    clientVersion,
    chainId: Number(chainId),
    genesisHash,
    head,
    syncing: syncing && {
      currentBlock: Number(syncing.currentBlock),
      highestBlock: Number(syncing.highestBlock),
    },
    consensus,
    peers,
    lagBlocks: 0,
    history: history && { checked: Number(history.checked), total: Number(history.total) },
    pendingCount: Number(pool.pending),
    overdue,
    rttMs,
    clockOffsetMs: consensus.clockMs - (sentAt + rttMs / 2),
    common: null,
  }
}

async function readHead(client: RpcClient): Promise<Head> {
  const block = await client.call('eth_getBlockByNumber', 'latest', false)
  if (block === null) throw new RpcClientError('MALFORMED_ANSWER', `${client.url} has no latest block`)
  return { height: Number(block.number), hash: block.hash, stateRoot: block.stateRoot }
}

/** Looks once more at those behind the highest, so that a block that was on its way does not look like lag. */
async function lookAgain(first: readonly Observation[], clients: readonly RpcClient[]): Promise<Observation[]> {
  const highest = Math.max(...heights(first))
  const isBehind = ({ answer }: Observation) => answer !== null && answer.head.height < highest
  if (first.some(isBehind)) await delay(SECOND_LOOK_MS)
  return Promise.all(
    first.map(async (one, i) => {
      if (one.answer === null || !isBehind(one)) return one
      const { height } = await readHead(clients[i]!).catch(() => one.answer!.head)
      return { ...one, answer: { ...one.answer, lagBlocks: Math.max(0, highest - height) } }
    }),
  )
}

/** With the block at the highest height that all have. */
async function withCommon(one: Observation, all: readonly Observation[], client: RpcClient): Promise<Observation> {
  if (one.answer === null) return one
  const { genesisHash } = one.answer
  const height = Math.min(...heights(all.filter(({ answer }) => answer?.genesisHash === genesisHash)))
  try {
    const block = await client.call('eth_getBlockByNumber', `0x${height.toString(16)}`, false)
    return block === null ? one : { ...one, answer: { ...one.answer, common: { height, hash: block.hash } } }
  } catch {
    return one
  }
}

const heights = (all: readonly Observation[]): number[] =>
  all.flatMap(({ answer }) => (answer === null ? [] : [answer.head.height]))

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: no node listens there',
  ETIMEDOUT: 'no connection within seconds: the machine is off, or a firewall drops the packets',
  EHOSTUNREACH: 'no route to this machine',
  ENETUNREACH: 'no route to this network',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'the host name cannot be looked up now',
  ECONNRESET: 'the connection was cut: does something else listen there?',
}

function faultText(error: unknown, url: string): string {
  if (error instanceof RpcClientError) {
    const { code } = (error.cause ?? {}) as { code?: string }
    if (error.code === 'TIMEOUT')
      return `no answer from ${url} within ${TIMEOUT_MS / 1_000} s: the process hangs or is overloaded`
    return code === undefined || CAUSES[code] === undefined ? error.message : `${url}: ${CAUSES[code]}`
  }
  if (error instanceof RpcError) return `${url} is no node of this version: ${error.message}`
  return `${url}: ${(error as Error).message}`
}

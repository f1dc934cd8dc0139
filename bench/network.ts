/**
 * Figures of a real network of four processes on this machine: write -> final on an idle chain, and throughput of
 * submissions, final and durable. Usage: node dist/bench/network.js [--transactions N] [--writes N] [--departments 1..3] [--json]
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { dataPortrait, dataSharing, members, view } from '../src/agent/contractClient.js'
import { followHeads } from '../src/agent/heads.js'
import { createSender } from '../src/agent/sender.js'
import { createNetwork } from '../src/cli/network/create.js'
import type { NetworkFile } from '../src/cli/network/file.js'
import { downNetwork, upNetwork } from '../src/cli/network/lifecycle.js'
import { createOutput } from '../src/cli/output.js'
import { ROLE } from '../src/contracts/codes.js'
import { idText, textId } from '../src/contracts/textId.js'
import { type Address, fromHex, type Hash, type Hex, toHash, toHex, ZERO_HASH } from '../src/core/bytes.js'
import { privateKeyToAddress } from '../src/crypto/secp256k1.js'
import { signTransaction } from '../src/crypto/transaction.js'
import { createRpcClient, type RpcClient } from '../src/rpc/client.js'
import { quantiles } from './stats.js'

const { values: flags } = parseArgs({
  options: {
    transactions: { type: 'string', default: '8000' },
    writes: { type: 'string', default: '200' },
    senders: { type: 'string', default: '200' },
    'base-port': { type: 'string', default: '21545' },
    /** To how many departments each submission goes, 1 to 3. */
    departments: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
})

interface Enterprise {
  readonly key: Uint8Array
  readonly account: Address
  readonly id: Hash
  nonce: bigint
}

const ENVELOPE_BYTES = 320
const out = createOutput(flags.json)
const dir = mkdtempSync(join(tmpdir(), 'concordat-bench-'))
const basePort = Number(flags['base-port'])
const created = await createNetwork({
  out: join(dir, 'net'),
  nodes: 4,
  hosts: [],
  chainId: 20_261,
  basePort,
  baseP2pPort: basePort + 2_000,
  timestamp: Math.floor(Date.now() / 1_000) - 60,
})
try {
  await upNetwork(join(dir, 'net'), { detached: true, agents: false })
  const clients = created.nodes.map((node) => createRpcClient({ url: node.rpc, timeoutMs: 30_000 }))
  const enterprises = await registerEnterprises(created, clients[0]!, Number(flags.senders))
  const makeData = await submissionMaker(clients[0]!)
  const latency = await idleWrites(clients[0]!, enterprises[0]!, makeData, Number(flags.writes))
  const throughput = await load(clients, enterprises, makeData, Number(flags.transactions))
  out.table(
    ['figure', 'value'],
    [
      ['write -> final, idle, p50', `${latency.p50.toFixed(1)} ms`],
      ['write -> final, idle, p90', `${latency.p90.toFixed(1)} ms`],
      ['write -> final, idle, p99', `${latency.p99.toFixed(1)} ms`],
      ['throughput, final and durable', `${throughput.perSecond.toFixed(0)} tx/s`],
      ['transactions, blocks', `${throughput.transactions}, ${throughput.blocks}`],
      ['CPU per transaction per node', `${throughput.cpuMicrosPerTransactionPerNode.toFixed(0)} µs`],
      ['bytes of one transaction', String(throughput.bytes)],
    ],
  )
  out.result({ latency, throughput })
  for (const client of clients) client.close()
} catch (error) {
  for (const { name } of created.nodes) process.stderr.write(`${name}: ${troubleOf(name)}\n`)
  throw error
} finally {
  await downNetwork(join(dir, 'net')).catch(() => 0)
  rmSync(dir, { recursive: true, force: true })
}

/** What a node's log says of trouble: lines above the level of information. */
function troubleOf(node: string): string {
  const lines = readFileSync(join(dir, 'net', node, 'logs', 'node.log'), 'utf8').split('\n')
  return (
    lines
      .filter((line) => !line.includes('"level":30'))
      .slice(-8)
      .join('\n') || 'no trouble in its log'
  )
}

async function registerEnterprises(network: NetworkFile, client: RpcClient, count: number): Promise<Enterprise[]> {
  const heads = followHeads(client)
  const operator = createSender(
    { chainId: network.chainId, privateKey: fromHex(network.accounts.operator!.privateKey) },
    { client, heads },
  )
  const enterprises = Array.from({ length: count }, (_, index): Enterprise => {
    const key = new Uint8Array(randomBytes(32))
    return { key, account: privateKeyToAddress(key), id: textId(`BENCH${String(index).padStart(13, '0')}`), nonce: 0n }
  })
  const sent: Hash[] = []
  for (const { account, id } of enterprises) {
    const member = { account, role: ROLE.enterprise, id, name: idText(id), encryptionKey: ZERO_HASH }
    sent.push(await operator.send(members, 'registerMember', { member }))
  }
  await operator.final(sent.at(-1)!)
  heads.stop()
  return enterprises
}

type MakeData = (enterprise: Enterprise) => Uint8Array

/** Submissions of three attributes to each of some departments, sized like real ones. */
async function submissionMaker(client: RpcClient): Promise<MakeData> {
  const profiles = await view(client, dataPortrait, 'GetDataProfile', {})
  const bySupervisor = new Map<Address, { keyEpoch: bigint; attributes: Hash[] }>()
  for (const { attribute, supervisors, keyEpoch } of profiles) {
    const supervisor = supervisors[0] as Address
    const part = bySupervisor.get(supervisor) ?? { keyEpoch, attributes: [] }
    if (part.attributes.length < 3) part.attributes.push(attribute as Hash)
    bySupervisor.set(supervisor, part)
  }
  return ({ id }) =>
    dataSharing.abi.encodeCall('StoreData', {
      enterpriseId: id,
      documentHash: toHash(new Uint8Array(randomBytes(32))),
      portraitVersion: 1,
      parts: [...bySupervisor].slice(0, Number(flags.departments)).map(([recipient, { keyEpoch, attributes }]) => ({
        recipient,
        keyEpoch,
        attributes,
        digests: attributes.map(() => toHash(new Uint8Array(randomBytes(32)))),
        envelope: new Uint8Array(randomBytes(ENVELOPE_BYTES)),
      })),
    })
}

function sign(enterprise: Enterprise, data: Uint8Array): Uint8Array {
  const unsigned = {
    type: 2 as const,
    chainId: BigInt(created.chainId),
    nonce: enterprise.nonce++,
    gasPrice: 0n,
    maxPriorityFeePerGas: 0n,
    gasLimit: 2_000_000n,
    to: dataSharing.address,
    value: 0n,
    data,
    accessList: [],
  }
  return signTransaction(unsigned, enterprise.key).raw
}

async function idleWrites(client: RpcClient, enterprise: Enterprise, makeData: MakeData, count: number) {
  const heads = followHeads(client)
  const times: number[] = []
  for (let i = 0; i < count + 20; i++) {
    const raw = toHex(sign(enterprise, makeData(enterprise)))
    const start = performance.now()
    const hash = await client.call('eth_sendRawTransaction', raw)
    const receipt = await heads.until(
      async () => (await client.call('eth_getTransactionReceipt', hash)) ?? undefined,
      30_000,
      'a receipt',
    )
    const took = performance.now() - start
    if (receipt.status !== '0x1') throw new Error('a submission was refused on chain')
    if (i >= 20) times.push(took)
  }
  heads.stop()
  return quantiles(times)
}

async function load(
  clients: readonly RpcClient[],
  enterprises: readonly Enterprise[],
  makeData: MakeData,
  count: number,
) {
  const raws: Hex[] = []
  for (let i = 0; i < count; i++) {
    const enterprise = enterprises[i % enterprises.length]!
    raws.push(toHex(sign(enterprise, makeData(enterprise))))
  }
  const first = Number(await clients[0]!.call('eth_blockNumber'))
  const cpuBefore = await cpuSeconds()
  const start = performance.now()
  const perBatch = 50
  const batches: Hex[][] = []
  for (let at = 0; at < raws.length; at += perBatch) batches.push(raws.slice(at, at + perBatch))
  // Each node is fed in order, one batch under way, so that a sender's nonces arrive in order.
  await Promise.all(
    clients.map(async (client, index) => {
      for (let at = index; at < batches.length; at += clients.length) {
        const results = await client.batch(
          batches[at]!.map((raw) => ({ method: 'eth_sendRawTransaction', params: [raw] })),
        )
        for (const result of results) if (!result.ok) throw result.error
      }
    }),
  )
  const { height, transactions } = await untilFinal(clients[0]!, first, count)
  const seconds = (performance.now() - start) / 1_000
  const cpu = (await cpuSeconds()) - cpuBefore
  return {
    transactions,
    blocks: height - first,
    seconds,
    perSecond: transactions / seconds,
    bytes: (raws[0]!.length - 2) / 2,
    cpuMicrosPerTransactionPerNode: (cpu / created.nodes.length / transactions) * 1e6,
  }
}

/** CPU time of all node processes since their start, in seconds. */
async function cpuSeconds(): Promise<number> {
  const texts = await Promise.all(created.nodes.map(async (node) => (await fetch(node.metrics)).text()))
  return texts.reduce((sum, text) => sum + Number(/^process_cpu_seconds_total\{[^}]*\} ([\d.]+)/m.exec(text)?.[1]), 0)
}

async function untilFinal(
  client: RpcClient,
  first: number,
  count: number,
): Promise<{ height: number; transactions: number }> {
  let height = first
  let transactions = 0
  const heads = followHeads(client)
  await heads.until(
    async () => {
      const head = Number(await client.call('eth_blockNumber'))
      for (; height < head; height++) {
        const block = await client.call('eth_getBlockByNumber', `0x${(height + 1).toString(16)}`, false)
        transactions += block!.transactions.length
      }
      return transactions >= count ? true : undefined
    },
    300_000,
    'all transactions to be final',
  )
  heads.stop()
  return { height, transactions }
}

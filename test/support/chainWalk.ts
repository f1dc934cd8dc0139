/**
 * What an indexer does: reads everything that a node tells about each block of a chain, and holds it against the published schemas, viem
 * and ethers, which nobody here wrote.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import { Interface, JsonRpcProvider } from 'ethers'
import type { Test } from 'tap'
import { type Abi, type Address, createPublicClient, decodeEventLog, type Hash, http, type Log } from 'viem'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { createRpcClient, type RpcCall } from '../../src/rpc/client.js'
import { readVector, skipWithoutVectors } from '../vectors.js'

interface Described {
  readonly methods: readonly { readonly name: string; readonly result?: { readonly schema: object } }[]
}

const BATCH = 50

/** As others get them: the files of `abi/`. */
const ABIS = new Map<string, Abi>(
  readdirSync('abi').map((file) => {
    const name = file.replace('.json', '') as keyof typeof CONTRACT_ADDRESSES
    return [CONTRACT_ADDRESSES[name], JSON.parse(readFileSync(join('abi', file), 'utf8')) as Abi]
  }),
)

const quantity = (value: number) => `0x${value.toString(16)}`

/** Asserts over every block up to the head: schemas (where the vectors are there), viem, ethers. */
export async function walkChain(t: Test, rpc: string): Promise<void> {
  const client = createRpcClient({ url: rpc })
  const head = Number(await client.call('eth_blockNumber'))
  const calls: RpcCall[] = []
  const hashes: Hash[] = []
  for (let height = 0; height <= head; height++) {
    const number = quantity(height)
    const block = (await client.request('eth_getBlockByNumber', [number, false])) as {
      hash: Hash
      transactions: Hash[]
    }
    hashes.push(...block.transactions)
    calls.push(...callsOfBlock(number, block))
  }
  calls.push(
    ...Object.values(CONTRACT_ADDRESSES).map((address) => ({
      method: 'eth_getProof',
      params: [address, ['0x0'], 'latest'],
    })),
  )
  calls.push({ method: 'eth_feeHistory', params: ['0x10', 'latest', [25, 75]] })
  await t.test(`schemas: ${calls.length} answers over ${head + 1} blocks`, { skip: skipWithoutVectors }, async (t) => {
    const validate = validators()
    const faults: unknown[] = []
    for (let at = 0; at < calls.length; at += BATCH) {
      const part = calls.slice(at, at + BATCH)
      for (const [index, answer] of (await client.batch(part)).entries()) {
        const { method, params } = part[index]!
        const valid = validate(method)
        if (!answer.ok) faults.push({ method, params, error: answer.error.message })
        else if (!isEmpty(answer.result) && !valid(answer.result)) faults.push({ method, params, errors: valid.errors })
      }
    }
    t.same(faults.slice(0, 3), [], 'nothing to complain about')
  })
  await t.test(`viem: ${hashes.length} transactions`, (t) => walkWithViem(t, rpc, head, hashes))
  await t.test('ethers', (t) => walkWithEthers(t, rpc, head))
  client.close()
}

function callsOfBlock(
  number: string,
  { hash, transactions }: { hash: Hash; transactions: readonly Hash[] },
): RpcCall[] {
  const calls: [method: string, params: unknown[]][] = [
    ['eth_getBlockByNumber', [number, true]],
    ['eth_getBlockByHash', [hash, true]],
    ['eth_getBlockReceipts', [number]],
    ['eth_getBlockTransactionCountByHash', [hash]],
    ['eth_getLogs', [{ blockHash: hash }]],
    ['debug_getRawBlock', [number]],
    ['debug_getRawReceipts', [number]],
    ...transactions.flatMap((own, index): [string, unknown[]][] => [
      ['eth_getTransactionByHash', [own]],
      ['eth_getTransactionReceipt', [own]],
      ['eth_getTransactionByBlockNumberAndIndex', [number, quantity(index)]],
    ]),
  ]
  return calls.map(([method, params]) => ({ method, params }))
}

/** No logs: the schema says "one of", and an empty list is as good a list of hashes. */
const isEmpty = (result: unknown): boolean => Array.isArray(result) && result.length === 0

function validators(): (method: string) => ValidateFunction {
  const { methods } = readVector<Described>('openrpc.json')
  const ajv = new Ajv({ strict: false, allErrors: false })
  const compiled = new Map<string, ValidateFunction>()
  return (method) => {
    const known = compiled.get(method)
    if (known) return known
    const schema = methods.find(({ name }) => name === method)?.result?.schema
    if (schema === undefined) throw new Error(`${method} is not in openrpc.json`)
    const made = ajv.compile(schema)
    compiled.set(method, made)
    return made
  }
}

/** Every block, transaction and receipt is read, and every log decoded by the ABI of its contract. */
async function walkWithViem(t: Test, rpc: string, head: number, hashes: readonly Hash[]): Promise<void> {
  const viem = createPublicClient({ transport: http(rpc, { batch: true }) })
  for (let height = 0; height <= head; height++) {
    const block = await viem.getBlock({ blockNumber: BigInt(height), includeTransactions: true })
    if (height > 0) t.equal((await viem.getBlock({ blockHash: block.hash! })).parentHash, block.parentHash)
  }
  const receipts = await Promise.all(hashes.map((hash) => viem.getTransactionReceipt({ hash })))
  const logs = receipts.flatMap((receipt) => receipt.logs) as Log[]
  for (const { address, data, topics } of logs) {
    const abi = ABIS.get(address as Address)
    t.ok(abi && decodeEventLog({ abi, data, topics }).eventName, 'a log of a published event')
  }
  t.equal(
    (await viem.getLogs({ fromBlock: 0n, toBlock: BigInt(head) })).length,
    logs.length,
    'logs by range are those of receipts',
  )
}

async function walkWithEthers(t: Test, rpc: string, head: number): Promise<void> {
  const provider = new JsonRpcProvider(rpc)
  const known = new Map([...ABIS].map(([address, abi]) => [address, new Interface(JSON.stringify(abi))]))
  for (let height = 0; height <= head; height++) {
    const block = (await provider.getBlock(height, true))!
    for (const transaction of block.prefetchedTransactions) {
      const receipt = (await provider.getTransactionReceipt(transaction.hash))!
      t.equal(transaction.from, receipt.from)
      for (const log of receipt.logs)
        t.ok(known.get(log.address.toLowerCase() as Address)?.parseLog(log), 'a log with a name')
    }
  }
  provider.destroy()
}

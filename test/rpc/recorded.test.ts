/**
 * Exchanges that execution-apis recorded, over the recorded chain: the node's decoders read its blocks, and answers and errors have to be
 * the recorded ones to the letter. What cannot be is listed with the reason.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Block } from '../../src/core/block.js'
import { asHeight, EMPTY_BYTES, fromHex, type Hash, toHex, ZERO_ADDRESS } from '../../src/core/bytes.js'
import { headerFromItem } from '../../src/core/header.js'
import type { Log, Receipt } from '../../src/core/receipt.js'
import { type RlpItem, RlpReader, rlpDecode, rlpEncode } from '../../src/core/rlp.js'
import { assertChainId, decodeTransaction } from '../../src/core/transaction.js'
import { logsBloom } from '../../src/crypto/bloom.js'
import { hashHeader } from '../../src/crypto/header.js'
import { recoverTransaction } from '../../src/crypto/transaction.js'
import type { CallRequest, ChainApi, ChainTransaction, FinalBlock, TransactionPlace } from '../../src/rpc/chainApi.js'
import { startRpcServer } from '../../src/rpc/server.js'
import type { RpcLog, RpcReceipt } from '../../src/rpc/wire.js'
import { readVectorBytes, skipWithoutVectors, vectorsDir } from '../vectors.js'
import { createFakeChain } from './fakeChain.js'
import { type Answer, post } from './harness.js'

const FOLDER = 'execution-apis/tests'
const CHAIN_ID = 3503995874084926

interface Exchange {
  readonly name: string
  readonly request: { readonly method: string; readonly params?: readonly unknown[] }
  readonly answer: Answer
}

function recordedExchanges(): Exchange[] {
  return readdirSync(join(vectorsDir, FOLDER), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join(vectorsDir, FOLDER, name)).map((file) => join(name, file)))
    .map(readExchange)
}

/** The last request of a file and its answer. */
function readExchange(name: string): Exchange {
  const lines = new TextDecoder().decode(readVectorBytes(join(FOLDER, name))).split('\n')
  const last = (mark: string) => lines.findLast((line) => line.startsWith(mark))!.slice(2)
  return { name, request: JSON.parse(last('>>')), answer: JSON.parse(last('<<')) }
}

const listOf = (item: RlpItem | undefined) => item as readonly RlpItem[]

/** A recorded block of the forks up to London's header; its ommers, which this chain does not know, are left out. */
function readBlock(raw: Uint8Array): FinalBlock | undefined {
  const [fields, items] = listOf(rlpDecode(raw))
  if (listOf(fields).length > 16) return undefined
  const header = headerFromItem(listOf(fields))
  const raws = listOf(items).map((item) => (item instanceof Uint8Array ? item : rlpEncode(item)))
  const transactions = raws.map((bytes) => recoverTransaction(decodeTransaction(bytes)))
  const block: Block<ChainTransaction> = { header, transactions }
  return { hash: hashHeader(header), block, sizeBytes: raw.length }
}

function recordedBlocks(exchanges: readonly Exchange[]): FinalBlock[] {
  const genesis = exchanges.find(({ name }) => name === 'debug_getRawBlock/get-genesis.io')!.answer.result as string
  const raws = [fromHex(genesis)]
  const stream = new RlpReader(readVectorBytes(join(FOLDER, 'chain.rlp')))
  while (!stream.done) raws.push(stream.item())
  return raws.map(readBlock).filter((block) => block !== undefined)
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** Receipts and logs anywhere in the answers. */
function collect(value: unknown, receipts: Map<string, RpcReceipt>, logs: Map<string, RpcLog>): void {
  if (!isObject(value)) return
  if ('cumulativeGasUsed' in value) receipts.set(String(value.transactionHash), value as unknown as RpcReceipt)
  if ('logIndex' in value) logs.set(`${value.blockHash}/${value.logIndex}`, value as unknown as RpcLog)
  for (const inner of Object.values(value)) collect(inner, receipts, logs)
}

const FILLER: Log = { address: ZERO_ADDRESS, topics: [], data: EMPTY_BYTES }

/** Of a block, as far as they were recorded: what other transactions of the block used and said is made up. */
function receiptsOf({ hash, block }: FinalBlock, { receipts, logs }: Recorded): Receipt[] {
  let logCount = 0
  const logsOf = block.transactions.map((_, index): Log[] => {
    const own = [...logs.values()]
      .filter((log) => log.blockHash === hash && Number(log.transactionIndex) === index)
      .sort((a, b) => Number(a.logIndex) - Number(b.logIndex))
    const missing = own.length === 0 ? 0 : Number(own[0]!.logIndex) - logCount
    logCount += missing + own.length
    const fillers = new Array<Log>(missing).fill(FILLER)
    return [...fillers, ...own.map(({ address, topics, data }) => ({ address, topics, data: fromHex(data) }))]
  })
  return block.transactions.map((tx, index) => {
    const known = receipts.get(tx.hash)
    const next = receipts.get(block.transactions[index + 1]?.hash ?? '')
    const gas = next ? BigInt(next.cumulativeGasUsed) - BigInt(next.gasUsed) : 0n
    const cumulativeGasUsed = known ? BigInt(known.cumulativeGasUsed) : gas
    const own = logsOf[index]!
    return { type: tx.type, status: 1, cumulativeGasUsed, logs: own, logsBloom: logsBloom(own) }
  })
}

interface Recorded {
  readonly receipts: Map<string, RpcReceipt>
  readonly logs: Map<string, RpcLog>
  /** Data of failed calls by their input. */
  readonly reverts: Map<string, Uint8Array>
}

function record(exchanges: readonly Exchange[]): Recorded {
  const recorded = { receipts: new Map(), logs: new Map(), reverts: new Map() }
  for (const { request, answer } of exchanges) {
    collect(answer, recorded.receipts, recorded.logs)
    const [call] = request.params ?? []
    const data = answer.error?.data
    if (isObject(call) && typeof data === 'string') recorded.reverts.set(String(call.input), fromHex(data))
  }
  return recorded
}

/** The recorded chain behind the port of the RPC. There is no EVM: of its calls only failed ones are known. */
function recordedChain(exchanges: readonly Exchange[]): ChainApi {
  const blocks = new Map(recordedBlocks(exchanges).map((block) => [block.block.header.number, block]))
  const heights = new Map([...blocks].map(([height, { hash }]) => [hash, height]))
  const places = new Map<Hash, TransactionPlace>()
  for (const [blockNumber, { block }] of blocks) {
    block.transactions.forEach(({ hash }, index) => void places.set(hash, { blockNumber, index }))
  }
  const recorded = record(exchanges)
  const head = blocks.get(asHeight(Math.max(...blocks.keys())))!
  const fake = createFakeChain()
  const call = (request: CallRequest) => {
    const returnData = recorded.reverts.get(toHex(request.data))
    if (returnData) return { ok: false, code: 'REVERTED', returnData } as const
    return { ok: false, code: 'FAILED', message: 'there is no EVM' } as const
  }
  return {
    ...fake,
    chainId: CHAIN_ID,
    head: () => ({ hash: head.hash, header: head.block.header }),
    blockByNumber: (number) => blocks.get(number),
    blockByHash: (hash) => blocks.get(heights.get(hash) ?? asHeight(0xffff)),
    headerByNumber: (number) => blocks.get(number)?.block.header,
    hashOf: (number) => blocks.get(number)?.hash,
    heightOf: (hash) => heights.get(hash),
    locate: (hash) => places.get(hash),
    state: () => ({ ...fake.state(asHeight(0))!, call, estimateGas: call }),
    receipts(number) {
      const block = blocks.get(number)
      return block && receiptsOf(block, recorded)
    },
    submitTransaction(raw) {
      const tx = decodeTransaction(raw)
      assertChainId(tx, BigInt(CHAIN_ID))
      return { ok: true, hash: recoverTransaction(tx).hash }
    },
  }
}

const EVM = 'there is no EVM here to have this state'
const LATER = 'of a fork after London, whose headers and transactions this chain refuses'
const ROOTS = 'receipts before Byzantium hold a state root'

/** Exchanges that cannot be the same, and why. */
const DIFFERENT: readonly [name: RegExp, why: string][] = [
  [/^(eth_baseFee|eth_feeHistory)/, 'fees are 0 here'],
  [/^eth_blobBaseFee/, 'there are no blobs'],
  [/^(eth_config|eth_capabilities|txpool_(content\/|status))/, 'facts of another chain and node'],
  [/blob-tx|setcode-tx|cancun|prague|shanghai|with-eip/, LATER],
  [/^(eth_blockNumber|eth_getBlock\w+\/.*(latest|safe|finalized))/, LATER],
  [/^debug_getRawBlock\/get-block-n/, 'its ommers were left out'],
  [/^debug_getRawReceipts\/get-block-n/, ROOTS],
  [/^eth_getBlockReceipts\/.*(by-hash|-n\.io)|^eth_getTransactionReceipt\/get-legacy/, ROOTS],
  [/^eth_call\/(call-callenv|call-contract|call-eip)|^eth_estimateGas\/estimate-(simple|successful)/, EVM],
  [/^eth_(createAccessList|getBalance|getCode|getProof|getTransactionCount)(?!.*unknown)/, EVM],
  [/^eth_getStorage(At|Values)\/get-storage(-values)?(-default|-multiple|\.io)/, EVM],
  [/^debug_getRawTransaction\/get-invalid-hash/, 'the text names a type of Go'],
]

t.test('recorded exchanges', { skip: skipWithoutVectors }, async (t) => {
  const exchanges = recordedExchanges()
  const defects: unknown[] = []
  const server = await startRpcServer(
    { host: '127.0.0.1', port: 0 },
    { api: recordedChain(exchanges), onDefect: (error) => defects.push(error) },
  )
  t.teardown(() => server.close())
  let same = 0
  for (const exchange of exchanges) if (await tryExchange(t, server.url, exchange)) same++
  t.ok(same > 50, `${same} of ${exchanges.length} are the same`)
  for (const [names, why] of DIFFERENT)
    t.ok(
      exchanges.some(({ name }) => names.test(name)),
      why,
    )
  t.equal(defects.length, 1, 'a blob transaction, which the port would refuse')
})

/** True where the exchange is the same. */
async function tryExchange(t: Test, url: string, { name, request, answer }: Exchange): Promise<boolean> {
  const own = JSON.parse((await post(url, JSON.stringify({ jsonrpc: '2.0', id: 1, ...request }))).body) as Answer
  const why = DIFFERENT.find(([names]) => names.test(name))?.[1]
  if (why === undefined) {
    t.strictSame(withoutPrices(own), withoutPrices(answer), name)
    return true
  }
  if (answer.error) t.equal(own.error?.code, answer.error.code, `${name}: the same code, and another text: ${why}`)
  else t.notSame(withoutPrices(own), withoutPrices(answer), `${name} differs: ${why}`)
  return false
}

/** What was paid is 0 on this chain, whatever was offered. */
function withoutPrices(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPrices)
  if (!isObject(value)) return value
  const inner = Object.entries(value).map(([key, member]) => [key, withoutPrices(member)] as const)
  const isPaid = (key: string) => key === 'effectiveGasPrice' || (key === 'gasPrice' && value.type === '0x2')
  return Object.fromEntries(inner.filter(([key]) => !isPaid(key)))
}

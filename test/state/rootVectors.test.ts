/** Recorded Ethereum blocks: state roots of whole allocations, transactions roots, receipts roots. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { asAddress, asHash, fromHex, type Hash, toHash, uintToWord } from '../../src/core/bytes.js'
import { headerFromItem } from '../../src/core/header.js'
import { encodeReceipt, type Receipt } from '../../src/core/receipt.js'
import { type RlpItem, RlpReader, rlpDecode, rlpEncode } from '../../src/core/rlp.js'
import { EMPTY_STATE } from '../../src/state/layer.js'
import { orderedRoot } from '../../src/state/orderedTrie.js'
import { StateOverlay } from '../../src/state/overlay.js'
import { readVector, readVectorBytes, skipWithoutVectors, vectorFiles, vectorsDir } from '../vectors.js'

interface Allocated {
  readonly balance: string
  readonly nonce: string
  readonly code: string
  readonly storage: Readonly<Record<string, string>>
}
type Allocation = Readonly<Record<string, Allocated>>

interface BlockchainVector {
  readonly blocks: readonly {
    readonly rlp: string
    readonly blockHeader?: { readonly hash: string; readonly stateRoot: string }
  }[]
  readonly genesisBlockHeader: { readonly stateRoot: string }
  readonly lastblockhash: string
  readonly pre: Allocation
  readonly postState?: Allocation
}

const word = (hex: string): Hash => toHash(uintToWord(BigInt(hex)))
const listOf = (item: RlpItem | undefined) => item as readonly RlpItem[]
const rawOf = (item: RlpItem): Uint8Array => (item instanceof Uint8Array ? item : rlpEncode(item))

function rootOf(allocation: Allocation): Hash {
  const overlay = new StateOverlay(EMPTY_STATE)
  for (const [text, { balance, nonce, code, storage }] of Object.entries(allocation)) {
    const address = asAddress(text)
    overlay.setBalance(address, BigInt(balance))
    overlay.setNonce(address, BigInt(nonce))
    overlay.setCode(address, fromHex(code))
    for (const [slot, value] of Object.entries(storage)) overlay.setStorage(address, word(slot), word(value))
  }
  return overlay.root()
}

t.test('ethereum-tests BlockchainTests: state and transactions roots', { skip: skipWithoutVectors }, async (t) => {
  let post = 0
  for (const file of vectorFiles('ethereum-tests/BlockchainTests/ValidBlocks')) {
    for (const [name, vector] of Object.entries(readVector<Record<string, BlockchainVector>>(file))) {
      t.equal(rootOf(vector.pre), vector.genesisBlockHeader.stateRoot, `${name} before`)
      for (const { rlp } of vector.blocks) {
        const [header, transactions] = listOf(rlpDecode(fromHex(rlp)))
        const root = headerFromItem(listOf(header).slice(0, 16)).transactionsRoot
        t.equal(orderedRoot(listOf(transactions).map(rawOf)), root, `${name} transactions`)
      }
      const last = vector.blocks.find(({ blockHeader }) => blockHeader?.hash === vector.lastblockhash)
      if (last === undefined || vector.postState === undefined) continue
      t.equal(rootOf(vector.postState), last.blockHeader!.stateRoot, `${name} after`)
      post++
    }
  }
  t.ok(post > 20, `${post} states after blocks`)
})

interface RpcReceipt {
  readonly type: string
  readonly status?: string
  readonly cumulativeGasUsed: string
  readonly logsBloom: string
  readonly blockHash: string
  readonly logs: readonly { readonly address: string; readonly topics: readonly string[]; readonly data: string }[]
}

t.test('execution-apis: receipts roots of recorded blocks', { skip: skipWithoutVectors }, async (t) => {
  const roots = recordedReceiptsRoots()
  let blocks = 0
  for (const receipts of recordedBlockReceipts()) {
    const number = Number(receipts[0]!.blockNumber)
    if (receipts.some(({ status, type }) => status === undefined || Number(type) > 2)) continue
    t.equal(orderedRoot(receipts.map(toReceipt).map(encodeReceipt)), roots.get(number), `block ${number}`)
    blocks++
  }
  t.ok(blocks > 0, `${blocks} blocks`)
})

function recordedReceiptsRoots(): Map<number, Hash> {
  const roots = new Map<number, Hash>()
  const stream = new RlpReader(readVectorBytes('execution-apis/tests/chain.rlp'))
  while (!stream.done) {
    const header = headerFromItem(listOf(listOf(rlpDecode(stream.item()))[0]).slice(0, 16))
    roots.set(header.number, header.receiptsRoot)
  }
  return roots
}

function recordedBlockReceipts(): (RpcReceipt & { readonly blockNumber: string })[][] {
  const folder = join('execution-apis/tests', 'eth_getBlockReceipts')
  return readdirSync(join(vectorsDir, folder)).flatMap((file) => {
    const exchange = new TextDecoder().decode(readVectorBytes(join(folder, file)))
    const answer = exchange.split('\n').find((line) => line.startsWith('<<')) ?? '<<{}'
    const { result } = JSON.parse(answer.slice(2)) as { result?: (RpcReceipt & { blockNumber: string })[] | null }
    return result && result.length > 0 ? [result] : []
  })
}

function toReceipt(receipt: RpcReceipt): Receipt {
  return {
    type: Number(receipt.type) as 0 | 1 | 2,
    status: Number(receipt.status) as 0 | 1,
    cumulativeGasUsed: BigInt(receipt.cumulativeGasUsed),
    logsBloom: fromHex(receipt.logsBloom),
    logs: receipt.logs.map(({ address, topics, data }) => ({
      address: asAddress(address),
      topics: topics.map((topic) => asHash(topic)),
      data: fromHex(data),
    })),
  }
}

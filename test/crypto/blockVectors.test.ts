/** Recorded Ethereum blocks: header hashes, block codec, senders of every transaction, receipts, blooms. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { decodeBlock, encodeBlock } from '../../src/core/block.js'
import { asAddress, asHash, fromHex, type Hash, toHex } from '../../src/core/bytes.js'
import { CodedError } from '../../src/core/codedError.js'
import { encodeHeader, headerFromItem, headerItems } from '../../src/core/header.js'
import { decodeReceipt, encodeReceipt } from '../../src/core/receipt.js'
import { type RlpItem, RlpReader, rlpDecode, rlpEncode } from '../../src/core/rlp.js'
import { assertChainId, decodeTransaction } from '../../src/core/transaction.js'
import { logsBloom } from '../../src/crypto/bloom.js'
import { hashHeader } from '../../src/crypto/header.js'
import { keccakHash } from '../../src/crypto/keccak.js'
import { recoverTransaction } from '../../src/crypto/transaction.js'
import { readVector, readVectorBytes, skipWithoutVectors, vectorFiles, vectorsDir } from '../vectors.js'

/** Chain id of the recorded chain of execution-apis. */
const CHAIN_ID = 3503995874084926n

interface RecordedBlock {
  readonly rlp: string
  readonly blockHeader?: { readonly hash: string }
  readonly transactions?: readonly { readonly sender: string; readonly type?: string }[]
}
interface BlockchainVector {
  readonly blocks: readonly RecordedBlock[]
  readonly genesisBlockHeader: { readonly hash: string }
  readonly genesisRLP: string
}

const partsOf = (rlp: Uint8Array) => rlpDecode(rlp) as readonly RlpItem[]
const listOf = (item: RlpItem | undefined) => item as readonly RlpItem[]

/** Hash of a header of any fork, coded by our 16 fields and the later fields as they are. */
function hashOfLaterHeader(item: readonly RlpItem[]): Hash {
  const header = headerFromItem(item.slice(0, 16))
  return keccakHash(rlpEncode([...headerItems(header), ...item.slice(16)]))
}

t.test('ethereum-tests BlockchainTests', { skip: skipWithoutVectors }, async (t) => {
  let senders = 0
  for (const file of vectorFiles('ethereum-tests/BlockchainTests/ValidBlocks')) {
    for (const [name, vector] of Object.entries(readVector<Record<string, BlockchainVector>>(file))) {
      const genesis = listOf(partsOf(fromHex(vector.genesisRLP))[0])
      t.equal(hashOfLaterHeader(genesis), vector.genesisBlockHeader.hash, `${name} genesis`)
      for (const block of vector.blocks) {
        if (block.blockHeader === undefined) continue
        const parts = partsOf(fromHex(block.rlp))
        t.equal(hashOfLaterHeader(listOf(parts[0])), block.blockHeader.hash, `${name} header`)
        t.throws(() => decodeBlock(fromHex(block.rlp)), { code: 'FIELD_COUNT' }, 'fields after London are refused')
        for (const [index, item] of listOf(parts[1]).entries()) {
          const raw = item instanceof Uint8Array ? item : rlpEncode(item)
          const { sender } = recoverTransaction(decodeTransaction(raw))
          // Some vectors leave the sender out.
          t.equal(sender, block.transactions?.[index]?.sender ?? sender, `${name} sender`)
          senders++
        }
      }
    }
  }
  t.ok(senders > 50, `${senders} senders`)
})

t.test(
  'ethereum-tests InvalidBlocks: decode, or are refused by a typed error',
  { skip: skipWithoutVectors },
  async (t) => {
    const refused = new Map<string, string>()
    for (const file of vectorFiles('ethereum-tests/BlockchainTests/InvalidBlocks')) {
      for (const [name, vector] of Object.entries(readVector<Record<string, BlockchainVector>>(file))) {
        for (const block of vector.blocks) {
          try {
            headerFromItem(listOf(partsOf(fromHex(block.rlp))[0]).slice(0, 16))
          } catch (error) {
            if (!(error instanceof CodedError)) throw error
            refused.set(name, error.message)
          }
        }
      }
    }
    t.match(refused.get('GasLimitHigherThan2p63m1_Cancun'), /header.gasLimit must be below 2\^63/)
  },
)

t.test(
  'ethereum-tests GenesisTests and BasicTests: a header from before London',
  { skip: skipWithoutVectors },
  async (t) => {
    const vector = readVector<{ genesis_rlp_hex: string; genesis_hash: string }>(
      'ethereum-tests/BasicTests/genesishashestest.json',
    )
    const rlp = fromHex(`0x${vector.genesis_rlp_hex}`)
    const block = decodeBlock(rlp)
    t.equal(hashHeader(block.header), `0x${vector.genesis_hash}`)
    t.same(encodeBlock(block), rlp)
  },
)

t.test('execution-apis chain.rlp: links, codec, senders', { skip: skipWithoutVectors }, async (t) => {
  const stream = new RlpReader(readVectorBytes('execution-apis/tests/chain.rlp'))
  let parent: Hash | undefined
  let whole = 0
  let transactions = 0
  while (!stream.done) {
    const raw = stream.item()
    const [header, , ommers] = partsOf(raw)
    const fields = listOf(header)
    const decoded = headerFromItem(fields.slice(0, 16))
    if (parent !== undefined) t.equal(decoded.parentHash, parent, `block ${decoded.number} follows its parent`)
    parent = fields.length > 16 ? hashOfLaterHeader(fields) : hashHeader(decoded)
    if (fields.length > 16 || listOf(ommers).length > 0) {
      t.throws(() => decodeBlock(raw), { code: /^(UNSUPPORTED|FIELD_COUNT)$/ })
      continue
    }
    const block = decodeBlock(raw)
    t.same(encodeBlock(block), raw)
    t.equal(keccakHash(encodeHeader(block.header)), parent)
    for (const tx of block.transactions) {
      if (tx.chainId !== null) assertChainId(tx, CHAIN_ID)
      recoverTransaction(tx)
      transactions++
    }
    whole++
  }
  t.equal(whole, 20)
  t.ok(transactions > 20, `${transactions} transactions`)
})

interface RpcLog {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
}
interface RpcReceipt {
  readonly type: string
  readonly status?: string
  readonly cumulativeGasUsed: string
  readonly logsBloom: string
  readonly logs: readonly RpcLog[]
}

t.test('execution-apis receipts: codec and bloom', { skip: skipWithoutVectors }, async (t) => {
  let logsSeen = 0
  for (const result of recordedReceipts()) {
    if (result.status === undefined || Number(result.type) > 2) continue
    const logs = result.logs.map((log) => ({
      address: asAddress(log.address),
      topics: log.topics.map((topic) => asHash(topic)),
      data: fromHex(log.data),
    }))
    t.equal(toHex(logsBloom(logs)), result.logsBloom)
    const receipt = {
      type: Number(result.type) as 0 | 1 | 2,
      status: Number(result.status) as 0 | 1,
      cumulativeGasUsed: BigInt(result.cumulativeGasUsed),
      logsBloom: fromHex(result.logsBloom),
      logs,
    }
    t.same(decodeReceipt(encodeReceipt(receipt)), receipt)
    logsSeen += logs.length
  }
  t.ok(logsSeen > 0, `${logsSeen} logs`)
})

function recordedReceipts(): RpcReceipt[] {
  const folders = ['eth_getTransactionReceipt', 'eth_getBlockReceipts'].map((name) =>
    join('execution-apis/tests', name),
  )
  return folders.flatMap((folder) =>
    readdirSync(join(vectorsDir, folder)).flatMap((file) => {
      const exchange = new TextDecoder().decode(readVectorBytes(join(folder, file)))
      const answer = exchange.split('\n').find((line) => line.startsWith('<<')) ?? '<<{}'
      const { result } = JSON.parse(answer.slice(2)) as { result?: RpcReceipt | RpcReceipt[] | null }
      return result ?? []
    }),
  )
}

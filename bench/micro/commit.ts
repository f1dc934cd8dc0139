/**
 * One final block of 1,000 submissions: execution writes, state root, durable batch; on a state of 100,000 slots.
 * Compare with the time to recover the senders of the same block (60 µs each with libsecp256k1).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asHeight, type Hash, toAddress, toHash, uintToWord, ZERO_HASH } from '../../src/core/bytes.js'
import { EMPTY_OMMERS_HASH, EMPTY_TRIE_ROOT, type Header } from '../../src/core/header.js'
import { hashHeader } from '../../src/crypto/header.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { EMPTY_STATE } from '../../src/state/layer.js'
import { StateOverlay } from '../../src/state/overlay.js'

const slotCount = Number(process.argv[2] ?? 100_000)
const transactions = 1_000
/** New slots and changed slots of one submission, and its sender's nonce. */
const newSlots = 4
const changedSlots = 1
const rounds = 20

const contract = toAddress(new Uint8Array(20).fill(7))
const slot = (n: number): Hash => toHash(keccak256(uintToWord(n)))
const sender = (n: number) => toAddress(keccak256(uintToWord(n)).subarray(12))

function headerOn(parent: { hash: Hash; header: Header } | undefined, overlay: StateOverlay): Header {
  return {
    parentHash: parent?.hash ?? ZERO_HASH,
    ommersHash: EMPTY_OMMERS_HASH,
    miner: contract,
    stateRoot: overlay.root(),
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    logsBloom: new Uint8Array(256),
    difficulty: 1n,
    number: asHeight(parent === undefined ? 0 : parent.header.number + 1),
    gasLimit: 30_000_000n,
    gasUsed: 0n,
    timestamp: 1_700_000_000,
    extraData: new Uint8Array(97),
    mixHash: ZERO_HASH,
    nonce: new Uint8Array(8),
    baseFeePerGas: 0n,
  }
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!

const dir = mkdtempSync(join(tmpdir(), 'concordat-commit-'))
const chain = await ChainStore.open({ dir })
const genesis = new StateOverlay(EMPTY_STATE)
for (let i = 0; i < slotCount; i++) genesis.setStorage(contract, slot(i), toHash(uintToWord(i + 1)))
for (let i = 0; i < 10_000; i++) genesis.setNonce(sender(i), 1n)
const genesisHeader = headerOn(undefined, genesis)
await chain.init({
  block: { header: genesisHeader, transactions: [] },
  hash: hashHeader(genesisHeader),
  overlay: genesis,
})

const times = { write: [] as number[], root: [] as number[], commit: [] as number[], blocking: [] as number[] }
for (let round = 0; round < rounds; round++) {
  const head = chain.head()!
  const slots = Array.from({ length: transactions * newSlots }, (_, i) => slot(slotCount * (2 + round) + i))
  const changed = Array.from({ length: transactions * changedSlots }, (_, i) =>
    slot((i * 7919 + round * 104_729) % slotCount),
  )
  const senders = Array.from({ length: transactions }, (_, i) => sender((i * 31 + round) % 10_000))
  const value = toHash(keccak256(uintToWord(round)))
  const start = performance.now()
  const overlay = new StateOverlay(chain.state())
  for (const s of slots) if (overlay.storage(contract, s) === ZERO_HASH) overlay.setStorage(contract, s, value)
  for (const s of changed) if (overlay.storage(contract, s) !== value) overlay.setStorage(contract, s, value)
  for (const s of senders) overlay.setNonce(s, overlay.account(s)!.nonce + 1n)
  const written = performance.now()
  overlay.root()
  const rooted = performance.now()
  const header = headerOn(head, overlay)
  const final = {
    block: { header, transactions: [] },
    hash: hashHeader(header),
    receipts: [],
    certificate: new Uint8Array(300),
    overlay,
  }
  const committing = performance.now()
  const done = chain.commit(final)
  await Promise.resolve()
  times.blocking.push(performance.now() - committing)
  await done
  times.commit.push(performance.now() - committing)
  times.write.push(written - start)
  times.root.push(rooted - written)
}
await chain.close()
rmSync(dir, { recursive: true })
console.log(
  `${transactions} transactions, ${newSlots} new and ${changedSlots} changed slots each, ${slotCount} slots in state; median of ${rounds} blocks`,
)
for (const [name, values] of Object.entries(times)) console.log(`${name.padEnd(9)} ${median(values).toFixed(1)} ms`)
const perTransaction = ((median(times.write) + median(times.root) + median(times.commit)) / transactions) * 1000
console.log(`a transaction ${perTransaction.toFixed(1)} µs; one libsecp256k1 recover is about 60 µs`)
console.log(`resident  ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`)

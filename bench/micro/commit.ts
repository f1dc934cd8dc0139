/**
 * One final block of 1,000 submissions: execution writes, state root, durable batch; on a state of 100,000 slots.
 * Printed against the recovery of the senders of such a block, which each node pays once as well.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asHeight, type Hash, toAddress, toHash, uintToWord, ZERO_HASH } from '../../src/core/bytes.js'
import { EMPTY_OMMERS_HASH, EMPTY_TRIE_ROOT, type Header } from '../../src/core/header.js'
import { hashHeader } from '../../src/crypto/header.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { secp256k1 } from '../../src/crypto/secp256k1.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { EMPTY_STATE } from '../../src/state/layer.js'
import { StateOverlay } from '../../src/state/overlay.js'

const slotCount = Number(process.argv[2] ?? 100_000)
const transactions = 1_000
/** New slots and changed slots of one submission, and its sender's nonce. */
const newSlots = 4
const changedSlots = 1
const rounds = 30
/** Blocks at the start that read the tries into memory and are not counted. */
const warmUp = 15

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

/** CPU time of this process in ms, all threads: what the machine's other work does not change. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const median = (values: number[]): number => values.slice(warmUp).sort((a, b) => a - b)[(rounds - warmUp) >> 1]!

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

const times = { write: [] as number[], root: [] as number[], commit: [] as number[] }
for (let round = 0; round < rounds; round++) {
  const head = chain.head()!
  const slots = Array.from({ length: transactions * newSlots }, (_, i) => slot(slotCount * (2 + round) + i))
  const changed = Array.from({ length: transactions * changedSlots }, (_, i) =>
    slot((i * 7919 + round * 104_729) % slotCount),
  )
  const senders = Array.from({ length: transactions }, (_, i) => sender((i * 31 + round) % 10_000))
  const value = toHash(keccak256(uintToWord(round)))
  const start = cpuMs()
  const overlay = new StateOverlay(chain.state())
  for (const s of slots) if (overlay.storage(contract, s) === ZERO_HASH) overlay.setStorage(contract, s, value)
  for (const s of changed) if (overlay.storage(contract, s) !== value) overlay.setStorage(contract, s, value)
  for (const s of senders) overlay.setNonce(s, overlay.account(s)!.nonce + 1n)
  const written = cpuMs()
  overlay.root()
  const rooted = cpuMs()
  const header = headerOn(head, overlay)
  const final = {
    block: { header, transactions: [] },
    hash: hashHeader(header),
    receipts: [],
    certificate: new Uint8Array(300),
    overlay,
  }
  const committing = cpuMs()
  await chain.commit(final)
  times.commit.push(cpuMs() - committing)
  times.write.push(written - start)
  times.root.push(rooted - written)
}
await chain.close()
rmSync(dir, { recursive: true })
console.log(
  `${transactions} transactions, ${newSlots} new and ${changedSlots} changed slots each, ${slotCount} slots in state; median CPU time of ${rounds - warmUp} blocks`,
)
for (const [name, values] of Object.entries(times)) console.log(`${name.padEnd(6)} ${median(values).toFixed(1)} ms`)
const perTransaction = (median(times.write) + median(times.root) + median(times.commit)) / transactions
const recoverMs = recoverCpuMs()
console.log(
  `a transaction ${(perTransaction * 1000).toFixed(1)} µs, one recover ${(recoverMs * 1000).toFixed(1)} µs, ratio ${(perTransaction / recoverMs).toFixed(2)}`,
)
console.log(`resident  ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`)

/** CPU time of one sender recovery. */
function recoverCpuMs(): number {
  const key = keccak256(uintToWord(1))
  const digest = keccak256(key)
  const signature = secp256k1.sign(digest, key)
  const start = cpuMs()
  for (let i = 0; i < 1000; i++) secp256k1.recover(digest, signature)
  return (cpuMs() - start) / 1000
}

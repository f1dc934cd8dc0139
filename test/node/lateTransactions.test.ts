/** A peer's transaction whose sender this node does not know yet is tried again when its state has moved on. */
import t from 'tap'
import type { Address } from '../../src/core/bytes.js'
import { rlpEncode } from '../../src/core/rlp.js'
import { signTransaction } from '../../src/crypto/transaction.js'
import { LATE_TRIES_MAX } from '../../src/node/limits.js'
import { Mempool } from '../../src/node/mempool.js'
import { Transactions } from '../../src/node/transactions.js'
import type { Network } from '../../src/p2p/network.js'

const PEER = `0x${'aa'.repeat(20)}` as Address
const TO = `0x${'bb'.repeat(20)}` as Address
const turn = () => new Promise((resolve) => setImmediate(resolve))

function world(maySend: () => boolean) {
  const pool = new Mempool()
  const penalties: string[] = []
  const sent: Uint8Array[] = []
  const network = {
    penalize: (_: Address, fault: string) => penalties.push(fault),
    broadcast: (_channel: number, frame: Uint8Array) => sent.push(frame),
  } as unknown as Network
  const transactions = new Transactions({
    chainId: 7n,
    blockGasLimit: 30_000_000n,
    pool,
    network,
    state: { nonce: () => 0n, balance: () => 0n, maySend, isEvidence: () => false },
    relays: () => false,
    now: () => performance.now(),
    onPooled: () => {},
  })
  const unsigned = {
    type: 2,
    chainId: 7n,
    nonce: 0n,
    gasPrice: 0n,
    maxPriorityFeePerGas: 0n,
    gasLimit: 100_000n,
    to: TO,
    value: 0n,
    data: new Uint8Array(0),
    accessList: [],
  } as const
  const { raw } = signTransaction(unsigned, new Uint8Array(32).fill(7))
  return { pool, penalties, sent, transactions, frame: rlpEncode([raw]) }
}

t.test('it is pooled once the sender is known, and the peer is not blamed', async (t) => {
  let known = false
  const { pool, penalties, transactions, frame } = world(() => known)
  t.ok(transactions.receive(PEER, frame))
  await turn()
  t.equal(pool.size, 0)
  transactions.advanced()
  await turn()
  t.equal(pool.size, 0, 'not yet')
  known = true
  transactions.advanced()
  await turn()
  t.equal(pool.size, 1)
  t.same(penalties, [])
})

t.test('it is not tried for ever', async (t) => {
  let asked = 0
  const { transactions, frame } = world(() => {
    asked++
    return false
  })
  transactions.receive(PEER, frame)
  await turn()
  for (let block = 0; block < LATE_TRIES_MAX + 5; block++) {
    transactions.advanced()
    await turn()
  }
  t.equal(asked, 1 + LATE_TRIES_MAX)
})

t.test('peers can be reminded of what could run, with the same frame as the first time', async (t) => {
  const { sent, transactions, frame } = world(() => true)
  transactions.remind()
  t.same(sent, [], 'nothing waits')
  transactions.receive(PEER, frame)
  await turn()
  transactions.remind()
  t.same(sent, [frame])
})

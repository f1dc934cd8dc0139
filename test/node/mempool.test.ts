import fc from 'fast-check'
import t from 'tap'
import type { Address, Hash } from '../../src/core/bytes.js'
import type { RecoveredTransaction } from '../../src/crypto/transaction.js'
import { Mempool, type MempoolOptions } from '../../src/node/mempool.js'

const LIMITS: MempoolOptions = { countMax: 100, bytesMax: 100_000, perSenderMax: 50, nonceWindow: 64 }
const sender = (n: number) => `0x${n.toString(16).padStart(40, '0')}` as Address

function tx(from: number, nonce: number, salt = 0): RecoveredTransaction {
  const hash =
    `0x${from.toString(16).padStart(4, '0')}${nonce.toString(16).padStart(8, '0')}${salt.toString(16).padStart(52, '0')}` as Hash
  return {
    sender: sender(from),
    nonce: BigInt(nonce),
    hash,
    raw: new Uint8Array(100),
  } as unknown as RecoveredTransaction
}

const order = (pool: Mempool, start = 0n) =>
  [...pool.candidates(() => start)].map((one) => `${Number(one.sender)}:${one.nonce}`)

t.test('serves senders by arrival and nonces in order, leaving out what waits for a gap', async (t) => {
  const pool = new Mempool(LIMITS)
  for (const one of [tx(1, 1), tx(2, 0), tx(1, 0), tx(1, 3)]) t.equal(pool.add(one, 0n), undefined)
  t.same(order(pool), ['1:0', '1:1', '2:0'])
  t.equal(pool.executable, 3)
  t.equal(pool.pendingNonce(sender(1)), 2n)
  t.equal(pool.pendingNonce(sender(9)), undefined)
})

t.test('a busy sender takes turns with the others', async (t) => {
  const pool = new Mempool({ ...LIMITS, countMax: 500, perSenderMax: 200, nonceWindow: 500 })
  for (let nonce = 0; nonce < 130; nonce++) pool.add(tx(1, nonce), 0n)
  pool.add(tx(2, 0), 0n)
  t.equal(order(pool).indexOf('2:0'), 64)
})

t.test('refusals', async (t) => {
  const pool = new Mempool({ ...LIMITS, perSenderMax: 3 })
  pool.add(tx(1, 5), 5n)
  t.equal(pool.add(tx(1, 5), 5n), 'ALREADY_KNOWN')
  t.equal(pool.add(tx(1, 5, 1), 5n), 'NONCE_TAKEN')
  t.equal(pool.add(tx(1, 4), 5n), 'NONCE_TOO_LOW')
  t.equal(pool.add(tx(1, 69), 5n), 'NONCE_TOO_FAR')
  pool.add(tx(1, 6), 5n)
  pool.add(tx(1, 7), 5n)
  t.equal(pool.add(tx(1, 8), 5n), 'SENDER_FULL')
})

t.test('a transaction that waits never displaces one that can run; the other way round it does', async (t) => {
  const pool = new Mempool({ ...LIMITS, countMax: 3 })
  pool.add(tx(1, 0), 0n)
  pool.add(tx(2, 5), 0n)
  pool.add(tx(2, 7), 0n)
  t.equal(pool.add(tx(3, 9), 0n), 'POOL_FULL', 'waits: refused')
  t.equal(pool.add(tx(3, 0), 0n), undefined, 'can run: the furthest waiting one goes')
  t.notOk(pool.has(tx(2, 7).hash))
  t.equal(pool.add(tx(3, 1), 0n), undefined)
  t.equal(pool.add(tx(3, 2), 0n), 'POOL_FULL', 'nothing waits any more')
  t.equal(pool.size, 3)
})

t.test('committed blocks take their transactions and what they made obsolete', async (t) => {
  const pool = new Mempool(LIMITS)
  for (let nonce = 0; nonce < 4; nonce++) pool.add(tx(1, nonce), 0n)
  pool.committed([tx(1, 0), tx(1, 1, 7)])
  t.equal(pool.size, 2)
  t.same(order(pool, 2n), ['1:2', '1:3'])
  t.equal(pool.pendingNonce(sender(1)), 4n)
})

t.test('counters equal a recount after any sequence (property)', async (_t) => {
  const step = fc.record({
    kind: fc.constantFrom('add', 'commit', 'remove'),
    from: fc.integer({ min: 1, max: 3 }),
    nonce: fc.integer({ min: 0, max: 12 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pool = new Mempool({ countMax: 12, bytesMax: 1_000, perSenderMax: 8, nonceWindow: 10 })
      const next = new Map<number, number>()
      for (const { kind, from, nonce } of steps) {
        const state = next.get(from) ?? 0
        if (kind === 'add') pool.add(tx(from, nonce), BigInt(state))
        else if (kind === 'remove') pool.remove(tx(from, nonce))
        else if (nonce >= state) {
          next.set(from, nonce + 1)
          pool.committed([tx(from, nonce)])
        }
      }
      const all = [...pool.all()]
      const run = [...pool.candidates((address) => BigInt(next.get(Number(address)) ?? 0))]
      return (
        pool.size === all.length &&
        pool.size <= 12 &&
        pool.bytes === 100 * all.length &&
        pool.executable === run.length &&
        all.filter((entry) => entry.executable).length === run.length
      )
    }),
    { numRuns: 500 },
  )
})

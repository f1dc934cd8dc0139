/** Two conflicting votes become one transaction, the same on every node, which the pool takes from nobody, until it is on chain. */
import fc from 'fast-check'
import { pino } from 'pino'
import t from 'tap'
import { encodeCertificate } from '../../src/consensus/codec.js'
import type { SignedVote } from '../../src/consensus/types.js'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { readCredit } from '../../src/contracts/creditStorage.js'
import { systemContracts } from '../../src/contracts/registry.js'
import { type Hash, toHash } from '../../src/core/bytes.js'
import { encodeSignedVote } from '../../src/core/vote.js'
import { signTransaction } from '../../src/crypto/transaction.js'
import { EvidenceReporter, evidenceTransaction, isEvidenceTransaction } from '../../src/node/evidence.js'
import { FinalCalls } from '../../src/node/finalCalls.js'
import { CHANNEL } from '../../src/p2p/network.js'
import { readHost } from '../../src/vm/host.js'
import { accountKeys, CHAIN_ID, certificateBy, genesisHash, Parts, sealers, voteBy } from './world.js'

const block = (n: number): Hash => toHash(new Uint8Array(32).fill(n))
const first = voteBy(3, 'notarize', 5, block(1))
const second = voteBy(3, 'notarize', 5, block(2))
const plain = evidenceTransaction(first, second, CHAIN_ID)

/** A node's pool and final chain, with the reporter as node.ts composes them. */
async function open() {
  let reporter: EvidenceReporter | undefined
  const parts = await Parts.open({ admission: { maySend: () => false, isEvidence: (tx) => reporter!.isNews(tx) } })
  const calls = new FinalCalls({ chainId: CHAIN_ID, genesisHash, chain: parts.chain, registry: systemContracts })
  let seen = 0
  reporter = new EvidenceReporter({
    chainId: CHAIN_ID,
    calls,
    nonce: (address) => parts.store.state().account(address)?.nonce ?? 0n,
    submit: (raw) => parts.transactions.submit(raw),
    onEvidence: () => seen++,
    log: pino({ level: 'silent' }),
  })
  return { parts, reporter, seen: () => seen }
}

/** Makes what is in the pool final. */
async function seal(parts: Parts, view: number): Promise<void> {
  const built = parts.build(view)!
  const certificate = encodeCertificate(certificateBy([0, 1, 2], 'finalize', view, built.sealed.hash))
  await parts.chain.commit(built, certificate)
}

t.test('every node makes the same transaction of the same two votes', async (t) => {
  t.equal(evidenceTransaction(second, first, CHAIN_ID).hash, plain.hash)
  t.not(evidenceTransaction(first, voteBy(3, 'notarize', 5, block(3)), CHAIN_ID).sender, plain.sender)
  t.match(plain, { to: CONTRACT_ADDRESSES.credit, nonce: 0n, value: 0n })
  t.ok(isEvidenceTransaction(plain, CHAIN_ID))
  t.ok(isEvidenceTransaction(evidenceTransaction(first, second, CHAIN_ID, 7n), CHAIN_ID))
  t.notOk(isEvidenceTransaction(plain, CHAIN_ID + 1))
})

t.test('whatever else is signed by the derived or by another key is no such transaction', async (t) => {
  const { to, data, gasLimit, nonce } = plain
  const chainId = BigInt(CHAIN_ID)
  const copy = {
    type: 2,
    chainId,
    nonce,
    to,
    data,
    gasLimit,
    gasPrice: 0n,
    maxPriorityFeePerGas: 0n,
    value: 0n,
    accessList: [],
  } as const
  t.notOk(isEvidenceTransaction(signTransaction(copy, accountKeys[0]!), CHAIN_ID))
  fc.assert(
    fc.property(fc.nat(data.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const altered = data.with(at, data[at]! ^ mask)
      return !isEvidenceTransaction(signTransaction({ ...copy, data: altered }, accountKeys[0]!), CHAIN_ID)
    }),
    { numRuns: 100 },
  )
})

t.test('reported once, it is pooled and passed on, gets on chain, cuts credit, and is said no more', async (t) => {
  const { parts, reporter, seen } = await open()
  reporter.report(first, second)
  reporter.report(second, first)
  t.equal(seen(), 2)
  t.ok(parts.pool.has(plain.hash))
  await new Promise(setImmediate)
  t.equal(parts.network.sent.filter(({ channel }) => channel === CHANNEL.transactions).length, 1)
  await seal(parts, 1)
  const credit = () => readCredit(readHost(parts.store.state(), CONTRACT_ADDRESSES.credit), sealers[3]!)
  t.equal(credit().counts.equivocation, 1)
  t.equal(credit().score, 0)
  reporter.advanced()
  reporter.advanced()
  reporter.report(first, second)
  t.equal(parts.pool.size, 0, 'known on chain')
  const other = evidenceTransaction(first, voteBy(3, 'notarize', 5, block(3)), CHAIN_ID)
  t.notOk(reporter.isNews(other), 'of this view enough is known')
})

t.test('what the pool lost is said again', async (t) => {
  const { parts, reporter } = await open()
  reporter.report(first, second)
  parts.pool.remove(parts.pool.get(plain.hash)!)
  reporter.advanced()
  t.ok(parts.pool.has(plain.hash))
})

t.test('only what proves something is taken from nobody', async (t) => {
  const { parts } = await open()
  const forged: SignedVote = { ...second, signature: voteBy(2, 'notarize', 5, block(2)).signature }
  const cases: [string, SignedVote, SignedVote][] = [
    ['the same vote twice', first, first],
    ['votes of two views', first, voteBy(3, 'notarize', 6, block(2))],
    ['votes of two sealers', first, forged],
    ['a vote to notarize and one to nullify', first, voteBy(3, 'nullify', 5)],
    ['an epoch that has not come', voteBy(3, 'notarize', 5, block(1), 1), voteBy(3, 'notarize', 5, block(2), 1)],
  ]
  for (const [title, one, other] of cases) {
    const tx = evidenceTransaction(one, other, CHAIN_ID)
    t.match(parts.transactions.submit(tx.raw), { ok: false, code: 'SENDER_NOT_PERMITTED' }, title)
  }
  const finalizeToo = evidenceTransaction(voteBy(3, 'finalize', 5, block(1)), voteBy(3, 'nullify', 5), CHAIN_ID)
  t.ok(parts.transactions.submit(finalizeToo.raw).ok, 'finalize and nullify in one view')
  t.equal(encodeSignedVote(first).length, 114)
})

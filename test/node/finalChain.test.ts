/** What is final becomes durable in order, everyone hears of it only then, and a failure of either ends the node. */
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { encodeCertificate } from '../../src/consensus/codec.js'
import { asHeight, EMPTY_BYTES } from '../../src/core/bytes.js'
import type { Candidate } from '../../src/node/blocks.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { MemoryStore } from '../../src/state/store/memory.js'
import { certificateBy, genesisHash, Parts, transfer } from './world.js'

/** A store whose writes wait for the test, and may fail. */
class HeldStore extends MemoryStore {
  isHeld = false
  readonly #waiting: { readonly write: () => void; readonly fail: (error: Error) => void }[] = []

  override async batch(operations: Parameters<MemoryStore['batch']>[0]): Promise<void> {
    if (this.isHeld)
      await new Promise<void>((write, fail) => {
        this.#waiting.push({ write, fail })
      })
    await super.batch(operations)
  }

  get waiting(): number {
    return this.#waiting.length
  }

  async write(): Promise<void> {
    this.#waiting.shift()!.write()
    await turn()
  }

  async fail(): Promise<void> {
    this.#waiting.shift()!.fail(new Error('no space left on device'))
    await turn()
  }
}

/** A chain with `count` candidates, each on the one before. */
async function bench(count: number) {
  const held = new HeldStore()
  const parts = await Parts.open({ store: await ChainStore.open({ store: held }) })
  held.isHeld = true
  const candidates: Candidate[] = []
  for (let i = 0; i < count; i++) {
    parts.transactions.submit(transfer(i).raw)
    const parent = candidates.at(-1)?.sealed.hash ?? genesisHash
    candidates.push(parts.build(i + 1, { parent })!)
  }
  const heard: number[] = []
  parts.chain.onFinal(({ sealed, block }) => {
    heard.push(sealed.height)
    t.equal(parts.chain.head().height, sealed.height, 'the head is the block that is announced')
    t.same(parts.store.blockByHash(sealed.hash)?.header, block.header, 'and it can be read')
    t.equal(parts.store.receipts(sealed.height)?.length, block.transactions.length)
  })
  return { held, parts, candidates, heard }
}

const certificateOf = ({ sealed }: Candidate) =>
  encodeCertificate(certificateBy([0, 1, 2], 'finalize', sealed.view, sealed.hash))

t.test('blocks are written one after the other and announced when they are on disk', async (t) => {
  const { held, parts, candidates, heard } = await bench(3)
  const commits = candidates.map((candidate) => parts.chain.commit(candidate, certificateOf(candidate)))
  await turn()
  t.match(parts.chain.queued(), { height: 3, hash: candidates[2]!.sealed.hash }, 'what is on its way counts as final')
  t.equal(parts.chain.pending, 3)
  t.same([held.waiting, heard, parts.chain.head().height], [1, [], 0], 'one write at a time, nothing is heard before')
  await held.write()
  t.same([held.waiting, heard, parts.chain.head().height], [1, [1], 1])
  t.equal(parts.chain.ground().state, parts.store.state())
  await held.write()
  await held.write()
  await Promise.all(commits)
  t.same(heard, [1, 2, 3])
  t.equal(parts.chain.pending, 0)
  t.same(parts.fatal, [])
})

t.test('a block that is final already is passed over', async (t) => {
  const { held, parts, candidates, heard } = await bench(2)
  const [first, second] = candidates as [Candidate, Candidate]
  const commits = [parts.chain.commit(first, EMPTY_BYTES), parts.chain.commit(first, EMPTY_BYTES)]
  commits.push(parts.chain.commit(second, certificateOf(second)))
  await turn()
  await held.write()
  await held.write()
  await Promise.all(commits)
  await parts.chain.commit(first, EMPTY_BYTES)
  t.same([heard, held.waiting], [[1, 2], 0])
})

t.test('a failed write is fatal, nothing is announced, nothing more is written', async (t) => {
  const { held, parts, candidates, heard } = await bench(3)
  const commits = candidates.map((candidate) => parts.chain.commit(candidate, EMPTY_BYTES))
  const failures = Promise.all([t.rejects(commits[1]!, { code: 'FAILED' }), t.rejects(commits[2]!)])
  await turn()
  await held.write()
  await held.fail()
  await failures
  t.same(heard, [1])
  t.equal(held.waiting, 0, 'the third is not tried')
  t.match(parts.fatal[0], { code: 'FAILED', message: /no space left on device/ })
  t.equal(parts.chain.head().height, 1)
  t.equal(parts.chain.pending, 0)
})

t.test('a block that does not follow is fatal, also when nobody waits for it', async (t) => {
  const { held, parts, candidates } = await bench(2)
  await t.rejects(parts.chain.commit(candidates[1]!, EMPTY_BYTES), /does not follow the final block 0/)
  t.match(parts.fatal, [{ message: /does not follow the final block 0/ }])
  t.same([held.waiting, parts.chain.pending, parts.chain.queued().height], [0, 0, 0])
})

t.test('a listener that fails is fatal', async (t) => {
  const { held, parts, candidates } = await bench(1)
  parts.chain.onFinal(() => {
    throw new Error('journal full')
  })
  const rejected = t.rejects(parts.chain.commit(candidates[0]!, EMPTY_BYTES), /journal full/)
  await turn()
  await held.write()
  await rejected
  t.match(parts.fatal, [new Error('journal full')])
})

t.test('certificates cover the blocks before them; ranges are served as they were stored', async (t) => {
  const { held, parts, candidates } = await bench(4)
  held.isHeld = false
  const [first, second, third, fourth] = candidates as [Candidate, Candidate, Candidate, Candidate]
  await parts.chain.commit(first, EMPTY_BYTES)
  t.equal(parts.chain.certificateFor(asHeight(1)), undefined, 'not yet')
  await parts.chain.commit(second, certificateOf(second))
  await parts.chain.commit(third, EMPTY_BYTES)
  await parts.chain.commit(fourth, certificateOf(fourth))
  for (const [height, by] of [
    [1, second],
    [2, second],
    [3, fourth],
    [4, fourth],
  ] as const)
    t.match(parts.chain.certificateFor(asHeight(height)), {
      height: by.sealed.height,
      certificate: { kind: 'finalize', block: by.sealed.hash, signers: [0, 1, 2] },
    })
  t.equal(parts.chain.certificateFor(asHeight(5)), undefined)
  t.equal(parts.chain.certificateFor(asHeight(0)), undefined, 'genesis is trusted, not voted')
  t.same(parts.chain.serve(asHeight(1)), { block: first.sealed.payload, certificate: EMPTY_BYTES })
  t.same(parts.chain.serve(asHeight(2)), { block: second.sealed.payload, certificate: certificateOf(second) })
  for (const height of [0, 5, -1, 2 ** 50]) t.equal(parts.chain.serve(asHeight(height)), undefined)
})

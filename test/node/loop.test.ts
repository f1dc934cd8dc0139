/** Durable before sent, work after sends, and a stop that is final: the order in which one round does things. */
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { decodeJournalRecord } from '../../src/consensus/codec.js'
import type { Engine } from '../../src/consensus/engine.js'
import type { Effect, Input, Ready } from '../../src/consensus/types.js'
import { asHeight, asView, type Hash } from '../../src/core/bytes.js'
import { INPUTS_PER_ROUND_MAX, JOURNAL_REWRITE_BYTES } from '../../src/node/limits.js'
import { ConsensusLoop, type JournalFile } from '../../src/node/loop.js'
import { certificateBy, engineOf, genesisHash, Parts, proposalOf, sealers, transfer, voteBy } from './world.js'

type Work = Extract<Effect, { type: 'build' | 'verify' }>

/** A loop whose journal, sends and work write down what happens, in order. */
class Bench {
  readonly events: string[] = []
  readonly records: Uint8Array[] = []
  readonly fatal: unknown[] = []
  bytesUsed = 0
  failing: 'append' | 'sync' | 'rewrite' | undefined
  onEffect: (effect: Effect) => void = () => {}
  readonly loop: ConsensusLoop

  constructor(
    readonly engine: Engine,
    work: (effect: Work) => Input,
    now: () => number = () => 0,
  ) {
    const journal: JournalFile & Record<'append' | 'sync' | 'rewrite', unknown> = {
      bytesUsed: 0,
      append: (record) => this.#journal('append', () => this.records.push(record)),
      sync: () => this.#journal('sync'),
      rewrite: (records) => this.#journal('rewrite', () => this.records.splice(0, this.records.length, ...records)),
    }
    Object.defineProperty(journal, 'bytesUsed', { get: () => this.bytesUsed })
    this.loop = new ConsensusLoop({
      engine,
      journal,
      now,
      work: (effect) => {
        this.events.push(effect.type)
        return work(effect)
      },
      carryOut: (effect) => {
        this.events.push('message' in effect ? `${effect.type} ${effect.message.type}` : effect.type)
        this.onEffect(effect)
      },
      fatal: (error) => this.fatal.push(error),
    })
    t.teardown(() => this.loop.stop())
  }

  #journal(name: 'append' | 'sync' | 'rewrite', action = (): unknown => undefined): void {
    this.events.push(name)
    if (this.failing === name) throw new Error(`${name} failed`)
    action()
  }

  /** Pushes inputs and lets the loop come to rest. */
  async run(...inputs: Input[]): Promise<string[]> {
    const from = this.events.length
    for (const input of inputs) this.loop.push(input)
    for (let turns = 0; turns < 2 || (this.loop.backlog > 0 && turns < 1_000); turns++) await turn()
    return this.events.slice(from)
  }
}

/** The second sealer, which leads view 1, with a transaction to propose. */
async function leader() {
  const parts = await Parts.open({ index: 1 })
  parts.transactions.submit(transfer(0).raw)
  const bench = new Bench(engineOf(1), (effect) => {
    if (effect.type === 'verify')
      return { type: 'verified', hash: effect.block.hash, verdict: parts.blocks.verify(effect.block, effect.certified) }
    const block = parts.blocks.build(effect)?.sealed ?? null
    return { type: 'built', view: effect.view, block, verdict: { ok: true } }
  })
  await bench.run({ type: 'tick' })
  return { parts, bench }
}

const isSend = (event: string) => /^(broadcast|send) (proposal|vote)/.test(event)

t.test('what is signed is durable before it leaves, with one sync for a round', async (t) => {
  const { bench, parts } = await leader()
  const proposing = await bench.run({ type: 'demand', wanted: true })
  t.same(
    proposing.filter((event) => /append|sync|proposal|build/.test(event)),
    ['build', 'append', 'append', 'sync', 'broadcast proposal'],
    'block and vote, one sync, then the proposal',
  )
  const types = bench.records.map((record) => decodeJournalRecord(record, parts.readBlock).type)
  t.same(types, ['block', 'vote'])

  const block = parts.blocks.candidate(readHash(bench, parts))!.sealed
  const votes = [2, 3].map((index): Input => {
    const vote = voteBy(index, 'notarize', 1, block.hash)
    return { type: 'message', from: sealers[index]!, message: { type: 'vote', vote } }
  })
  const notarized = await bench.run(...votes)
  t.equal(notarized.filter((event) => event === 'sync').length, 1, 'both votes in one round')
  const synced = notarized.indexOf('sync')
  t.ok(notarized.lastIndexOf('append') < synced)
  t.ok(notarized.findIndex(isSend) > synced, `finalize vote after the sync: ${notarized}`)
  t.same(bench.fatal, [])
})

function readHash(bench: Bench, parts: Parts): Hash {
  const record = decodeJournalRecord(bench.records[0]!, parts.readBlock)
  return record.type === 'block' ? record.block.hash : genesisHash
}

t.test('execution waits until the sends of its round are out', async (t) => {
  const parts = await Parts.open({ index: 1 })
  const { sealed } = parts.build(1)!
  const follower = await Parts.open({ index: 0 })
  const bench = new Bench(engineOf(0), (effect) => {
    if (effect.type !== 'verify') throw new Error('not a leader')
    return { type: 'verified', hash: effect.block.hash, verdict: follower.blocks.verify(effect.block, false) }
  })
  await bench.run({ type: 'tick' })
  const certificate = certificateBy([1, 2, 3], 'nullify', 2)
  const events = await bench.run(
    { type: 'message', from: sealers[1]!, message: proposalOf(sealed) },
    { type: 'peer', address: sealers[2]!, connected: true },
  )
  t.ok(events.indexOf('send status') >= 0)
  t.ok(events.indexOf('verify') > events.indexOf('send status'), `${events}`)
  t.ok(events.findIndex(isSend) > events.indexOf('verify'), 'its own vote comes in a later round')
  t.ok(events.lastIndexOf('sync', events.findIndex(isSend)) > events.indexOf('verify'))
  const later = await bench.run({ type: 'message', from: sealers[2]!, message: { type: 'certificate', certificate } })
  t.same(later.slice(0, 2), ['append', 'sync'])
})

t.test('a journal that fails stops the node before anything leaves', async (t) => {
  for (const failing of ['append', 'sync'] as const) {
    const { bench } = await leader()
    bench.failing = failing
    const events = await bench.run({ type: 'demand', wanted: true })
    t.match(bench.fatal, [new Error(`${failing} failed`)], failing)
    t.notOk(events.some(isSend), 'nothing is sent')
    t.same(await bench.run({ type: 'tick' }, { type: 'demand', wanted: false }), [], 'and it stays stopped')
    t.equal(bench.fatal.length, 1)
  }
})

t.test('an effect that fails, or ends the loop, is the last one', async (t) => {
  const { bench } = await leader()
  bench.onEffect = (effect) => {
    if (effect.type === 'broadcast') throw new Error('halted')
  }
  await bench.run({ type: 'demand', wanted: true })
  t.match(bench.fatal, [new Error('halted')])

  const stopping = await leader()
  stopping.bench.onEffect = () => stopping.bench.loop.stop()
  const peer: Input = { type: 'peer', address: sealers[2]!, connected: true }
  const events = await stopping.bench.run({ type: 'demand', wanted: true }, peer)
  t.same(events, ['send status'], 'neither further effects nor the work of that round')
  t.same(stopping.bench.fatal, [])
})

t.test('exceptions of the core and of work are fatal', async (t) => {
  const engine = engineOf(1)
  const bench = new Bench(engine, () => {
    throw new Error('a defect in execution')
  })
  await bench.run({ type: 'tick' }, { type: 'demand', wanted: true })
  t.match(bench.fatal, [new Error('a defect in execution')])
})

t.test('rounds are bounded, inputs keep their order, time arrives as ticks', async (t) => {
  const inputs: string[] = []
  let now = 0
  let wakeAt = 5
  const engine = {
    step(input: Input): Ready {
      inputs.push(input.type === 'built' ? `${input.view}` : input.type)
      return { journal: [], effects: [], wakeAt: now + wakeAt }
    },
  } as unknown as Engine
  const bench = new Bench(
    engine,
    () => ({ type: 'tick' }),
    () => now,
  )
  const built = (view: number): Input => ({ type: 'built', view: asView(view), block: null, verdict: { ok: true } })
  for (let view = 0; view < 2 * INPUTS_PER_ROUND_MAX; view++) bench.loop.push(built(view))
  t.equal(bench.loop.backlog, 2 * INPUTS_PER_ROUND_MAX)
  await turn()
  t.equal(inputs.length, INPUTS_PER_ROUND_MAX)
  await turn()
  t.same(
    inputs,
    Array.from({ length: 2 * INPUTS_PER_ROUND_MAX }, (_, view) => `${view}`),
  )
  now = 5
  wakeAt = 1_000_000
  while (inputs.at(-1) !== 'tick') await turn()
  t.equal(inputs.filter((input) => input === 'tick').length, 1, 'a tick when it is due')
})

t.test('the journal is rewritten when it has grown, with what still counts', async (t) => {
  const { bench, parts } = await leader()
  await bench.run({ type: 'demand', wanted: true })
  const hash = readHash(bench, parts)
  bench.loop.prune(genesisHash)
  t.notOk(bench.events.includes('rewrite'), 'small: left alone')
  bench.bytesUsed = JOURNAL_REWRITE_BYTES
  bench.loop.prune(`0x${'09'.repeat(32)}` as Hash)
  t.notOk(bench.events.includes('rewrite'), 'a final block that the core does not know of: left alone')
  const before = bench.records.map((record) => decodeJournalRecord(record, parts.readBlock))
  bench.loop.prune(genesisHash)
  t.ok(bench.events.includes('rewrite'))
  const after = bench.records.map((record) => decodeJournalRecord(record, parts.readBlock))
  const floor = { type: 'abstain', epoch: 0, below: 1, first: false }
  t.same(new Set(after), new Set([floor, ...before]), 'nothing is final yet: all of it counts')

  const block = parts.blocks.candidate(hash)!
  const certificate = certificateBy([0, 2, 3], 'finalize', 1, hash)
  const events = await bench.run({
    type: 'message',
    from: sealers[2]!,
    message: { type: 'certificate', certificate },
  })
  t.ok(events.includes('commit'))
  await parts.chain.commit(block, new Uint8Array(1))
  bench.loop.prune(hash)
  const left = bench.records.map((record) => decodeJournalRecord(record, parts.readBlock))
  t.same(left, [{ ...floor, below: 2 }], 'what is final and durable is gone')
  t.equal(parts.chain.head().height, asHeight(1))
  bench.loop.stop()
  bench.events.length = 0
  bench.loop.prune(hash)
  t.same(bench.events, [], 'not after a stop')
})

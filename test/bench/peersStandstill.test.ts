/** Networks of geth that stand still: how that is seen, and that a fresh one takes their place. */
import t from 'tap'
import { Interrupted } from '../../bench/harness/experiment.js'
import { findGeth } from '../../bench/peers/geth.js'
import { type Head, HeadWatch, StandstillError, unlessStandstill } from '../../bench/peers/standstill.js'
import { withTrouble } from '../../bench/peers/trouble.js'
import { CommandError } from '../../src/cli/errors.js'
import { memoryRun } from '../support/benchRun.js'
import { halt, tinyRun } from './peersRun.js'

const head = (node: string, height: number, branch = 'a'): Head => ({
  node,
  block: { height, hash: `0x${branch.repeat(4)}${height.toString(16).padStart(60, '0')}` },
})
const silent = (node: string): Head => ({ node, block: undefined })

t.test('heads that do not move', async (t) => {
  const watch = new HeadWatch(20, 0)
  t.equal(watch.see([head('node1', 7), head('node2', 7)], 5), undefined, 'first seen')
  t.equal(watch.see([head('node1', 7), head('node2', 7)], 24), undefined, 'not yet')
  t.equal(watch.see([head('node1', 7), head('node2', 8)], 24), undefined, 'one moved')
  t.equal(
    watch.see([head('node1', 7), head('node2', 8, 'b')], 43),
    undefined,
    'another block of the same height is a move',
  )
  t.equal(
    watch.see([head('node1', 7), head('node2', 8, 'b')], 63),
    'node1 has block 7 0xaaaa0000, node2 has block 8 0xbbbb0000',
  )
})

t.test('nodes that do not answer', async (t) => {
  const watch = new HeadWatch(20, 0)
  t.equal(watch.see([head('node1', 7), silent('node2')], 0), undefined)
  t.equal(watch.see([silent('node1'), silent('node2')], 19), undefined)
  t.equal(
    watch.see([head('node1', 7), silent('node2')], 20),
    'node1 has block 7 0xaaaa0000, node2 does not answer',
    'that it answers again is no move',
  )
  t.match(new HeadWatch(20, 0).see([silent('node1')], 20), 'does not answer', 'from the beginning')
})

t.test('work on a chain that stands still', async (t) => {
  const never = new AbortController().signal
  const still = { name: 'the network', heads: async () => [head('node1', 7)], limitMs: 20, pollMs: 1 }
  let seen: unknown
  const waiting = (signal: AbortSignal) =>
    new Promise<never>(() => signal.addEventListener('abort', () => (seen = signal.reason)))
  const error = await unlessStandstill(still, never, waiting).catch((error) => error)
  t.type(error, StandstillError)
  t.match(error.message, 'the network stands still: no head has moved for 0.02 s (node1 has block 7 0xaaaa0000)')
  t.equal(seen, error, 'the work is told')

  let height = 0
  const moving = { ...still, heads: async () => [head('node1', height++)] }
  const done = unlessStandstill(moving, never, async (signal) => {
    while (height < 60) await new Promise((resolve) => setTimeout(resolve, 1))
    return signal.aborted
  })
  t.equal(await done, false, 'while it moves, work takes as long as it takes')
  const heightAtEnd = height
  await new Promise((resolve) => setTimeout(resolve, 10))
  t.equal(height, heightAtEnd, 'nobody watches afterwards')

  await t.rejects(
    unlessStandstill(moving, AbortSignal.abort(new Interrupted('enough')), () => new Promise(() => {})),
    new Interrupted('enough'),
  )
  const broken = { ...still, heads: () => Promise.reject(new Error('no heads')) }
  await t.rejects(
    unlessStandstill(broken, never, () => new Promise(() => {})),
    new Error('no heads'),
  )
})

t.test('errors keep what the logs say', async (t) => {
  const cause = new StandstillError('it stands')
  const never = new AbortController().signal
  const told = withTrouble(cause, 'geth.log:\nINFO sealed\n', never) as Error
  t.type(told, StandstillError)
  t.equal(told.message, 'it stands\ngeth.log:\nINFO sealed\n')
  t.equal(told.cause, cause)
  t.type(withTrouble(new DOMException('late', 'TimeoutError'), 'geth.log', never), CommandError)
  const interrupted = new Interrupted('enough')
  t.equal(withTrouble(cause, 'geth.log', AbortSignal.abort(interrupted)), interrupted, 'by the user')
})

const geth = await findGeth()
const skip = 'problem' in geth ? `needs geth 1.13.x: ${geth.problem}` : false

t.test('a run goes on with a fresh network where one stands still', { skip, timeout: 200_000 }, async (t) => {
  const memory = await memoryRun()
  let networks = 0
  let haltNow = () => {}
  await tinyRun(
    {
      // Ends in order before the test does.
      signal: AbortSignal.timeout(180_000),
      onOpen(side, before) {
        networks = before + 1
        haltNow = before === 0 ? () => halt(side) : () => {}
      },
      onStep(label) {
        // Its nodes have been woken for the step before.
        if (label.endsWith('4 clients')) haltNow()
      },
    },
    memory,
  )
  const { rows, notes } = memory
  const valuesOf = (quantity: string) => rows.filter((one) => one.quantity === quantity).map(({ value }) => value)
  t.ok(networks >= 2)
  t.same(valuesOf('standstills'), [networks - 1], 'on record')
  t.equal(notes.filter((note) => /^standstill \d .*node4 does not answer/.test(note)).length, 1)
  t.same(valuesOf('unanswered queries'), [0], 'the agents work on another chain as they do on ours')
  t.equal(valuesOf('time of a query').length, 2, 'what was measured before stays')
  for (const quantity of ['time to block', 'time to final', 'throughput', 'disk', 'transactions']) {
    t.ok(valuesOf(quantity)[0]! > 0, quantity)
  }
})

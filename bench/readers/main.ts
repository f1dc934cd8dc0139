/**
 * Time to final of single submissions on four node processes, in turns: idle; beside readers of servers that only echo (control:
 * the same clients and as many busy processes, none of it a node's work); and under the same readers of the nodes (storm).
 * `node dist/bench/readers/main.js [submissions a turn] [turns] [base port] [--json]`
 */
import { parseArgs } from 'node:util'
import { createOutput, formatMs } from '../../src/cli/output.js'
import { interleaved } from '../harness/experiment.js'
import { quantiles } from '../harness/statistics.js'
import { LoadedNetwork } from '../testbed/loadedNetwork.js'
import { timesOf } from '../testbed/loops.js'
import { fillPortraits } from '../testbed/portraits.js'
import { ENVELOPE_BYTES } from '../testbed/submissions.js'
import { blockNumber } from '../testbed/transactions.js'
import { type RunningSide, startControl, startStorm } from './processes.js'
import { eventLoopDelayOf, SIDES, type Side, type Total, type Turn, totalOf } from './turns.js'

const SHAPE = { departments: 3, envelopeBytes: ENVELOPE_BYTES }
const SEED = 'readers'
const ENTERPRISES = 20
/** Before the clock starts: blocks for the log searches, and compiled code, without readers and with them. */
const WARM_UP = { alone: 350, withReaders: 50 }

const PARTS = ['p50', 'p90', 'p99'] as const

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean' } } })
const [count = 50, turns = 6, basePort = 23_545] = positionals.map(Number)
const out = createOutput(values.json ?? false)
const signal = AbortSignal.timeout(570_000)

const network = await LoadedNetwork.open({ running: undefined, nodes: 4, basePort, seed: SEED, senders: 50, signal })
try {
  const { testbed } = network
  const lookUps = await fillPortraits(testbed, SEED, ENTERPRISES, signal)
  await network.fill(SHAPE, 8, WARM_UP.alone)
  const done: Record<Side, Turn[]> = { idle: [], control: [], storm: [] }
  const start = async (side: Side): Promise<RunningSide | undefined> => {
    if (side === 'idle') return undefined
    if (side === 'control') return startControl(testbed.clients[0]!, network.nodes, lookUps)
    return startStorm(
      testbed.network.nodes.map(({ rpc }) => rpc),
      lookUps,
    )
  }
  const readers = await start('storm')
  await network.fill(SHAPE, 1, WARM_UP.withReaders)
  await readers!.end()
  const first = await blockNumber(testbed.clients[0]!)
  for (const { side } of interleaved(SIDES, turns)) {
    const running = await start(side)
    const before = await running?.done()
    const startedAt = performance.now()
    const { operations, usage } = await network.fill(SHAPE, 1, count)
    const seconds = (performance.now() - startedAt) / 1_000
    const readers = before && { before, after: await running!.done() }
    await running?.end()
    done[side].push({ times: timesOf(operations), seconds, usage, readers })
  }
  report(done, { first, last: await blockNumber(testbed.clients[0]!) })
} finally {
  await network.close()
}

function report(done: Record<Side, Turn[]>, blocks: { readonly first: number; readonly last: number }): void {
  const each = <T>(make: (side: Side) => T) =>
    Object.fromEntries(SIDES.map((side) => [side, make(side)])) as Record<Side, T>
  const timeToFinal = each((side) => quantiles(done[side].flatMap(({ times }) => times)))
  const eventLoopDelay = each((side) => eventLoopDelayOf(done[side]))
  const perSecond = each((side) => totalOf(done[side]))
  const stormOver = (side: Side) =>
    PARTS.map((part) => [part, timeToFinal.storm[part] / timeToFinal[side][part]] as const)
  const ratios = { stormToIdle: stormOver('idle'), stormToControl: stormOver('control') }
  out.line(
    `Time to final of single submissions. Log searches cover ${blocks.first} blocks at first, ${blocks.last} at last.`,
  )
  out.line('Event loop delay: p99 of the worst node and turn, with the 10 ms of the timer that measures it.')
  out.table(
    ['', ...SIDES, 'storm/idle', 'storm/control'],
    [
      ['submissions', ...SIDES.map((side) => timeToFinal[side].count), '', ''],
      ...PARTS.map((part, i) => [
        part,
        ...SIDES.map((side) => formatMs(timeToFinal[side][part])),
        ...Object.values(ratios).map((ratio) => ratio[i]![1].toFixed(2)),
      ]),
      ['max', ...SIDES.map((side) => formatMs(timeToFinal[side].max)), '', ''],
      ['event loop delay', ...SIDES.map((side) => formatMs(eventLoopDelay[side])), '', ''],
    ],
  )
  const names = Object.keys(perSecond.idle) as (keyof Total)[]
  out.table(
    ['a second', ...SIDES],
    names.map((name) => [name, ...SIDES.map((side) => perSecond[side][name].toFixed(2))]),
  )
  const byPart = Object.entries(ratios).map(([name, ratio]) => [name, Object.fromEntries(ratio)] as const)
  out.result({ unit: 'ms', blocks, timeToFinal, eventLoopDelay, ratios: Object.fromEntries(byPart), perSecond })
}

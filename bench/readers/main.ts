/**
 * Time to final of single submissions on four node processes, alone and under a storm of readers, in turns:
 * `node dist/bench/readers/main.js [submissions a turn] [turns] [base port]`. Prints both sides and the ratio of their p99.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { interleaved } from '../harness/experiment.js'
import { quantiles } from '../harness/statistics.js'
import { LoadedNetwork } from '../testbed/loadedNetwork.js'
import { timesOf } from '../testbed/loops.js'
import { ENVELOPE_BYTES } from '../testbed/submissions.js'

const SHAPE = { departments: 3, envelopeBytes: ENVELOPE_BYTES }
const [count = 40, turns = 4, basePort = 23_545] = process.argv.slice(2).map(Number)
const signal = AbortSignal.timeout(500_000)

const options = { running: undefined, nodes: 4, basePort, seed: 'readers', senders: 50, signal }
const network = await LoadedNetwork.open(options)
try {
  const times = { alone: [] as number[], storm: [] as number[] }
  await network.fill(SHAPE, 8, count)
  for (const { side } of interleaved(['alone', 'storm'] as const, turns)) {
    const end = side === 'storm' ? await storm() : () => {}
    const { operations } = await network.fill(SHAPE, 1, count)
    end()
    times[side].push(...timesOf(operations))
  }
  const [alone, stormy] = [quantiles(times.alone), quantiles(times.storm)]
  const ratio = { p50: stormy.p50 / alone.p50, p99: stormy.p99 / alone.p99 }
  process.stdout.write(
    `${JSON.stringify({ unit: 'ms', submissions: times.alone.length, alone, storm: stormy, ratio }, null, 2)}\n`,
  )
} finally {
  await network.close()
}

async function storm(): Promise<() => void> {
  const urls = network.testbed.network.nodes.map(({ rpc }) => rpc)
  const child = fork(new URL('./storm.js', import.meta.url), urls, { execArgv: [] })
  await once(child, 'message')
  return () => child.kill()
}

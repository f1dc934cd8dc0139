/**
 * A program that aborts tiny runs on geth at several points, and then has nothing left to do: it ends by itself only when nothing of
 * them is left in it. Prints the seconds from each abort to the end of its run.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Interrupted } from '../../bench/harness/experiment.js'
import type { Side } from '../../bench/peers/side.js'
import { isRunning } from '../../src/cli/network/processes.js'
import { halt, tinyRun } from './peersRun.js'

/** What goes on for ever when nobody ends it is aborted a while after it has begun. */
const WHILE_MS = 2_000

interface Point {
  readonly name: string
  /** Aborted a while after this step has begun. */
  readonly step?: string
  /** The network stands still from here on. */
  readonly halted?: 'opened' | 'step'
}

const POINTS: readonly Point[] = [
  { name: 'while nodes start', step: 'starting the network' },
  { name: 'while members are registered', halted: 'opened' },
  { name: 'while a node does not answer', step: 'queries', halted: 'step' },
  { name: 'while submissions wait', step: '4 clients', halted: 'step' },
]

for (const point of POINTS) {
  const { pids, seconds } = await aborted(point)
  if (pids.some(isRunning)) throw new Error(`${point.name}: a node of geth still runs`)
  process.stdout.write(`${point.name}: ${seconds.toFixed(1)} s\n`)
}

async function aborted({ name, step, halted }: Point): Promise<{ pids: readonly number[]; seconds: number }> {
  const abort = new AbortController()
  // A run ends in order also when the test has waited for too long.
  const onSignal = () => abort.abort(new Error('SIGTERM'))
  process.once('SIGTERM', onSignal)
  let abortedAt = Number.NaN
  let side: Side | undefined
  let pids: readonly number[] = []
  const inAWhile = async () => {
    await delay(WHILE_MS)
    abortedAt = performance.now()
    abort.abort(new Interrupted(name))
  }
  try {
    await tinyRun({
      signal: abort.signal,
      onOpen(opened) {
        side = opened
        pids = opened.pids()
        if (halted !== 'opened') return
        halt(opened)
        void inAWhile()
      },
      onStep(label) {
        if (step === undefined || !label.endsWith(`: ${step}`)) return
        if (halted === 'step') halt(side!)
        void inAWhile()
      },
    })
  } catch (error) {
    if (error instanceof Interrupted) return { pids, seconds: (performance.now() - abortedAt) / 1_000 }
    throw error
  } finally {
    process.off('SIGTERM', onSignal)
  }
  throw new Error(`${name}: the run ended before it was aborted`)
}

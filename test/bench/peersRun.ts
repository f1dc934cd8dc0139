/** A tiny run of `bench peers` on geth alone. */
import { measure } from '../../bench/peers/experiment.js'
import { gethClique, type Side, type System } from '../../bench/peers/side.js'
import { type MemoryRun, memoryRun } from '../support/benchRun.js'

const SIZES = {
  repeatsMax: 1,
  enterprises: 6,
  coldQueries: 1,
  hits: 2,
  writes: 1,
  clients: [4],
  departments: [1],
  loopSeconds: 2.5,
}

export interface TinyRun {
  readonly signal: AbortSignal
  /** Called with each network when its nodes make blocks; `networks`: how many there were before. */
  readonly onOpen?: (side: Side, networks: number) => void
  /** Called before each step with what it is. */
  readonly onStep?: (label: string) => void
}

/** Rejects with what ended it; `memory` has what was recorded until then. */
export async function tinyRun({ signal, onOpen, onStep }: TinyRun, memory?: MemoryRun): Promise<MemoryRun> {
  const { run, rows, notes } = memory ?? (await memoryRun())
  let networks = 0
  const system: System = {
    ...gethClique,
    async open(options) {
      const side = await gethClique.open(options)
      onOpen?.(side, networks++)
      return side
    },
  }
  const progress = (_done: number, label: string) => onStep?.(label)
  await measure({ ...run, signal, progress, check: () => signal.throwIfAborted() }, SIZES, 1, [system])
  return { run, rows, notes }
}

/** Two of four sealers stand still: the others seal one or two blocks, and then wait for them for ever. */
export function halt(side: Side): void {
  for (const pid of side.pids().slice(2)) process.kill(pid, 'SIGSTOP')
}

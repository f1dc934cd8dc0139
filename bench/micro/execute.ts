/** Execution of transactions and of a portrait look-up, without signatures and tries, in multiples of one native recover. */
import { dataSharingInterface } from '../../src/contracts/dataSharing.js'
import { systemContracts } from '../../src/contracts/registry.js'
import { assert } from '../../src/core/assert.js'
import { StateOverlay } from '../../src/state/overlay.js'
import { callContract } from '../../src/vm/call.js'
import { type Benchmark, OURS } from './benchmark.js'
import { cpuMicrosPerCall } from './clock.js'
import { BLOCK, consortiumState, executeAll, filledPortrait, submissions } from './workload.js'
import { recoverSide } from './yardstick.js'

const PORTRAIT_ITEMS = 6

export const executeBenchmarks: readonly Benchmark[] = [
  submissionBenchmark(1, 4),
  submissionBenchmark(3, 6),
  {
    name: `portrait look-up, ${PORTRAIT_ITEMS} hits`,
    quantity: 'CPU time of a look-up',
    unit: 'µs',
    setup({ sizes: { callMs, warmUps } }) {
      const { state, request } = filledPortrait(PORTRAIT_ITEMS)
      const call = () => callContract(state, BLOCK, request, systemContracts)
      const outcome = call()
      const entries = outcome.ok ? dataSharingInterface.decodeResult('portraitEntries', outcome.returnData) : []
      assert(entries.length === PORTRAIT_ITEMS && entries.every(({ hit }) => hit), 'every item is a hit')
      return { sides: [{ name: OURS, warmUps, measure: () => cpuMicrosPerCall(call, callMs) }, recoverSide(callMs)] }
    },
  },
]

function submissionBenchmark(parts: number, perPart: number): Benchmark {
  return {
    name: `execute StoreData, ${parts} x ${perPart} attributes`,
    quantity: 'CPU time of a transaction',
    unit: 'µs',
    setup({ sizes: { callMs, warmUps, blockTransactions } }) {
      const final = consortiumState()
      const transactions = submissions(blockTransactions, parts, perPart)
      const block = () => executeAll(new StateOverlay(final), transactions)
      const measure = () => cpuMicrosPerCall(block, callMs) / blockTransactions
      return { sides: [{ name: OURS, warmUps, measure }, recoverSide(callMs)] }
    },
  }
}

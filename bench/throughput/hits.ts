/** Queries that the portrait answers: one eth_call each, no transaction. */
import { dataSharing } from '../../src/agent/contractClient.js'
import type { Hex } from '../../src/core/bytes.js'
import type { LoadedNetwork } from '../testbed/loadedNetwork.js'
import { closedLoop } from '../testbed/loops.js'
import { fillPortraits } from '../testbed/portraits.js'
import { recordRate } from './rows.js'
import type { Context } from './submissions.js'

/** Enterprises with a full portrait; queries go through them in turn. */
const ENTERPRISES = 20

/** Fills the portraits of some enterprises; resolves with the calldata of one query each, for all attributes of Table 2. */
export function preparePortraits({ run }: Context, { testbed }: LoadedNetwork): Promise<Hex[]> {
  return fillPortraits(testbed, run.settings.seed, ENTERPRISES, run.signal)
}

export async function portraitHits(
  { run, sizes, queries }: Context & { readonly queries: readonly Hex[] },
  network: LoadedNetwork,
  { clients, repeat }: { clients: number; repeat: number },
): Promise<void> {
  if (queries.length === 0) return
  await network.idle()
  const nodes = network.testbed.clients
  const operate = async (index: number) => {
    const data = queries[index % queries.length]!
    await nodes[index % nodes.length]!.call('eth_call', { to: dataSharing.address, data }, 'latest')
    return performance.now()
  }
  const operations = await closedLoop({ operate, signal: run.signal, clients, seconds: sizes.hitSeconds })
  const variant = `portrait hits, ${network.nodes} nodes`
  const series = { system: 'concordat', variant, axis: 'clients', x: clients, repeat }
  recordRate(run, { ...series, quantity: 'throughput' }, operations)
}

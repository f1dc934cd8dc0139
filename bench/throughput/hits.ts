/** Queries that the portrait answers: one eth_call each, no transaction. */
import { dataPortrait, dataSharing, view } from '../../src/agent/contractClient.js'
import { datasetCompanies } from '../../src/agent/dataset/generate.js'
import { fromHex, type Hash, type Hex, toHash, toHex } from '../../src/core/bytes.js'
import type { LoadedNetwork } from '../testbed/loadedNetwork.js'
import { closedLoop } from '../testbed/loops.js'
import { enterpriseOf } from '../testbed/population.js'
import { type Fact, reportFacts } from '../testbed/portraits.js'
import { byteStream } from '../testbed/submissions.js'
import type { Testbed } from '../testbed/testbed.js'
import { recordRate } from './rows.js'
import type { Context } from './submissions.js'

/** Enterprises with a full portrait; queries go through them in turn. */
const ENTERPRISES = 20

/** Fills the portraits of some enterprises; resolves with the calldata of one query each, for all attributes of Table 2. */
export async function preparePortraits({ run }: Context, { testbed }: LoadedNetwork): Promise<Hex[]> {
  const { seed } = run.settings
  const profiles = await view(testbed.clients[0]!, dataPortrait, 'GetDataProfile', {})
  const bytes = byteStream(`${seed}/portraits`)
  const queries = [...datasetCompanies({ seed, records: ENTERPRISES })].map((company) =>
    profiles.map(({ attribute, supervisors }): Fact => {
      const digest = toHash(bytes(32))
      return { enterpriseId: enterpriseOf(company, seed).id, attribute, supervisor: supervisors[0]!, digest }
    }),
  )
  await reportFacts(testbed, queries.flat(), run.signal)
  const calls = queries.map((items) => callOf(items[0]!.enterpriseId, items))
  for (const data of calls) await requireHits(testbed, data)
  return calls
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

function callOf(enterpriseId: Hash, facts: readonly Fact[]): Hex {
  const items = facts.map(({ attribute, digest }) => ({ attribute, digest }))
  return toHex(dataSharing.abi.encodeCall('portraitEntries', { enterpriseId, items }))
}

async function requireHits(testbed: Testbed, data: Hex): Promise<void> {
  for (const client of testbed.clients) {
    const answer = await client.call('eth_call', { to: dataSharing.address, data }, 'latest')
    const entries = dataSharing.abi.decodeResult('portraitEntries', fromHex(answer))
    if (!entries.every(({ hit }) => hit)) throw new Error(`${client.url} has no portrait entry that was just written`)
  }
}

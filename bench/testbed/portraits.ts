/** Portrait entries without queries: a sole supervisor may report what it knows (SetUserProfile). */
import { dataPortrait, dataSharing, view } from '../../src/agent/contractClient.js'
import { datasetCompanies } from '../../src/agent/dataset/generate.js'
import { EXISTENCE } from '../../src/contracts/codes.js'
import { type Address, fromHex, type Hash, type Hex, toHash, toHex } from '../../src/core/bytes.js'
import { enterpriseOf } from './population.js'
import { byteStream } from './submissions.js'
import type { Testbed } from './testbed.js'
import { type Account, sendAll, signedCall } from './transactions.js'

export interface Fact {
  readonly enterpriseId: Hash
  readonly attribute: Hash
  /** The only one of the attribute; its key is in network.json. */
  readonly supervisor: Address
  readonly digest: Hash
}

/** Reports all as confirmed; resolves when that is final. A fact that is reported again changes its entry and adds none. */
export async function reportFacts(testbed: Testbed, facts: readonly Fact[], signal: AbortSignal): Promise<void> {
  const client = testbed.clients[0]!
  const accounts = new Map<Address, Account>()
  for (const { address, privateKey } of Object.values(testbed.network.accounts)) {
    const nonce = BigInt(await client.call('eth_getTransactionCount', address, 'latest'))
    accounts.set(address, { key: fromHex(privateKey), address, nonce })
  }
  const make = (index: number) => {
    const { supervisor, ...fact } = facts[index]!
    const finding = { ...fact, existence: EXISTENCE.exists, confirmed: true }
    const data = dataSharing.abi.encodeCall('SetUserProfile', finding)
    return signedCall(testbed.network.chainId, accounts.get(supervisor)!, dataSharing.address, data)
  }
  await sendAll(client, facts.length, make, undefined, signal)
}

/** Full portraits of the first `count` registered enterprises; resolves with the calldata of one query each, for all attributes of Table 2. */
export async function fillPortraits(
  testbed: Testbed,
  seed: string,
  count: number,
  signal: AbortSignal,
): Promise<Hex[]> {
  const profiles = await view(testbed.clients[0]!, dataPortrait, 'GetDataProfile', {})
  const bytes = byteStream(`${seed}/portraits`)
  const queries = [...datasetCompanies({ seed, records: count })].map((company) =>
    profiles.map(({ attribute, supervisors }): Fact => {
      const digest = toHash(bytes(32))
      return { enterpriseId: enterpriseOf(company, seed).id, attribute, supervisor: supervisors[0]!, digest }
    }),
  )
  await reportFacts(testbed, queries.flat(), signal)
  const calls = queries.map((items) => callOf(items[0]!.enterpriseId, items))
  for (const data of calls) await requireHits(testbed, data)
  return calls
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

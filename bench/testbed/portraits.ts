/** Portrait entries without queries: a sole supervisor may report what it knows (SetUserProfile). */
import { dataSharing } from '../../src/agent/contractClient.js'
import { EXISTENCE } from '../../src/contracts/codes.js'
import { type Address, fromHex, type Hash } from '../../src/core/bytes.js'
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

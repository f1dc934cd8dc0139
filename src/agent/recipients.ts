/** Who opens an envelope with an attribute's values: each supervisor its own, or their group one for all. */
import { recipientsOf } from '../contracts/dataFunctions.js'
import type { DataProfile } from '../contracts/genesisTypes.js'
import { type Address, fromHex } from '../core/bytes.js'
import type { RpcClient } from '../rpc/client.js'
import { keyAgreement, view } from './contractClient.js'
import type { Directory, Member } from './directory.js'

/** What has to be known of a recipient to seal for it. */
export type Recipient = Pick<Member, 'account' | 'name' | 'encryptionKey' | 'keyEpoch'>

/** The department or group `account`, which is one of recipientsOf(profile); null for a department that is not active. */
export async function recipientOf(
  directory: Pick<Directory, 'member'>,
  account: Address,
  profile: DataProfile,
): Promise<Recipient | null> {
  if (profile.supervisors.includes(account)) {
    const member = await directory.member(account)
    return member?.active ? member : null
  }
  const name = await namesOf(directory, profile.supervisors)
  return { account, name, encryptionKey: fromHex(profile.encryptionKey), keyEpoch: profile.keyEpoch }
}

/** Name of a member, or those of a group's members. */
export async function nameOfRecipient(
  client: RpcClient,
  directory: Pick<Directory, 'member'>,
  account: Address,
): Promise<string> {
  const member = await directory.member(account)
  if (member) return member.name
  return namesOf(directory, (await view(client, keyAgreement, 'groupOf', { group: account })).roster)
}

async function namesOf(directory: Pick<Directory, 'member'>, accounts: readonly Address[]): Promise<string> {
  const members = await Promise.all(accounts.map((account) => directory.member(account)))
  return members.map((member, i) => member?.name ?? accounts[i]).join(', ')
}

/** Items whose values go to this recipient. */
export function itemsFor<T extends { readonly profile: DataProfile }>(
  items: readonly T[],
  account: Address,
): readonly T[] {
  return items.filter(({ profile }) => recipientsOf(profile).includes(account))
}

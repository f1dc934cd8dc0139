/** An enterprise contests an entry of its user portrait; supervisors decide. */
import { textId } from '../contracts/textId.js'
import { fromHex, type Hash } from '../core/bytes.js'
import { consentPageMax } from '../core/limits.js'
import { attributeDigest } from '../crypto/digest.js'
import type { RpcClient } from '../rpc/client.js'
import { AgentError, validated } from './agentError.js'
import type { Connection } from './connection.js'
import { dataSharing, members, view } from './contractClient.js'
import type { PortraitKeys } from './portraitKeys.js'

/** Which entry: by its value and the enterprise's portrait keys, or by its digest as `GetUserProfile` shows it. */
export type ContestedEntry = { readonly value: string; readonly portraitKeys: PortraitKeys } | { readonly digest: Hash }

export interface RaisedObjection {
  readonly objectionId: bigint
  readonly enterpriseId: Hash
  readonly digest: Hash
  /** Last second of block time in which it can be decided. */
  readonly deadline: bigint
}

/** Throws AgentError, PortraitKeyFileError, ContractRevert (no such entry, contested already), RpcError, RpcClientError. */
export async function contestEntry(
  connection: Connection,
  attribute: string,
  entry: ContestedEntry,
  reasonHash: Hash,
): Promise<RaisedObjection> {
  const { client, sender } = connection
  const { active, id: enterpriseId } = await view(client, members, 'IdentityAuth', { userID: sender.address })
  if (!active)
    throw new AgentError('NOT_A_MEMBER', `${sender.address} is no active member: sign with the enterprise's key`)
  const digest = 'digest' in entry ? entry.digest : await digestOf(connection, enterpriseId, attribute, entry)
  const args = { enterpriseId, attribute: textId(attribute, 'attribute'), digest, reasonHash }
  const receipt = await sender.final(await sender.send(dataSharing, 'contest', args))
  for (const { topics, data } of receipt.logs) {
    const raised = dataSharing.abi.decodeEvent('ObjectionRaised', { topics, data: fromHex(data) })
    if (raised !== undefined)
      return { objectionId: raised.objectionId, enterpriseId, digest, deadline: raised.deadline }
  }
  throw new AgentError('TRANSACTION_FAILED', 'the objection had no effect: the entry has changed meanwhile, look again')
}

async function digestOf(
  { chainId, directory }: Connection,
  enterpriseId: Hash,
  attribute: string,
  { value, portraitKeys }: Extract<ContestedEntry, { value: string }>,
): Promise<Hash> {
  const profiles = await directory.profiles()
  const canonical = validated(profiles, new Map([[attribute, value]])).get(attribute)!
  const { key } = await portraitKeys.newest(enterpriseId)
  const profile = profiles.get(attribute)!
  return attributeDigest({
    portraitKey: key,
    chainId,
    enterpriseId,
    attribute: profile.attribute,
    schemaVersion: profile.schemaVersion,
    value: canonical,
  })
}

/** All objections, in the order in which they were raised. */
export async function readObjections(client: RpcClient) {
  const count = await view(client, dataSharing, 'objectionCount', {})
  const found = []
  for (let from = 1n; from <= count; from += BigInt(consentPageMax)) {
    found.push(...(await view(client, dataSharing, 'objectionsFrom', { from, count: BigInt(consentPageMax) })))
  }
  return found
}

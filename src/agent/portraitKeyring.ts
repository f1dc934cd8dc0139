/** Portrait keys that enterprises have shared with one department, found on the chain and kept in memory. */
import { type Address, fromHex, type Hash } from '../core/bytes.js'
import { agentCacheEntriesMax, rpcLogAlternativesMax, rpcLogRangeBlocksMax } from '../core/limits.js'
import type { RpcClient } from '../rpc/client.js'
import type { RpcLog } from '../rpc/wire.js'
import { AgentError } from './agentError.js'
import { dataSharing, view } from './contractClient.js'
import type { Deliveries } from './delivery/delivery.js'
import { carriedKeyShare, carriedPart, readTransactions } from './department/carried.js'
import { topicOf } from './department/events.js'
import { isTooWide } from './logRange.js'
import { openValues } from './sealedValues.js'

export interface KnownPortraitKey {
  readonly version: number
  /** 32 bytes. */
  readonly key: Uint8Array
}

export interface PortraitKeyring {
  /** The key of the enterprise's current portrait version. Throws AgentError NO_PORTRAIT_KEY when it was not shared. */
  get(enterpriseId: Hash): Promise<KnownPortraitKey>
  /** Keeps a key that is known already. */
  put(enterpriseId: Hash, entry: KnownPortraitKey): void
  /** Forgets the key: the enterprise has started a new version. */
  drop(enterpriseId: Hash): void
}

/** What a department that is in groups can open beside its own envelopes. */
export interface JointKeys {
  readonly groups: readonly Address[]
  /** null when the department does not have it. */
  groupKey(group: Address, keyEpoch: bigint): Promise<Uint8Array | null>
}

export interface KeyringOptions {
  readonly chainId: number
  /** Account of the member that asks. */
  readonly self: () => Promise<Address>
  /** X25519 private keys, the current one first. */
  readonly encryptionKeys: readonly Uint8Array[]
  readonly joint?: JointKeys
}

/** The same with the account at hand. */
type Search = Omit<KeyringOptions, 'self'> & { readonly self: Address }

export interface KeyringNeeds {
  readonly client: RpcClient
  readonly deliveries: Pick<Deliveries, 'receive'>
}

export function createPortraitKeyring(options: KeyringOptions, needs: KeyringNeeds): PortraitKeyring {
  const known = new Map<Hash, KnownPortraitKey>()
  const put = (enterpriseId: Hash, entry: KnownPortraitKey): void => {
    if (known.size >= agentCacheEntriesMax) known.clear()
    known.set(enterpriseId, entry)
  }
  return {
    put,
    drop: (enterpriseId) => void known.delete(enterpriseId),
    async get(enterpriseId) {
      const kept = known.get(enterpriseId)
      if (kept) return kept
      const version = await view(needs.client, dataSharing, 'portraitVersionOf', { enterpriseId })
      const self = await options.self()
      const key = version === 0 ? null : await searchKey({ ...options, self }, needs, enterpriseId, version)
      if (!key) {
        const problem =
          version === 0 ? 'has submitted nothing yet' : 'has not shared its portrait key with this department'
        throw new AgentError('NO_PORTRAIT_KEY', `the enterprise ${problem}: it has to submit (and share) first`)
      }
      put(enterpriseId, { version, key })
      return { version, key }
    },
  }
}

/** In the block that the contract names; else, as for a supervisor that was sent a submission only, by a search of the logs. */
async function searchKey(
  options: Search,
  needs: KeyringNeeds,
  enterpriseId: Hash,
  version: number,
): Promise<Uint8Array | null> {
  const { client } = needs
  const shared = Number(
    await view(client, dataSharing, 'portraitKeySharedAt', { enterpriseId, recipient: options.self }),
  )
  if (shared > 0) {
    const key = await newestKey(
      options,
      needs,
      await readKeyLogs(options, client, enterpriseId, shared, shared),
      version,
    )
    if (key) return key
  }
  let to = Number(await client.call('eth_blockNumber'))
  let blocks = rpcLogRangeBlocksMax
  while (to >= 0) {
    const from = Math.max(0, to - blocks + 1)
    const logs = await readKeyLogs(options, client, enterpriseId, from, to).catch((error: unknown) => {
      if (isTooWide(error, to - from + 1)) return null
      throw error
    })
    if (logs === null) {
      blocks = Math.ceil((to - from + 1) / 2)
      continue
    }
    to = from - 1
    const key = await newestKey(options, needs, logs, version)
    if (key) return key
  }
  return null
}

async function newestKey(
  options: Search,
  needs: KeyringNeeds,
  logs: readonly RpcLog[],
  version: number,
): Promise<Uint8Array | null> {
  for (const log of logs.toReversed()) {
    const key = await openKeyLog(options, needs, log, version)
    if (key) return key
  }
  return null
}

async function readKeyLogs(
  { self, joint }: Search,
  client: RpcClient,
  enterpriseId: Hash,
  from: number,
  to: number,
): Promise<RpcLog[]> {
  const { abi, address } = dataSharing
  const own = topicOf(self)
  const recipients = [self, ...(joint?.groups ?? [])].slice(0, rpcLogAlternativesMax).map(topicOf)
  const range = { address, fromBlock: `0x${from.toString(16)}`, toBlock: `0x${to.toString(16)}` } as const
  const [shares, parts] = await Promise.all([
    client.call('eth_getLogs', { ...range, topics: [abi.topic('PortraitKeyShared'), enterpriseId, own] }),
    client.call('eth_getLogs', { ...range, topics: [abi.topic('DataStored'), null, enterpriseId, recipients] }),
  ])
  return [...parts, ...shares]
}

async function openKeyLog(
  options: Search,
  { client, deliveries }: KeyringNeeds,
  log: RpcLog,
  version: number,
): Promise<Uint8Array | null> {
  const { chainId, self, encryptionKeys } = options
  const transaction = (await readTransactions(client, [log.transactionHash])).get(log.transactionHash)
  if (!transaction) return null
  const stored = dataSharing.abi.decodeEvent('DataStored', { topics: log.topics, data: fromHex(log.data) })
  const carried = stored ? carriedPart(chainId, transaction, stored.part) : carriedKeyShare(chainId, transaction, self)
  if (carried.context.portraitVersion !== version) return null
  const received = await deliveries.receive(carried.envelope, carried.context.sender)
  if (received.state !== 'here') return null
  const { recipient, keyEpoch } = carried.context
  const groupKey = recipient === self ? null : await options.joint?.groupKey(recipient, keyEpoch)
  const keys = recipient === self ? encryptionKeys : groupKey ? [groupKey] : []
  return openValues(received.envelope, keys, carried.context)?.portraitKey ?? null
}

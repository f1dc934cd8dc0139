/** What the chain says about members and attributes, kept in memory and dropped when the chain announces a change. */

import { STATUS } from '../contracts/codes.js'
import { type Profiles, profilesByName } from '../contracts/dataFunctions.js'
import type { Predicate } from '../contracts/predicates.js'
import { type Address, fromHex, type Hash, ZERO_HASH } from '../core/bytes.js'
import { agentCacheEntriesMax } from '../core/limits.js'
import type { RpcClient, Subscription } from '../rpc/client.js'
import { ContractRevert, dataPortrait, eligibility, keyAgreement, members, view } from './contractClient.js'
import type { Heads } from './heads.js'

export interface Member {
  readonly account: Address
  readonly active: boolean
  /** Of contracts/codes.ts. */
  readonly role: number
  readonly id: Hash
  readonly name: string
  /** X25519; null when the member has published none. */
  readonly encryptionKey: Uint8Array | null
  readonly keyEpoch: bigint
}

export interface Directory {
  /** The data portrait library by attribute name. */
  profiles(): Promise<Profiles>
  member(account: Address): Promise<Member | null>
  memberById(id: Hash): Promise<Member | null>
  /** All registered members, in the order of their registration. */
  members(): Promise<readonly Member[]>
  /** A declared predicate; null when nobody has declared it. */
  predicate(id: Hash): Promise<Predicate | null>
  /** Forgets what was read. */
  clear(): void
  /** Clears by itself when members, keys or profiles change, and when a change of the data portrait comes into force. */
  watch(heads: Pick<Heads, 'height' | 'onHead'>): Subscription
}

export function createDirectory(client: RpcClient): Directory {
  return new ChainDirectory(client)
}

/** Reads under way at a time when all members are listed. */
const MEMBERS_AT_ONCE = 50

class ChainDirectory implements Directory {
  readonly #client: RpcClient
  #profiles: Promise<Profiles> | undefined
  #all: readonly Member[] | undefined
  /** First block in which the profiles that are kept no longer hold. */
  #staleFrom = Number.POSITIVE_INFINITY
  #height = -1
  readonly #members = new Map<string, Promise<Member | null>>()
  /** What an id stands for never changes. */
  readonly #predicates = new Map<Hash, Predicate>()

  constructor(client: RpcClient) {
    this.#client = client
  }

  profiles(): Promise<Profiles> {
    const kept = this.#profiles
    if (kept) return kept
    const read = this.#readProfiles()
    this.#profiles = read
    read.catch(() => {
      if (this.#profiles === read) this.#profiles = undefined
    })
    return read
  }

  /** The height is asked for first: a change that comes into force while the profiles are read drops them again. */
  async #readProfiles(): Promise<Profiles> {
    const next = Number(await view(this.#client, dataPortrait, 'nextChangeAt', {}))
    this.#staleFrom = next === 0 ? Number.POSITIVE_INFINITY : next
    const [profiles, codeLists] = await Promise.all([
      view(this.#client, dataPortrait, 'GetDataProfile', {}),
      view(this.#client, dataPortrait, 'codeLists', {}),
    ])
    this.#reached(this.#height)
    return profilesByName(profiles, codeLists)
  }

  #reached(height: number): void {
    this.#height = height
    if (height >= this.#staleFrom) this.#profiles = undefined
  }

  member(account: Address): Promise<Member | null> {
    return this.#cached(account, async () => view(this.#client, members, 'getMember', { account }))
  }

  memberById(id: Hash): Promise<Member | null> {
    return this.#cached(id, async () => view(this.#client, members, 'memberById', { id }))
  }

  async members(): Promise<readonly Member[]> {
    const count = Number(await view(this.#client, members, 'memberCount', {}))
    const kept = this.#all
    if (kept?.length === count) return kept
    // Members are only added: those before are read no more until the chain announces a change.
    const accounts: (Member | null)[] = [...(kept ?? [])]
    for (let from = accounts.length; from < count; from += MEMBERS_AT_ONCE) {
      const indices = Array.from({ length: Math.min(MEMBERS_AT_ONCE, count - from) }, (_, i) => BigInt(from + i))
      accounts.push(
        ...(await Promise.all(
          indices.map(async (index) => this.member(await view(this.#client, members, 'memberAt', { index }))),
        )),
      )
    }
    const found = accounts.filter((member) => member !== null)
    if (found.length === count) this.#all = found
    return found
  }

  async predicate(id: Hash): Promise<Predicate | null> {
    const kept = this.#predicates.get(id)
    if (kept) return kept
    const found = await readPredicate(this.#client, id)
    if (found === null) return null
    if (this.#predicates.size >= agentCacheEntriesMax) this.#predicates.clear()
    this.#predicates.set(id, found)
    return found
  }

  clear(): void {
    this.#profiles = undefined
    this.#all = undefined
    this.#members.clear()
  }

  watch(heads: Pick<Heads, 'height' | 'onHead'>): Subscription {
    const following = heads.onHead((height) => this.#reached(height))
    this.#reached(heads.height)
    const topics = [
      dataPortrait.abi.topic('DataProfileSet'),
      dataPortrait.abi.topic('ChangeScheduled'),
      dataPortrait.abi.topic('ChangeClosed'),
      members.abi.topic('MemberRegistered'),
      members.abi.topic('MemberStatusChanged'),
      members.abi.topic('EncryptionKeyRotated'),
      keyAgreement.abi.topic('GroupKeyAgreed'),
    ]
    const filter = { address: [dataPortrait.address, members.address, keyAgreement.address], topics: [topics] }
    const clear = () => this.clear()
    const changes = this.#client.subscribe('logs', [filter], { onValue: clear, onConnected: clear })
    return {
      close() {
        following.close()
        changes.close()
      },
    }
  }

  #cached(key: string, read: () => Promise<RawMember>): Promise<Member | null> {
    const kept = this.#members.get(key)
    if (kept) return kept
    if (this.#members.size >= agentCacheEntriesMax) this.#members.clear()
    const found = read().then(asMember, absent)
    this.#members.set(key, found)
    // Who is not registered yet may be soon; a failed read is tried again.
    const drop = () => {
      if (this.#members.get(key) === found) this.#members.delete(key)
    }
    found.then((member) => member ?? drop(), drop)
    return found
  }
}

type RawMember = Awaited<ReturnType<typeof readMember>>
const readMember = (client: RpcClient, account: Address) => view(client, members, 'getMember', { account })

function asMember(raw: RawMember): Member | null {
  if (raw.role === 0) return null
  const { account, role, id, name, keyEpoch } = raw
  const encryptionKey = raw.encryptionKey === ZERO_HASH ? null : fromHex(raw.encryptionKey)
  return { account, active: raw.status === STATUS.active, role, id, name, encryptionKey, keyEpoch }
}

function absent(error: unknown): null {
  if (error instanceof ContractRevert && error.error.startsWith('UnknownMember')) return null
  throw error
}

async function readPredicate(client: RpcClient, predicateId: Hash): Promise<Predicate | null> {
  try {
    return await view(client, eligibility, 'predicateOf', { predicateId })
  } catch (error) {
    if (error instanceof ContractRevert && error.error === 'UnknownPredicate') return null
    throw error
  }
}

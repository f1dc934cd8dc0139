/** What stands on chain: the user portrait of an enterprise, members, attributes. */
import { dataSharing, members, view } from '../agent/contractClient.js'
import { EXISTENCE, type ExistenceName, nameOf, ROLE, type RoleName } from '../contracts/codes.js'
import type { DataProfile } from '../contracts/genesisTypes.js'
import { idText, isTextId, textId } from '../contracts/textId.js'
import { type Address, asAddress, type Hash, type Hex } from '../core/bytes.js'
import type { Reader } from './connect.js'

export interface PortraitEntry {
  readonly attribute: string
  /** Keyed: it tells nothing about the value. */
  readonly digest: Hash
  readonly existence: ExistenceName
  /** The supervisors' value is the one with this digest. */
  readonly confirmed: boolean
  readonly height: number
  /** Last block in which it answers questions; null: without an end. */
  readonly validUntil: number | null
  readonly attesters: readonly Address[]
}

/** The user portrait of an enterprise: nodes keep a record of who reads it. Throws RpcError or RpcClientError. */
export async function readPortrait({ client }: Reader, creditCode: string, reader?: Hex): Promise<PortraitEntry[]> {
  const enterpriseId = textId(creditCode, 'creditCode')
  const entries = await view(client, dataSharing, 'GetUserProfile', { enterpriseId }, reader && asAddress(reader))
  return entries.map(({ attribute, digest, existence, confirmed, height, validUntil, attesters }) => ({
    attribute: wordText(attribute),
    digest,
    existence: nameOf(EXISTENCE, existence) ?? 'missing',
    confirmed,
    height: Number(height),
    validUntil: validUntil === 0n ? null : Number(validUntil),
    attesters,
  }))
}

export interface ListedMember {
  readonly account: Address
  readonly id: string
  readonly name: string
  readonly role: RoleName
  readonly active: boolean
  /** X25519; null when the member has published none. */
  readonly encryptionKey: Uint8Array | null
}

/** All members in the order of their registration. Throws RpcError or RpcClientError. */
export async function listMembers({ directory }: Reader): Promise<ListedMember[]> {
  const found = await directory.members()
  return found.map(({ account, id, name, role, active, encryptionKey }) => {
    return { account, id: wordText(id), name, role: nameOf(ROLE, role)!, active, encryptionKey }
  })
}

/** For which role and member an account acts. Throws RpcError or RpcClientError. */
export async function identityOf({ client }: Reader, account: Hex) {
  const { active, role, id } = await view(client, members, 'IdentityAuth', { userID: asAddress(account) })
  return { active, role: nameOf(ROLE, role) ?? null, id: wordText(id) }
}

export interface ListedAttribute {
  readonly name: string
  /** Names where they are members. */
  readonly supervisors: readonly string[]
  readonly profile: DataProfile
}

/** The data portrait: which departments supervise what, by which rule. Throws RpcError or RpcClientError. */
export async function listAttributes({ directory }: Reader): Promise<ListedAttribute[]> {
  const profiles = await directory.profiles()
  const named = async (account: Address) => (await directory.member(account))?.name ?? account
  return Promise.all(
    [...profiles].map(async ([name, profile]) => {
      return { name, supervisors: await Promise.all(profile.supervisors.map(named)), profile }
    }),
  )
}

const wordText = (word: Hash): string => (isTextId(word) ? idText(word) : word)

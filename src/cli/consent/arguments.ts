/** What the consent commands take from the command line. */

import { existsSync } from 'node:fs'
import type { Connection } from '../../agent/connection.js'
import { consentIdOf, grantConsent, type SignedConsent } from '../../agent/consent.js'
import { readConsent } from '../../agent/consentFile.js'
import { members, view } from '../../agent/contractClient.js'
import { textId } from '../../contracts/textId.js'
import { type Address, type Hash, ZERO_ADDRESS } from '../../core/bytes.js'
import { type ConnectionFlags, networkOf, reading } from '../connection.js'
import { UsageError } from '../errors.js'
import { addressArgument, hashArgument } from '../hexArgument.js'

const ID = /^0x[0-9a-fA-F]{64}$/
const DAY = /^\d{4}-\d{2}-\d{2}$/
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?Z$/

/** A consent as it is named: its id, or the file with its signature. */
export interface NamedConsent {
  readonly id: Hash
  readonly signed: SignedConsent | undefined
}

export async function namedConsent(text: string): Promise<NamedConsent> {
  if (ID.test(text)) return { id: hashArgument(text, 'the id of a consent'), signed: undefined }
  if (!existsSync(text))
    throw new UsageError(`'${text}' is neither a file nor the id of a consent (0x and 64 hex digits)`)
  const signed = await readConsent(text)
  return { id: consentIdOf(signed.chainId, signed.consent), signed }
}

/** The basis of a question: a statute's code, or a consent, which is put on chain where it is not yet. */
export async function basisOf(
  connection: Connection,
  { consent, statute }: { readonly consent?: string; readonly statute?: string },
): Promise<Hash | undefined> {
  if (consent !== undefined && statute !== undefined) throw new UsageError('name one basis: --consent or --statute')
  if (statute !== undefined) return textId(statute, '--statute')
  if (consent === undefined) return undefined
  const { id, signed } = await namedConsent(consent)
  return signed === undefined ? id : grantConsent(connection, signed)
}

/** 'any', an address, a department of --network, or the id of a member that the node knows. */
export async function requesterOf(flags: ConnectionFlags, text: string): Promise<Address> {
  if (text === 'any') return ZERO_ADDRESS
  if (text.startsWith('0x')) return addressArgument(text, '--requester')
  const own = networkOf(flags)?.nodes.find((node) => node.department === text)
  if (own !== undefined) return own.address
  const { account } = await reading(flags, (client) =>
    view(client, members, 'memberById', { id: textId(text, '--requester') }),
  )
  return account
}

/** Seconds since 1970: the end of a day, or a time, in UTC. */
export function untilOf(text: string): bigint {
  const full = DAY.test(text) ? `${text}T23:59:59Z` : text
  const milliseconds = TIME.test(full) ? Date.parse(full) : Number.NaN
  if (Number.isNaN(milliseconds)) {
    throw new UsageError(`--until must be a day such as 2027-03-31, or a time such as 2027-03-31T12:00Z, got '${text}'`)
  }
  return BigInt(Math.floor(milliseconds / 1_000))
}

/** As --chain-id says, or the node. */
export async function chainIdOf(flags: ConnectionFlags & { readonly chainId?: string }): Promise<number> {
  if (flags.chainId === undefined) return reading(flags, async (client) => Number(await client.call('eth_chainId')))
  const chainId = Number(flags.chainId)
  if (Number.isSafeInteger(chainId) && chainId > 0) return chainId
  throw new UsageError(`--chain-id must be a number from 1 on, got '${flags.chainId}'`)
}

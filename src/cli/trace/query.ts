/** From the flags of `concordat trace` to what is asked. */

import { members, view } from '../../agent/contractClient.js'
import { blockAt } from '../../agent/trace.js'
import { TRACE_KINDS, type TraceKind } from '../../audit/entry.js'
import type { TraceQuery } from '../../audit/query.js'
import { textId } from '../../contracts/textId.js'
import type { Address } from '../../core/bytes.js'
import type { RpcClient } from '../../rpc/client.js'
import { type ConnectionFlags, networkOf } from '../connection.js'
import { UsageError } from '../errors.js'
import { addressArgument } from '../hexArgument.js'

export interface TraceFlags extends ConnectionFlags {
  readonly enterprise?: string
  readonly department?: string
  readonly attribute?: string
  readonly purpose?: string
  readonly since?: string
  readonly until?: string
  readonly kind: string[]
  readonly limit: string
  readonly failed?: boolean
  readonly summary?: boolean
  readonly as?: string
  readonly mandate?: string
}

/** Throws UsageError, ContractRevert for an unknown member, and what the client throws. */
export async function traceQuery(flags: TraceFlags, client: RpcClient): Promise<TraceQuery> {
  const head = Number(await client.call('eth_blockNumber'))
  const fromBlock = flags.since === undefined ? 0 : await blockOf(client, '--since', flags.since, head, false)
  const toBlock = flags.until === undefined ? head : await blockOf(client, '--until', flags.until, head, true)
  const { enterprise, department, attribute, purpose, kind } = flags
  return {
    fromBlock,
    toBlock: Math.min(toBlock, head),
    ...(enterprise === undefined ? {} : { enterprise: textId(enterprise, '--enterprise') }),
    ...(department === undefined ? {} : { department: await accountOf(flags, client, department) }),
    ...(attribute === undefined ? {} : { attribute: textId(attribute, '--attribute') }),
    ...(purpose === undefined ? {} : { purpose: textId(purpose, '--purpose') }),
    ...(kind.length === 0 ? {} : { kinds: kind.map(kindOf) }),
  }
}

/** An address, a name of the local network, or the id of a member. */
export async function accountOf(flags: ConnectionFlags, client: RpcClient, text: string): Promise<Address> {
  if (/^0x/i.test(text)) return addressArgument(text)
  const known = networkOf(flags)?.accounts[text]
  if (known !== undefined) return known.address
  const { account } = await view(client, members, 'memberById', { id: textId(text) })
  return account
}

async function blockOf(client: RpcClient, flag: string, text: string, head: number, upTo: boolean): Promise<number> {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  const timeMs = Date.parse(text)
  if (Number.isNaN(timeMs)) {
    throw new UsageError(`${flag} must be a block number or a time such as 2026-03-01T08:00:00Z, got '${text}'`)
  }
  return upTo ? (await blockAt(client, timeMs + 1, head)) - 1 : blockAt(client, timeMs, head)
}

function kindOf(text: string): TraceKind {
  const kind = TRACE_KINDS.find((one) => one === text)
  if (kind === undefined) throw new UsageError(`--kind must be one of ${TRACE_KINDS.join(', ')}, got '${text}'`)
  return kind
}

/** A whole number of a flag. Throws UsageError. */
export function wholeNumber(flag: string, text: string, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (value < 1 || value > max) throw new UsageError(`${flag} must be a whole number from 1 to ${max}, got '${text}'`)
  return value
}

/**
 * Events whose envelope is still under way, kept in the outbox so that no restart forgets them. The cursor passes them by:
 * nothing else waits for them.
 */
import { fromHex, type Hash, uintToBytes } from '../../core/bytes.js'
import { hashField, listField, numberField } from '../../core/codec.js'
import { rlpDecode, rlpEncode } from '../../core/rlp.js'
import type { RpcClient } from '../../rpc/client.js'
import { RpcClientError } from '../../rpc/client.js'
import type { RpcTransaction } from '../../rpc/wire.js'
import type { OutboxItem } from '../database/departmentDatabase.js'
import { readTransactions } from './carried.js'
import { type DepartmentEvent, eventOf } from './events.js'

export type AwaitedEvent = Extract<DepartmentEvent, { kind: 'stored' | 'wanted' }>

/** An event whose envelope is waited for, with its transaction. */
export interface Awaited {
  readonly event: AwaitedEvent
  readonly transaction: RpcTransaction
  /** Milliseconds since 1970. */
  readonly since: number
}

/** Where the event is, and since when its envelope is waited for (ms since 1970). */
interface AwaitedPlace {
  readonly transactionHash: Hash
  readonly height: number
  readonly logIndex: number
  readonly since: number
}

const PREFIX = 'awaited:'

export const isAwaited = ({ key }: OutboxItem): boolean => key.startsWith(PREFIX)
export const awaitedKey = ({ height, logIndex }: Pick<AwaitedPlace, 'height' | 'logIndex'>): string =>
  `${PREFIX}${height}:${logIndex}`

export function encodeAwaited(place: AwaitedPlace): OutboxItem {
  const numbers = [place.height, place.logIndex, place.since].map((value) => uintToBytes(value))
  return { key: awaitedKey(place), payload: rlpEncode([fromHex(place.transactionHash), ...numbers]) }
}

/** Throws CodecError or RlpError: then the department database is damaged. */
function decodeAwaited({ payload }: OutboxItem): AwaitedPlace {
  const [hash, height, logIndex, since] = listField(rlpDecode(payload, { depthMax: 1 }), 'awaited', 4)
  return {
    transactionHash: hashField(hash, 'transaction'),
    height: numberField(height, 'height'),
    logIndex: numberField(logIndex, 'logIndex'),
    since: numberField(since, 'since'),
  }
}

/** Reads the event and its transaction again. Throws RpcClientError or RpcError. */
export async function restoreAwaited(client: RpcClient, item: OutboxItem): Promise<Awaited> {
  const { transactionHash, logIndex, since } = decodeAwaited(item)
  const receipt = await client.call('eth_getTransactionReceipt', transactionHash)
  const log = receipt?.logs.find((candidate) => Number(candidate.logIndex) === logIndex)
  const event = log && eventOf(log)
  const transaction = (await readTransactions(client, [transactionHash])).get(transactionHash)
  if (!transaction || (event?.kind !== 'stored' && event?.kind !== 'wanted')) {
    throw new RpcClientError(
      'MALFORMED_ANSWER',
      `${client.url} has lost transaction ${transactionHash}: is it in sync?`,
    )
  }
  return { event, transaction, since }
}

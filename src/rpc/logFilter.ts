/** Log filters of eth_getLogs, eth_newFilter and eth_subscribe: parsed, checked, compiled for bloom and log. */
import { type Address, fromHex, type Hash } from '../core/bytes.js'
import { rpcLogAlternativesMax } from '../core/limits.js'
import type { Log, Receipt } from '../core/receipt.js'
import type { ChainApi, FinalBlock } from './chainApi.js'
import { invalidArgument, invalidParams } from './errors.js'
import { asFixed, isAbsent, typeName } from './params.js'
import { placeOf, presentLog } from './present.js'
import type { RpcLog } from './wire.js'

/** A log has at most four topics. */
const TOPIC_POSITIONS_MAX = 4

/** `undefined` members match anything. */
export interface LogMatcher {
  readonly addresses: ReadonlySet<Address> | undefined
  readonly topics: readonly (ReadonlySet<Hash> | undefined)[]
  /** One member per address or topic condition: the bloom bits of its alternatives. */
  readonly bloomGroups: readonly (readonly BloomBits[])[]
}

/** Three byte offsets and masks in a 256-byte bloom. */
type BloomBits = readonly (readonly [offset: number, mask: number])[]

/** Reads `address` and `topics` of the filter object that is argument `index`. */
export function readLogMatcher(api: ChainApi, filter: Readonly<Record<string, unknown>>, index: number): LogMatcher {
  const addresses = readAlternatives<Address>(filter.address, 20, index, 'address')
  const topics = readTopics(filter.topics, index)
  const conditions = [addresses, ...topics].filter((set) => set !== undefined)
  const bloomGroups = conditions.map((set) => [...set].map((hex) => bloomBits(api.keccak256(fromHex(hex)))))
  return { addresses, topics, bloomGroups }
}

function readTopics(value: unknown, index: number): (ReadonlySet<Hash> | undefined)[] {
  if (isAbsent(value)) return []
  if (!Array.isArray(value)) throw invalidArgument(index, `topics must be an array, got ${typeName(value)}`)
  if (value.length > TOPIC_POSITIONS_MAX) throw invalidParams('exceed max topics')
  return value.map((topic: unknown, i) => readAlternatives<Hash>(topic, 32, index, `topics[${i}]`))
}

/** One value, or several of which any may match; absent, an empty list or a null among them matches anything. */
function readAlternatives<T extends Hash | Address>(
  value: unknown,
  bytes: number,
  index: number,
  title: string,
): ReadonlySet<T> | undefined {
  if (isAbsent(value)) return undefined
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length > rpcLogAlternativesMax) {
    throw invalidParams(`exceed max addresses or topics per search position: ${rpcLogAlternativesMax}`)
  }
  if (list.length === 0 || list.some(isAbsent)) return undefined
  return new Set(
    list.map((item) => asFixed(item, bytes, (reason) => invalidArgument(index, `${title}: ${reason}`)) as T),
  )
}

/** Yellow paper 4.3.1: three 11-bit numbers from the first six bytes of the digest. */
function bloomBits(digest: Uint8Array): BloomBits {
  return [0, 2, 4].map((i) => {
    const bit = ((digest[i]! << 8) | digest[i + 1]!) & 2047
    return [255 - (bit >> 3), 1 << (bit & 7)] as const
  })
}

/** False: no log below this bloom matches. True: one may. */
export function bloomMayMatch({ bloomGroups }: LogMatcher, bloom: Uint8Array): boolean {
  return bloomGroups.every((group) => group.some((bits) => bits.every(([offset, mask]) => bloom[offset]! & mask)))
}

export function logMatches({ addresses, topics }: LogMatcher, log: Log): boolean {
  if (addresses && !addresses.has(log.address)) return false
  if (log.topics.length < topics.length) return false
  return topics.every((set, i) => !set || set.has(log.topics[i]!))
}

/** Matching logs of one block in order. */
export function matchingLogs(matcher: LogMatcher, final: FinalBlock, receipts: readonly Receipt[]): RpcLog[] {
  const place = placeOf(final.hash, final.block.header)
  const found: RpcLog[] = []
  let logIndex = 0
  receipts.forEach((receipt, index) => {
    for (const log of receipt.logs) {
      const at = logIndex++
      if (logMatches(matcher, log)) {
        found.push(presentLog(log, place, final.block.transactions[index]!.hash, index, at))
      }
    }
  })
  return found
}

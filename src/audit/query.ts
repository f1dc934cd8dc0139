/** What of the records is asked for, and which logs can hold it. */
import { type Address, type Hash, toHash, uintToWord } from '../core/bytes.js'
import { rpcLogAlternativesMax } from '../core/limits.js'
import type { TraceKind } from './entry.js'
import { KNOWN_EVENTS, type KnownEvent } from './readings.js'

/** Absent: anything. */
export interface TraceQuery {
  readonly fromBlock: number
  /** Included. */
  readonly toBlock: number
  readonly enterprise?: Hash
  /** A member that has done the step, or that it names. */
  readonly department?: Address
  readonly attribute?: Hash
  readonly purpose?: Hash
  readonly kinds?: readonly TraceKind[]
}

export interface LogFilter {
  readonly address: readonly Address[]
  readonly topics: readonly (readonly Hash[] | null)[]
}

/** Whom a query is about, as topics have it. */
export interface Subject {
  readonly enterprise?: Hash
  /** Accounts as words: that of the enterprise, or the department. */
  readonly account?: Hash
}

/** Ids of exchanges beyond which they are not named in a filter any more: what comes is sorted out afterwards. */
const IDS_IN_FILTERS_MAX = 20 * rpcLogAlternativesMax

export const idTopic = (id: bigint): Hash => toHash(uintToWord(id))

export const isAbout = ({ enterprise, account }: Subject): boolean => enterprise !== undefined || account !== undefined

/** Events that a query can match. */
export function selected(kinds: readonly TraceKind[] | undefined): readonly KnownEvent[] {
  return kinds === undefined ? KNOWN_EVENTS : KNOWN_EVENTS.filter(({ reading }) => kinds.includes(reading.kind))
}

/** Filters of the events that name the subject themselves; without a subject, one for all. */
export function directFilters(events: readonly KnownEvent[], subject: Subject): LogFilter[] {
  if (!isAbout(subject)) return events.length === 0 ? [] : [filterOf(events)]
  return [...filtersAt(events, 'enterprise', subject.enterprise), ...accountFilters(events, subject)]
}

function accountFilters(events: readonly KnownEvent[], { account }: Subject): LogFilter[] {
  return [...filtersAt(events, 'who', account), ...filtersAt(events, 'parties', account)]
}

/** One filter for each place in which the field is indexed. */
function filtersAt(
  events: readonly KnownEvent[],
  field: 'enterprise' | 'who' | 'parties',
  word: Hash | undefined,
): LogFilter[] {
  if (word === undefined) return []
  return [1, 2, 3].flatMap((place) => {
    const there = events.filter((known) => known.place(known.reading[field]) === place)
    if (there.length === 0) return []
    const { address, topics } = filterOf(there)
    return [{ address, topics: [...topics, ...new Array<null>(place - 1).fill(null), [word]] }]
  })
}

/** Filters of the steps of these exchanges, which are indexed by their first argument. */
export function exchangeFilters(
  events: readonly KnownEvent[],
  ids: ReadonlyMap<string, ReadonlySet<bigint>>,
): LogFilter[] {
  return [...ids].flatMap(([kind, known]) => {
    const steps = events.filter(
      ({ reading, place }) => reading.exchange?.[0] === kind && place(reading.exchange[1]) === 1,
    )
    if (steps.length === 0 || known.size === 0) return []
    const { address, topics } = filterOf(steps)
    if (known.size > IDS_IN_FILTERS_MAX) return [{ address, topics }]
    return chunks([...known].map(idTopic), rpcLogAlternativesMax).map((some) => ({
      address,
      topics: [...topics, some],
    }))
  })
}

/** Events that tell which exchanges concern the subject. */
export const tellingEvents: readonly KnownEvent[] = KNOWN_EVENTS.filter(
  ({ reading }) =>
    reading.exchange !== undefined && (reading.enterprise ?? reading.who ?? reading.parties) !== undefined,
)

function filterOf(events: readonly KnownEvent[]): LogFilter {
  const address = [...new Set(events.map((known) => known.address))]
  return { address, topics: [[...new Set(events.map(({ topic }) => topic))]] }
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}

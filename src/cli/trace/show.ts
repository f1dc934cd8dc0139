/** Trails and their statistics as tables that fit a terminal. */
import type { TraceEntry } from '../../audit/entry.js'
import type { TraceSummary } from '../../audit/summary.js'
import type { Address } from '../../core/bytes.js'
import { formatMs, type Output, short } from '../output.js'

export type Names = ReadonlyMap<Address, string>

/** Widths of the columns that hold free text. */
const WIDTH = { who: 18, what: 44, about: 18, terms: 20, outcome: 24 } as const

/** Steps of an exchange stand under its first. */
export function showTrail(out: Output, entries: readonly TraceEntry[], names: Names): void {
  const rows = grouped(entries).flatMap((group) => group.map((entry, index) => row(entry, index > 0, names)))
  out.table(['block', 'time (UTC)', 'who', 'what', 'about', 'purpose', 'basis', 'outcome', 'after'], rows)
}

/** In the order in which the exchanges begin. */
function grouped(entries: readonly TraceEntry[]): TraceEntry[][] {
  const groups = new Map<string, TraceEntry[]>()
  for (const [index, entry] of entries.entries()) {
    const key = entry.exchange === null ? `${index}` : `${entry.contract} ${entry.exchange}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [entry])
    else group.push(entry)
  }
  return [...groups.values()]
}

function row(entry: TraceEntry, later: boolean, names: Names): (string | number)[] {
  const { block, timeMs, who, says, parties, attributes, enterprise, purpose, basis, outcome, exchange, after } = entry
  const named = (account: Address) => names.get(account) ?? short(account)
  const whom = parties.length === 0 ? '' : ` ${parties.map(named).join(', ')}`
  const what = `${says}${whom}${attributes.length === 0 ? '' : `: ${attributes.join(', ')}`}`
  return [
    block,
    new Date(timeMs).toISOString().slice(0, 19).replace('T', ' '),
    cut(named(who), WIDTH.who),
    cut(later ? `└ ${what}` : exchange === null ? what : `${exchange}: ${what}`, WIDTH.what),
    cut(enterprise ?? '', WIDTH.about),
    cut(later ? '' : (purpose ?? ''), WIDTH.terms),
    cut(later ? '' : (basis ?? ''), WIDTH.terms),
    cut(outcome ?? '', WIDTH.outcome),
    after === null ? '' : `${after.blocks} blocks, ${formatMs(after.ms)}`,
  ]
}

const cut = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, width - 1)}…`)

export function showSummary(out: Output, { departments, askers }: TraceSummary, names: Names): void {
  const named = (account: Address) => names.get(account) ?? account
  const time = (ms: number | null) => (ms === null ? '-' : formatMs(ms))
  out.line('answers')
  out.table(
    ['department', 'in time', 'late', 'missing', 'median', 'p95'],
    departments.map((one) => [
      named(one.department),
      one.onTime,
      one.late,
      one.missing,
      time(one.medianMs),
      time(one.p95Ms),
    ]),
  )
  out.line('questions')
  out.table(
    ['asker', 'purpose', 'basis', 'questions'],
    askers.map((one) => [named(one.asker), one.purpose ?? '-', one.basis ?? '-', one.questions]),
  )
}

/** Statistics of a trail, taken in entry by entry: memory grows with departments, askers and purposes, not with entries. */
import type { Address } from '../core/bytes.js'
import type { TraceEntry } from './entry.js'

export interface DepartmentSummary {
  readonly department: Address
  /** Transactions that answered a question in time, late, and questions that it left unanswered. */
  readonly onTime: number
  readonly late: number
  readonly missing: number
  /** From the block of the question to that of the answer, in ms; null without answers in time. */
  readonly medianMs: number | null
  readonly p95Ms: number | null
}

export interface AskerSummary {
  readonly asker: Address
  readonly purpose: string | null
  readonly basis: string | null
  readonly questions: number
}

export interface TraceSummary {
  readonly departments: readonly DepartmentSummary[]
  readonly askers: readonly AskerSummary[]
}

interface Counts {
  onTime: number
  late: number
  missing: number
  readonly times: Histogram
}

export class SummaryBuilder {
  readonly #departments = new Map<Address, Counts>()
  readonly #askers = new Map<string, AskerSummary>()
  /** The last answer taken in: the answers to one question in one transaction count once. */
  #last = ''

  add(entry: TraceEntry): void {
    if (entry.event === 'VerificationRequested') this.#asked(entry)
    else if (entry.event === 'Attested' || entry.event === 'AnswerLate') this.#answered(entry)
    else if (entry.event === 'AnswersMissing') for (const party of entry.parties) this.#counts(party).missing++
  }

  result(): TraceSummary {
    const departments = [...this.#departments].map(([department, { onTime, late, missing, times }]) => {
      return { department, onTime, late, missing, medianMs: times.quantile(0.5), p95Ms: times.quantile(0.95) }
    })
    return { departments, askers: [...this.#askers.values()] }
  }

  #asked({ who: asker, purpose, basis }: TraceEntry): void {
    const key = JSON.stringify([asker, purpose, basis])
    const questions = (this.#askers.get(key)?.questions ?? 0) + 1
    this.#askers.set(key, { asker, purpose, basis, questions })
  }

  #answered({ who, event, exchange, transaction, after }: TraceEntry): void {
    const key = `${transaction} ${who} ${exchange} ${event}`
    if (key === this.#last) return
    this.#last = key
    const counts = this.#counts(who)
    if (event === 'AnswerLate') counts.late++
    else {
      counts.onTime++
      if (after !== null) counts.times.add(after.ms)
    }
  }

  #counts(department: Address): Counts {
    const known = this.#departments.get(department)
    if (known !== undefined) return known
    const made = { onTime: 0, late: 0, missing: 0, times: new Histogram() }
    this.#departments.set(department, made)
    return made
  }
}

/** Counts of times with three significant digits: exact below a second, within half a percent above. */
class Histogram {
  readonly #counts = new Map<number, number>()
  #total = 0

  add(ms: number): void {
    const scale = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, ms))) - 2)
    const rounded = Math.round(ms / scale) * scale
    this.#counts.set(rounded, (this.#counts.get(rounded) ?? 0) + 1)
    this.#total++
  }

  /** Nearest rank; null when it is empty. */
  quantile(share: number): number | null {
    let rank = Math.ceil(share * this.#total)
    for (const ms of [...this.#counts.keys()].sort((a, b) => a - b)) {
      rank -= this.#counts.get(ms)!
      if (rank <= 0) return ms
    }
    return null
  }
}

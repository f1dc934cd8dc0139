/** What a bulk submission came to, one enterprise at a time and together. */
import type { JournalPart } from './bulkJournal.js'

export interface BulkOutcome {
  readonly place: string
  readonly creditCode?: string
  /** `accepted`: by every department; `rejected`: by one at least; `pending`: one has not answered; `failed`: not submitted. */
  readonly status: 'accepted' | 'rejected' | 'pending' | 'failed'
  /** Nothing was sent for it in this run: an earlier one had. */
  readonly before: boolean
  readonly submissionId?: bigint
  readonly transaction?: string
  readonly height?: number
  readonly parts?: readonly JournalPart[]
  readonly reason?: { readonly code: string; readonly message: string }
}

export interface DepartmentTally {
  readonly department: string
  accepted: number
  rejected: number
  /** Reason of a rejection -> how often. */
  readonly codes: Record<string, number>
}

export interface BulkSummary {
  total: number
  accepted: number
  rejected: number
  pending: number
  failed: number
  /** Of all: found done by an earlier run. */
  before: number
  registered: number
  readonly departments: readonly DepartmentTally[]
  /** Of the failed: code -> how often, and the first message. */
  readonly reasons: readonly { readonly code: string; count: number; readonly example: string }[]
  seconds: number
  /** Submissions of this run that became final, in each second. */
  perSecond: number
}

export class BulkTally {
  readonly #departments = new Map<string, DepartmentTally>()
  readonly #reasons = new Map<string, { code: string; count: number; example: string }>()
  readonly #counts = { total: 0, accepted: 0, rejected: 0, pending: 0, failed: 0, before: 0 }

  get done(): number {
    return this.#counts.total
  }

  get failed(): number {
    return this.#counts.failed
  }

  add({ place, status, before, parts = [], reason }: BulkOutcome): void {
    this.#counts.total++
    this.#counts[status]++
    if (before) this.#counts.before++
    for (const part of parts) this.#part(part)
    if (reason === undefined) return
    const known = this.#reasons.get(reason.code)
    if (known) known.count++
    else this.#reasons.set(reason.code, { code: reason.code, count: 1, example: `${place}: ${reason.message}` })
  }

  summary(registered: number, stored: number, seconds: number): BulkSummary {
    const departments = [...this.#departments.values()].sort((a, b) => (a.department < b.department ? -1 : 1))
    const reasons = [...this.#reasons.values()].sort((a, b) => b.count - a.count)
    return { ...this.#counts, registered, departments, reasons, seconds, perSecond: seconds > 0 ? stored / seconds : 0 }
  }

  #part({ department, status, code }: JournalPart): void {
    let tally = this.#departments.get(department)
    if (tally === undefined) {
      tally = { department, accepted: 0, rejected: 0, codes: {} }
      this.#departments.set(department, tally)
    }
    tally[status]++
    if (status === 'rejected') tally.codes[code] = (tally.codes[code] ?? 0) + 1
  }
}

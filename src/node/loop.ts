/**
 * The one writer of consensus state. Inputs queue up; each round steps the core through them, makes the journal durable
 * once, and only then lets effects leave (P1, P2). Building and executing blocks comes after the sends of the same round,
 * so that votes never wait for execution. Any exception here is fatal: a node that cannot be sure does not sign.
 */
import { encodeJournalRecord } from '../consensus/codec.js'
import type { Engine } from '../consensus/engine.js'
import type { Effect, Input } from '../consensus/types.js'
import type { Hash } from '../core/bytes.js'
import { INPUTS_PER_ROUND_MAX, JOURNAL_REWRITE_BYTES } from './limits.js'

/** Durable log of the core's records, in order. */
export interface JournalFile {
  /** Bytes of the records it holds. */
  readonly bytesUsed: number
  append(record: Uint8Array): void
  sync(): void
  rewrite(records: readonly Uint8Array[]): void
}

/** What the shell answers with an input. */
export type Work = Extract<Effect, { type: 'build' | 'verify' }>
export type External = Exclude<Effect, Work>

export interface LoopNeeds {
  readonly engine: Engine
  readonly journal: JournalFile
  readonly now: () => number
  /** Carries out a build or verify effect and says what came of it. Synchronous. */
  readonly work: (effect: Work) => Input
  /** Carries out any other effect; everything before it is durable. */
  readonly carryOut: (effect: External) => void
  readonly fatal: (error: unknown) => void
}

export class ConsensusLoop {
  readonly #needs: LoopNeeds
  #queue: Input[] = []
  #scheduled = false
  #stopped = false
  #timer: NodeJS.Timeout | undefined

  constructor(needs: LoopNeeds) {
    this.#needs = needs
  }

  push(input: Input): void {
    if (this.#stopped) return
    this.#queue.push(input)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#run())
  }

  /** Inputs that wait; the shell sheds load when it grows. */
  get backlog(): number {
    return this.#queue.length
  }

  /** `final` is in the database: records of what is final may go (P4). */
  prune(final: Hash): void {
    const { engine, journal } = this.#needs
    if (this.#stopped || journal.bytesUsed < JOURNAL_REWRITE_BYTES) return
    const records = engine.liveRecords(final)
    if (records !== null) journal.rewrite(records.map(encodeJournalRecord))
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#queue = []
  }

  #run(): void {
    this.#scheduled = false
    if (this.#stopped) return
    try {
      this.#round()
    } catch (error) {
      this.stop()
      this.#needs.fatal(error)
      return
    }
    if (this.#queue.length > 0 && !this.#scheduled) {
      this.#scheduled = true
      setImmediate(() => this.#run())
    }
  }

  #round(): void {
    const { engine, now, work, carryOut } = this.#needs
    const outgoing: External[] = []
    const jobs: Work[] = []
    let wakeAt: number | null = null
    let dirty = false
    for (const input of this.#queue.splice(0, INPUTS_PER_ROUND_MAX)) {
      const ready = engine.step(input, now())
      wakeAt = ready.wakeAt
      for (const record of ready.journal) {
        this.#needs.journal.append(encodeJournalRecord(record))
        dirty = true
      }
      for (const effect of ready.effects) {
        if (effect.type === 'build' || effect.type === 'verify') jobs.push(effect)
        else outgoing.push(effect)
      }
    }
    if (dirty) this.#needs.journal.sync()
    for (const effect of outgoing) {
      carryOut(effect)
      if (this.#stopped) return
    }
    for (const job of jobs) this.#queue.push(work(job))
    this.#arm(wakeAt)
  }

  #arm(wakeAt: number | null): void {
    clearTimeout(this.#timer)
    if (wakeAt === null) return
    this.#timer = setTimeout(() => this.push({ type: 'tick' }), Math.max(1, wakeAt - this.#needs.now()))
  }
}

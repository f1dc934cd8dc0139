/** What was asked before: no question is taken twice, and nobody guesses values without limit. Read from the log at a start. */
import { createReadStream, existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { CommandError } from '../../src/cli/errors.js'
import { utf8 } from '../../src/core/bytes.js'
import type { Register } from './register.js'
import { parseQuestion, Refusal, type WireQuestion } from './wire.js'

/** How far the clocks of two departments may differ, and how long a question may travel. */
export const AGE_MAX_MS = 60_000

export class History {
  /** Ids of the questions that are not too old to be taken again, oldest first. */
  readonly #ids = new Map<string, number>()
  /** Asker, enterprise and attribute -> digests; whatever portrait version the asker names. */
  readonly #digests = new Map<string, Set<string>>()

  constructor(private readonly register: Register) {}

  /** Takes in the lines of a request log; a last line that was cut off was never answered. */
  async restore(log: string): Promise<void> {
    if (!existsSync(log)) return
    let bad: string | undefined
    for await (const line of createInterface({ input: createReadStream(log) })) {
      if (bad !== undefined) throw new CommandError(`${log} is damaged at: ${bad.slice(0, 80)}; restore it from a copy`)
      try {
        const { question } = JSON.parse(line) as { question: string }
        this.#keep(parseQuestion(utf8(question)))
      } catch {
        bad = line
      }
    }
  }

  /** Throws Refusal STALE, REPEATED or BUDGET_SPENT; else the question counts from now on. */
  admit(question: WireQuestion, nowMs = Date.now()): void {
    if (Math.abs(nowMs - question.askedAt) > AGE_MAX_MS) {
      throw new Refusal('STALE', `asked at ${question.askedAt}, here it is ${nowMs}: set the clocks`)
    }
    if (this.#ids.has(question.id)) throw new Refusal('REPEATED', `question ${question.id} was taken already`)
    for (const { attribute, digest } of question.items) {
      const asked = this.#digests.get(budgetKey(question, attribute))
      const budget = this.register.budgetOf(attribute)
      if (budget !== 0 && asked !== undefined && asked.size >= budget && !asked.has(digest)) {
        throw new Refusal('BUDGET_SPENT', `${budget} values of ${attribute} were tried already`)
      }
    }
    for (const [id, askedAt] of this.#ids) {
      if (nowMs - askedAt <= AGE_MAX_MS) break
      this.#ids.delete(id)
    }
    this.#keep(question)
  }

  #keep(question: WireQuestion): void {
    this.#ids.set(question.id, question.askedAt)
    for (const { attribute, digest } of question.items) {
      if (this.register.budgetOf(attribute) === 0) continue
      const key = budgetKey(question, attribute)
      const asked = this.#digests.get(key)
      if (asked === undefined) this.#digests.set(key, new Set([digest]))
      else asked.add(digest)
    }
  }
}

const budgetKey = ({ asker, creditCode }: WireQuestion, attribute: string): string =>
  `${asker}/${creditCode}/${attribute}`

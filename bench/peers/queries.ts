/** Queries of one department with the real agents: asked of the supervisors, and from the portrait. */
import { join } from 'node:path'
import { type Connection, connect } from '../../src/agent/connection.js'
import { parseDeclaration } from '../../src/agent/declaration.js'
import { WaitError } from '../../src/agent/heads.js'
import { Requester, type VerificationReport } from '../../src/agent/requester.js'
import { declarationOf } from '../../src/cli/demo/declarations.js'
import { CommandError } from '../../src/cli/errors.js'
import { assert } from '../../src/core/assert.js'
import { fromHex, utf8 } from '../../src/core/bytes.js'
import { readKeyFile } from '../../src/crypto/keyFile.js'
import type { Run } from '../harness/experiment.js'
import { abortable } from '../testbed/loops.js'
import type { Enterprise } from '../testbed/population.js'
import type { Side } from './side.js'
import { STANDSTILL_MS } from './standstill.js'

/** The department that asks. */
export const ASKING = 'government-service'
/** For the request to be final, and again for the answers. */
const PATIENCE_MS = 40_000
// Otherwise a network that stands still would count as one that does not answer.
assert(PATIENCE_MS > STANDSTILL_MS + 10_000, 'a standstill is seen before a query is given up')

/** Enterprises `from` to `from + count`, each once and then `hits` times in turn from the portrait. */
export interface QueryPlan {
  readonly from: number
  readonly count: number
  readonly hits: number
}

/** Answers by the index of the company: all systems have to give the same. */
export type KnownAnswers = Map<number, string>

export class Asker {
  private constructor(
    readonly side: Side,
    private readonly connection: Connection,
    private readonly requester: Requester,
    private readonly known: KnownAnswers,
  ) {}

  static async open(side: Side, known: KnownAnswers): Promise<Asker> {
    const { testbed } = side
    const { rpc, name } = testbed.nodeOf(ASKING)
    const privateKey = fromHex(testbed.network.accounts[ASKING]!.privateKey)
    const connection = await connect({ rpc: { url: rpc }, privateKey, finalTimeoutMs: PATIENCE_MS })
    const encryptionKeys = [await readKeyFile(join(testbed.dir, name, 'encryption.key'))]
    const requester = new Requester({ encryptionKeys, answerTimeoutMs: PATIENCE_MS }, connection)
    return new Asker(side, connection, requester, known)
  }

  /** Nothing is recorded of what ended early. */
  async measure(run: Run, signal: AbortSignal, repeat: number, { from, count, hits }: QueryPlan): Promise<void> {
    const { system, enterprises } = this.side
    const asked = enterprises.slice(from, from + count)
    const series = { system, quantity: 'time of a query', unit: 'ms', repeat } as const
    const cold = await this.cold(asked, signal)
    const full = await this.#hits(asked, hits, signal)
    run.samples({ ...series, variant: 'portrait empty' }, cold)
    run.record({ system, quantity: 'unanswered queries', unit: 'count', repeat, value: asked.length - cold.length })
    run.samples({ ...series, variant: 'portrait full' }, full)
  }

  /** Times in ms of those that were answered. Throws CommandError when another system has answered otherwise. */
  async cold(enterprises: readonly Enterprise[], signal: AbortSignal): Promise<number[]> {
    const times: number[] = []
    for (const enterprise of enterprises) {
      const report = await this.#ask(enterprise, signal)
      if (report === undefined || report.attributes.some(({ status }) => status === 'unanswered')) continue
      times.push(report.ms)
      this.#compare(enterprise, report)
    }
    return times
  }

  close(): void {
    this.connection.close()
  }

  async #hits(asked: readonly Enterprise[], count: number, signal: AbortSignal): Promise<number[]> {
    const times: number[] = []
    for (let i = 0; i < count; i++) {
      const report = await this.#ask(asked[i % asked.length]!, signal)
      // What was not answered before is no hit.
      if (report?.requestId === null) times.push(report.ms)
    }
    return times
  }

  /** Undefined when no block took the request in time. */
  async #ask({ company }: Enterprise, signal: AbortSignal): Promise<VerificationReport | undefined> {
    const { enterpriseId, values } = parseDeclaration(utf8(declarationOf(company.truth, 'd.json')), 'd.json')
    try {
      return await abortable(this.requester.verify({ enterpriseId, values }), signal)
    } catch (error) {
      if (error instanceof WaitError && error.code === 'TIMEOUT') return undefined
      throw error
    }
  }

  #compare({ company }: Enterprise, { attributes }: VerificationReport): void {
    const answers = attributes
      .map(({ attribute, status, confirmed }) => `${attribute} ${status} ${confirmed}`)
      .join(', ')
    const others = this.known.get(company.index) ?? answers
    if (others !== answers) {
      throw new CommandError(
        `${this.side.system} answers otherwise than the system before it:\n${answers}\nnot\n${others}`,
      )
    }
    this.known.set(company.index, answers)
  }
}

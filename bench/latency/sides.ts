/** The two systems that are asked: the chain through the department's requester, and the client/server system. */
import { join } from 'node:path'
import type { Connection } from '../../src/agent/connection.js'
import { DATASET_DEPARTMENTS } from '../../src/agent/dataset/departments.js'
import { Requester, type VerificationReport } from '../../src/agent/requester.js'
import { readKeyFile } from '../../src/crypto/keyFile.js'
import type { BaselineClient } from '../baseline/client.js'
import { PORTRAIT_VERSION } from '../testbed/population.js'
import type { Testbed } from '../testbed/testbed.js'
import { AgentLogs, type SupervisorTimes } from './agentLogs.js'
import type { Query } from './workload.js'

/** Where the time of one query went, in milliseconds; together the whole. */
export type Split = Readonly<Record<string, number>>

export interface Asked {
  readonly ms: number
  readonly attributes: VerificationReport['attributes']
  /** null: nothing went through the chain. */
  readonly requestId: bigint | null
}

/** A series of measurements asks one of these. */
export interface Side<A extends Asked = Asked> {
  ask(query: Query): Promise<A>
  /** Called before a pass: what it returns splits the answers of that pass; undefined where that is not known. */
  watch(): (answers: readonly A[]) => Promise<readonly Split[] | undefined>
}

/** The asking department (paper, section 5: the access node). */
export const ASKER = 'government-service'
const ANSWER_TIMEOUT_MS = 120_000

type Report = VerificationReport

export class ConcordatSide implements Side<Report> {
  private constructor(
    private readonly testbed: Testbed,
    private readonly connection: Connection,
    private readonly requester: Requester,
  ) {}

  /** A requester that remembers no portrait key. */
  static async open(testbed: Testbed): Promise<ConcordatSide> {
    const connection = await testbed.connectAs(ASKER, testbed.nodeOf(ASKER))
    const encryptionKeys = [await readKeyFile(join(testbed.folderOf(ASKER), 'encryption.key'))]
    const requester = new Requester({ encryptionKeys, answerTimeoutMs: ANSWER_TIMEOUT_MS }, connection)
    return new ConcordatSide(testbed, connection, requester)
  }

  ask({ enterprise, values }: Query): Promise<Report> {
    return this.requester.verify({ enterpriseId: enterprise.id, values })
  }

  watch() {
    const logs = new AgentLogs(
      new Map(
        DATASET_DEPARTMENTS.map(({ id }) => {
          return [this.testbed.nodeOf(id).address, join(this.testbed.folderOf(id), 'logs', 'department.log')]
        }),
      ),
    )
    return async (answers: readonly Report[]): Promise<Split[] | undefined> => {
      const cold = answers.filter(({ requestId }) => requestId !== null)
      const slowest = await logs.slowest(new Map(cold.map((report) => [`${report.requestId}`, askedBy(report)])))
      return slowest && answers.map((report) => splitOf(report, slowest.get(`${report.requestId}`)))
    }
  }

  close(): void {
    this.connection.close()
  }
}

/** Who had to answer. While the portrait fills, a part of it may be there: then not all. */
function askedBy({ attributes }: Report): string[] {
  const asked = attributes.filter(({ fromPortrait }) => !fromPortrait)
  return [...new Set(asked.flatMap(({ attesters }) => attesters.map(({ address }) => address)))]
}

function splitOf({ ms, phases }: Report, supervisor: SupervisorTimes | undefined): Split {
  const { localMs = 0, attestMs = 0 } = supervisor ?? {}
  const chain = phases.finalMs + attestMs
  return { 'local query': localMs, network: ms - chain - localMs, chain }
}

interface BaselineAsked extends Asked {
  readonly localMs: number
  readonly logMs: number
}

export class BaselineSide implements Side<BaselineAsked> {
  constructor(private readonly client: BaselineClient) {}

  async ask({ enterprise, values }: Query): Promise<BaselineAsked> {
    const { id: enterpriseId, company, portraitKey: key } = enterprise
    const portraitKey = { version: PORTRAIT_VERSION, key }
    const { companyName } = company.truth
    const report = await this.client.verify({ enterpriseId, companyName, values, portraitKey })
    return { ...report, requestId: null }
  }

  watch() {
    return async (answers: readonly BaselineAsked[]): Promise<Split[]> =>
      answers.map(({ ms, localMs, logMs }) => {
        return { 'local query': localMs, 'request log': logMs, network: ms - localMs - logMs }
      })
  }
}

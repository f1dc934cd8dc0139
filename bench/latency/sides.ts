/** The two systems that are asked: the chain through the department's requester, and the client/server system. */
import { join } from 'node:path'
import type { Connection } from '../../src/agent/connection.js'
import { DATASET_DEPARTMENTS } from '../../src/agent/dataset/departments.js'
import { Requester, type VerificationReport } from '../../src/agent/requester.js'
import { readKeyFile } from '../../src/crypto/keyFile.js'
import type { BaselineClient } from '../baseline/client.js'
import { PORTRAIT_VERSION } from '../testbed/population.js'
import type { Testbed } from '../testbed/testbed.js'
import { AgentLogs } from './agentLogs.js'
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
    const files = DATASET_DEPARTMENTS.map(({ id }) => join(this.testbed.folderOf(id), 'logs', 'department.log'))
    const logs = new AgentLogs(files)
    return async (answers: readonly Report[]): Promise<Split[] | undefined> => {
      const requests = answers.flatMap(({ requestId }) => (requestId === null ? [] : [requestId.toString()]))
      const slowest = await logs.slowest(requests)
      if (!requests.every((request) => slowest.has(request))) return undefined
      return answers.map(({ ms, requestId, phases }) => {
        const supervisor = requestId === null ? { localMs: 0, attestMs: 0 } : slowest.get(requestId.toString())!
        const chain = phases.finalMs + supervisor.attestMs
        return { 'local query': supervisor.localMs, network: ms - chain - supervisor.localMs, chain }
      })
    }
  }

  close(): void {
    this.connection.close()
  }
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

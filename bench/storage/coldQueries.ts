/** Queries that no portrait answers yet: every supervisor is asked, and its answer fills the portrait. */
import { join } from 'node:path'
import { Requester } from '../../src/agent/requester.js'
import { readKeyFile } from '../../src/crypto/keyFile.js'
import type { Enterprise } from '../testbed/population.js'
import type { Testbed } from '../testbed/testbed.js'

const IN_FLIGHT_MAX = 32
const ANSWER_TIMEOUT_MS = 120_000

/** The access department asks about every declared value of each enterprise. Throws when an answer is missing. */
export async function askAboutAll(
  testbed: Testbed,
  asker: string,
  enterprises: readonly Enterprise[],
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const node = testbed.nodeOf(asker)
  const connection = await testbed.connectAs(asker, node)
  const encryptionKeys = [await readKeyFile(join(testbed.dir, node.name, 'encryption.key'))]
  const requester = new Requester({ encryptionKeys, answerTimeoutMs: ANSWER_TIMEOUT_MS }, connection)
  let next = 0
  let done = 0
  const worker = async () => {
    while (next < enterprises.length && !signal.aborted) {
      await askAbout(requester, enterprises[next++]!)
      onProgress(++done)
    }
  }
  try {
    await Promise.all(Array.from({ length: IN_FLIGHT_MAX }, worker))
    signal.throwIfAborted()
  } finally {
    connection.close()
  }
}

async function askAbout(requester: Requester, { id, company }: Enterprise): Promise<void> {
  const report = await requester.verify({ enterpriseId: id, values: new Map(Object.entries(company.truth)) })
  const missing = report.attributes.filter(({ status }) => status === 'unanswered')
  if (missing.length > 0)
    throw new Error(`${missing.length} attributes of ${report.creditCode} were not answered in time`)
  if (report.attributes.some(({ fromPortrait }) => fromPortrait)) {
    throw new Error(`the portrait knew ${report.creditCode} before it was asked about`)
  }
}

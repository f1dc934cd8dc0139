/**
 * Queries on a real network of four processes with the department agents: cold (all supervisors asked) and from the
 * portrait. Usage: node dist/bench/queries.js [--queries N] [--hits N] [--json]
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { connect } from '../src/agent/connection.js'
import { members } from '../src/agent/contractClient.js'
import type { DatasetCompany } from '../src/agent/dataset/generate.js'
import { datasetCompanies } from '../src/agent/dataset/generate.js'
import { parseDeclaration } from '../src/agent/declaration.js'
import { EnterpriseProxy } from '../src/agent/enterpriseProxy.js'
import { Requester } from '../src/agent/requester.js'
import { declarationOf } from '../src/cli/demo/declarations.js'
import { loadDepartments } from '../src/cli/demo/loadDepartments.js'
import { introduction } from '../src/cli/demo/scenario.js'
import { createNetwork } from '../src/cli/network/create.js'
import { downNetwork, upNetwork } from '../src/cli/network/lifecycle.js'
import { createOutput } from '../src/cli/output.js'
import { ROLE } from '../src/contracts/codes.js'
import { textId } from '../src/contracts/textId.js'
import { fromHex, utf8, ZERO_HASH } from '../src/core/bytes.js'
import { readKeyFile } from '../src/crypto/keyFile.js'
import { privateKeyToAddress } from '../src/crypto/secp256k1.js'
import { quantiles } from './stats.js'

const { values: flags } = parseArgs({
  options: {
    queries: { type: 'string', default: '60' },
    hits: { type: 'string', default: '500' },
    'base-port': { type: 'string', default: '24545' },
    json: { type: 'boolean', default: false },
  },
})

const RECORDS = 500
const WARM_UP = 5
const out = createOutput(flags.json)
const root = mkdtempSync(join(tmpdir(), 'concordat-queries-'))
const dir = join(root, 'net')
const basePort = Number(flags['base-port'])
const network = await createNetwork({
  out: dir,
  nodes: 4,
  hosts: [],
  chainId: 20_261,
  basePort,
  baseP2pPort: basePort + 2_000,
  timestamp: Math.floor(Date.now() / 1_000) - 60,
})
const nodeOf = (department: string) => network.nodes.find((node) => node.department === department)!
try {
  await loadDepartments((id) => join(dir, nodeOf(id).name), { records: RECORDS }, createOutput(true, process.stderr))
  await upNetwork(dir, { detached: true, agents: true })
  const companies = [...datasetCompanies({ records: RECORDS })].slice(0, Number(flags.queries) + WARM_UP)
  await introduce(companies)
  const figures = await ask(companies)
  const row = (name: string, q: ReturnType<typeof quantiles>) => [
    name,
    q.count,
    ...[q.p50, q.p90, q.p99].map((ms) => `${ms.toFixed(1)} ms`),
  ]
  out.table(
    ['figure', 'n', 'p50', 'p90', 'p99'],
    [row('cold query, 17 attributes', figures.cold), row('portrait hit over HTTP', figures.hit)],
  )
  out.result(figures)
} finally {
  await downNetwork(dir).catch(() => 0)
  rmSync(root, { recursive: true, force: true })
}

/** Registers the enterprises; each makes itself known, so that the departments hold its portrait key. */
async function introduce(companies: readonly DatasetCompany[]): Promise<void> {
  const operator = await connect({
    rpc: { url: network.nodes[0]!.rpc },
    privateKey: fromHex(network.accounts.operator!.privateKey),
  })
  for (const { truth } of companies) {
    const privateKey = new Uint8Array(randomBytes(32))
    const account = privateKeyToAddress(privateKey)
    const member = {
      account,
      role: ROLE.enterprise,
      id: textId(truth.unifiedSocialCreditCode),
      name: truth.companyName,
      encryptionKey: ZERO_HASH,
    }
    await operator.sender.final(await operator.sender.send(members, 'registerMember', { member }))
    const connection = await connect({ rpc: { url: network.nodes[0]!.rpc }, privateKey })
    const declaration = parseDeclaration(utf8(declarationOf(introduction(truth), 'd.json')), 'd.json')
    await new EnterpriseProxy(
      { portraitKeyFile: join(dir, `${truth.unifiedSocialCreditCode}.json`) },
      connection,
    ).submit(declaration)
    connection.close()
  }
  operator.close()
}

async function ask(companies: readonly DatasetCompany[]) {
  const asking = nodeOf('government-service')
  const connection = await connect({
    rpc: { url: asking.rpc },
    privateKey: fromHex(network.accounts['government-service']!.privateKey),
  })
  const requester = new Requester(
    { encryptionKeys: [await readKeyFile(join(dir, asking.name, 'encryption.key'))] },
    connection,
  )
  const cold: number[] = []
  const hit: number[] = []
  for (const { truth } of companies) {
    const { enterpriseId, values } = parseDeclaration(utf8(declarationOf(truth, 'd.json')), 'd.json')
    const report = await requester.verify({ enterpriseId, values })
    if (report.attributes.some((one) => one.status === 'unanswered')) throw new Error('a query was not answered')
    cold.push(report.ms)
  }
  for (let i = 0; i < Number(flags.hits) + 50; i++) {
    const { truth } = companies[i % companies.length]!
    const { enterpriseId, values } = parseDeclaration(utf8(declarationOf(truth, 'd.json')), 'd.json')
    const report = await requester.verify({ enterpriseId, values })
    if (report.requestId !== null) throw new Error('the portrait should have answered')
    hit.push(report.ms)
  }
  connection.close()
  return { cold: quantiles(cold.slice(WARM_UP)), hit: quantiles(hit.slice(50)) }
}

/** The paper's two protocols on real processes: an agent that is killed with -9 again and again neither loses nor doubles anything. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFileSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { auditTrail } from '../../src/agent/auditClient.js'
import { connect } from '../../src/agent/connection.js'
import { audit, dataSharing, members, view } from '../../src/agent/contractClient.js'
import { type DatasetCompany, datasetCompanies } from '../../src/agent/dataset/generate.js'
import { parseDeclaration } from '../../src/agent/declaration.js'
import { EnterpriseProxy } from '../../src/agent/enterpriseProxy.js'
import { portraitKeysIn } from '../../src/agent/portraitKeyFile.js'
import { Requester } from '../../src/agent/requester.js'
import { keySigner } from '../../src/agent/signer.js'
import type { TraceEntry } from '../../src/audit/entry.js'
import { declarationOf } from '../../src/cli/demo/declarations.js'
import { expectedAnswers, wrongAnswers } from '../../src/cli/demo/expectations.js'
import { loadDepartments } from '../../src/cli/demo/loadDepartments.js'
import { createOutput } from '../../src/cli/output.js'
import { verifyReadLog } from '../../src/cli/trace/verifyLog.js'
import { ROLE } from '../../src/contracts/codes.js'
import { textId } from '../../src/contracts/textId.js'
import { type Address, fromHex, utf8, ZERO_ADDRESS, ZERO_HASH } from '../../src/core/bytes.js'
import { readKeyFile } from '../../src/crypto/keyFile.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import type { RpcClient } from '../../src/rpc/client.js'
import { forgeReadLog } from '../support/forgeReadLog.js'
import { eventually, type LocalNetwork, startLocalNetwork } from '../support/localNetwork.js'

const MAIN = join(process.cwd(), 'dist/src/cli/main.js')

const RECORDS = 60
const FINANCE = 1
/** The node that the asking department uses. */
const ASKING = 3
/** Anchors among the transactions of agents with the same key. */
const READ_LOG = '\nreadLog:\n  anchorEntries: 3\n  anchorMs: 500\n'

t.test('submissions and questions while the finance agent is killed again and again', async (t) => {
  const net = await startLocalNetwork({
    agents: true,
    prepare: async (dir, network) => {
      const folder = (id: string) => join(dir, network.nodes.find((node) => node.department === id)!.name)
      await loadDepartments(folder, { records: RECORDS }, createOutput(true, process.stderr))
      for (const { name } of network.nodes) appendFileSync(join(dir, name, 'config.yaml'), READ_LOG)
    },
  })
  t.teardown(() => net.stop())
  const { nodes, accounts } = net.network
  const signedIn = (account: string, node: number) =>
    connect({ rpc: { url: nodes[node]!.rpc }, privateKey: fromHex(accounts[account]!.privateKey) })
  const operator = await signedIn('operator', 0)
  t.teardown(() => operator.close())
  const asking = await signedIn('government-service', ASKING)
  t.teardown(() => asking.close())
  const encryptionKeys = [await readKeyFile(join(net.dir, nodes[ASKING]!.name, 'encryption.key'))]
  const requester = new Requester({ encryptionKeys, answerTimeoutMs: 60_000 }, asking)

  const companies = [...datasetCompanies({ records: RECORDS })].slice(0, 5)
  let enterpriseKey = new Uint8Array()
  for (const [round, company] of companies.entries()) {
    const { truth } = company
    const privateKey = new Uint8Array(randomBytes(32))
    const member = {
      account: privateKeyToAddress(privateKey),
      role: ROLE.enterprise,
      id: textId(truth.unifiedSocialCreditCode),
      name: truth.companyName,
      encryptionKey: ZERO_HASH,
    }
    await operator.sender.final(await operator.sender.send(members, 'registerMember', { member }))
    const enterprise = await connect({ rpc: { url: nodes[0]!.rpc }, privateKey })
    t.teardown(() => enterprise.close())
    const { enterpriseId, values, ...rest } = parseDeclaration(utf8(declarationOf(truth, 'd.json')), 'd.json')
    const portraitKeyFile = join(net.dir, `${truth.unifiedSocialCreditCode}.json`)
    const proxy = new EnterpriseProxy(
      { portraitKeys: portraitKeysIn(portraitKeyFile), acknowledgeTimeoutMs: 60_000 },
      enterprise,
    )

    const submitted = proxy.submit({ enterpriseId, values, ...rest })
    // Killed somewhere between the block and its acknowledgement, at another point each time.
    const before = await view(asking.client, dataSharing, 'submissionCount', {})
    if (round % 2 === 0)
      await eventually(
        async () => (await view(asking.client, dataSharing, 'submissionCount', {})) > before,
        'StoreData',
      )
    await net.killAgent(FINANCE)
    await net.restartAgent(FINANCE)
    const report = await submitted
    t.same(
      report.parts.map((part) => part.status),
      ['accepted', 'accepted', 'accepted'],
      `round ${round}: all accepted`,
    )

    const asked = requester.verify({ enterpriseId, values })
    await net.killAgent(FINANCE)
    await net.restartAgent(FINANCE)
    t.same(wrongAnswers(await asked, expectedAnswers(company, truth, truth)), [], `round ${round}: all answers right`)
    const again = await requester.verify({ enterpriseId, values })
    t.equal(again.requestId, null, `round ${round}: then from the portrait`)
    enterpriseKey = privateKey
  }

  const logs = await asking.client.call('eth_getLogs', {
    address: dataSharing.address,
    fromBlock: '0x0',
    toBlock: 'latest',
  })
  const count = (name: 'DataAcknowledged' | 'Attested') => {
    const seen = new Map<string, number>()
    for (const log of logs.filter((log) => log.topics[0] === dataSharing.abi.topic(name))) {
      const key = `${log.topics.join()}${name === 'DataAcknowledged' ? log.data.slice(0, 66) : ''}`
      seen.set(key, (seen.get(key) ?? 0) + 1)
    }
    return seen
  }
  t.equal(count('DataAcknowledged').size, 3 * companies.length, 'each part is acknowledged')
  t.equal(count('Attested').size, 17 * companies.length, 'each attribute is attested')
  t.ok(
    [...count('DataAcknowledged').values(), ...count('Attested').values()].every((times) => times === 1),
    'each once',
  )

  await readLogsAreAnchored(t, net, companies.at(-1)!, enterpriseKey)
})

async function readLogsAreAnchored(t: Test, net: LocalNetwork, company: DatasetCompany, enterpriseKey: Uint8Array) {
  const enterprise = company.truth.unifiedSocialCreditCode
  const { nodes } = net.network
  const reads = (node: number) => join(net.dir, nodes[node]!.name, 'reads')
  for (const [node, { name, address }] of nodes.entries()) {
    await view(net.client(node), dataSharing, 'GetUserProfile', { enterpriseId: textId(enterprise) })
    const report = await eventually(async () => {
      const { anchored, ...found } = await verified(net.client(FINANCE), reads(node), address)
      return found.faults.length === 0 && found.last > 0 && anchored === found.last ? found : undefined
    }, `${name} to anchor all of its read log`)
    t.equal(report.first, 1)
    t.ok(report.anchors >= 1, `${name}: ${report.anchors} anchors over ${report.last} reads`)
  }
  const client = net.client(ASKING)
  const toBlock = Number(await client.call('eth_blockNumber'))
  const entries: TraceEntry[] = []
  for await (const page of auditTrail(client, keySigner(enterpriseKey), { fromBlock: 0, toBlock, enterprise })) {
    entries.push(...page.entries)
  }
  const own = entries.filter(({ kind }) => kind === 'read').map(({ event }) => event)
  for (const event of ['portraitEntries', 'GetUserProfile']) t.ok(own.includes(event), `the enterprise sees ${event}`)

  const forged = join(net.dir, 'forged')
  cpSync(reads(ASKING), forged, { recursive: true })
  forgeReadLog(forged, (record) => (record.sequence === 1 ? { ...record, reader: ZERO_ADDRESS } : record))
  const args = ['audit', 'verify-log', forged, '--network', net.dir, '--node', nodes[ASKING]!.address]
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' })
  t.equal(status, 1)
  t.match(`${stdout}${stderr}`, /is not what was anchored/, 'one reader of one entry, and all hashes made anew')
}

/** With the sequence of the newest anchor. */
async function verified(client: RpcClient, dir: string, node: Address) {
  const { sequence } = await view(client, audit, 'readLogAnchorOf', { node })
  return { ...(await verifyReadLog(client, dir, node)), anchored: Number(sequence) }
}

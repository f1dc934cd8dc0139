/** The client library in a real browser, in pages of an origin that the nodes were told of and of one that they were not. */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { datasetCompanies } from '../../src/agent/dataset/generate.js'
import { exportEvidence } from '../../src/agent/evidence/exportEvidence.js'
import { loadDepartments } from '../../src/cli/demo/loadDepartments.js'
import { createOutput } from '../../src/cli/output.js'
import { ROLE } from '../../src/contracts/codes.js'
import { asHash, toHex } from '../../src/core/bytes.js'
import { readKeyFile } from '../../src/crypto/keyFile.js'
import { bundleForBrowsers } from '../client/bareRealm.js'
import { openPage, withoutChromium } from '../support/chromium.js'
import { startLocalNetwork } from '../support/localNetwork.js'

const RECORDS = 60
const ASKING = 3

const PAGE = `
  import * as concordat from 'concordat/client'
  import { http, webSocket } from 'viem'
  import { privateKeyToAccount } from 'viem/accounts'
  import { getProof } from 'viem/actions'

  const { connect, waitForFinality } = concordat
  const ask = async (path, body) => {
    const answer = await fetch(path, body && { method: 'POST', body: JSON.stringify(body) })
    return answer.json()
  }

  async function run({ rpc, ws, genesisHash, operator, enterprise, asker, encryptionKey, creditCode, name, values }) {
    const seen = { page: location.origin, node: typeof process + typeof Buffer }
    const overHttp = http(rpc, { retryCount: 0 })
    const reader = await connect({ transport: overHttp })
    seen.members = (await concordat.listMembers(reader)).length

    const declaring = privateKeyToAccount(enterprise)
    const admitting = await connect({ transport: overHttp, account: privateKeyToAccount(operator) })
    const { createWalletClient } = await import('viem')
    const wallet = createWalletClient({ account: privateKeyToAccount(operator), chain: admitting.viem.chain, transport: overHttp })
    const member = { account: declaring.address, role: ${ROLE.enterprise}, id: concordat.textId(creditCode), name, encryptionKey: '0x' + '00'.repeat(32) }
    const registration = await wallet.writeContract({
      address: concordat.contractAddresses.members, abi: concordat.membersAbi, functionName: 'registerMember', args: [member], chain: null,
    })
    const { receipt } = await waitForFinality(reader, registration)
    seen.registered = receipt.status

    const portraitKeys = concordat.portraitKeysOver(concordat.memoryPortraitKeyStore())
    const declarer = await connect({ transport: overHttp, account: declaring })
    const { parts } = await concordat.submit(declarer, { creditCode, values }, { portraitKeys })
    seen.parts = parts.map(({ status }) => status)

    const department = await connect({ transport: webSocket(ws, { retryCount: 0 }), account: privateKeyToAccount(asker) })
    const options = { encryptionKeys: [Uint8Array.from(encryptionKey)] }
    const question = { creditCode, values: { employees: values.employees, registeredCapital: '1' } }
    seen.answers = []
    for (let i = 0; i < 2; i++) {
      const { attributes } = await concordat.verify(department, question, options)
      seen.answers.push(attributes.map((a) => [a.attribute, a.confirmed, a.fromPortrait]))
    }

    const block = Number(receipt.blockNumber)
    const sealers = await concordat.readSealerSet(reader, block)
    const chain = await concordat.readChainIdentity(reader)
    seen.genesis = chain.genesisHash === genesisHash
    const header = concordat.verifyFinality(await concordat.readFinalityProof(reader, block), sealers, chain)
    const at = { address: concordat.contractAddresses.members, storageKeys: ['0x' + '00'.repeat(31) + '02'], blockNumber: BigInt(block) }
    const proof = await getProof(reader.viem, at)
    const { account, storage } = concordat.verifyProof(header.stateRoot, proof)
    seen.proved = [account !== null, Number([...storage.values()][0])]

    const { text } = await ask('/evidence', { transaction: registration })
    const report = await concordat.verifyEvidence(text, { genesisHash })
    seen.evidence = report.content.transaction.hash === registration
    seen.altered = await concordat.verifyEvidence(text.replace(/[0-9](?=[^0-9]*$)/, 'f'), { genesisHash }).then(() => 'taken', () => 'refused')
    for (const open of [reader, admitting, declarer, department]) open.close()
    return seen
  }

  async function turnedAway({ rpc, ws }) {
    const outcome = (transport) => connect({ transport }).then(() => 'connected', (error) => error.code ?? error.name)
    return { page: location.origin, http: await outcome(http(rpc, { retryCount: 0 })), ws: await outcome(webSocket(ws, { retryCount: 0, reconnect: false })) }
  }

  ask('/job')
    .then((job) => (job.listed ? run(job) : turnedAway(job)))
    .then((seen) => ask('/seen', seen), (error) => ask('/seen', { error: String(error?.stack ?? error) }))
`

interface Site {
  readonly origin: string
  /** What its page reports. */
  readonly seen: Promise<Record<string, unknown>>
}

/** Serves one page and its script; `answers` are what it may ask for. */
async function startSite(
  t: Test,
  code: string,
  answers: Readonly<Record<string, (body: string) => unknown>>,
): Promise<Site> {
  let report: (seen: Record<string, unknown>) => void
  const seen = new Promise<Record<string, unknown>>((resolve) => {
    report = resolve
  })
  const contents: Record<string, [type: string, body: string]> = {
    '/': ['text/html', '<!doctype html><meta charset="utf-8"><title>page</title><script src="/page.js"></script>'],
    '/page.js': ['text/javascript', code],
  }
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const path = request.url!
    if (path === '/seen') report(JSON.parse(body))
    const result = await (answers[path]?.(body) ?? null)
    const [type, text] = contents[path] ?? ['application/json', JSON.stringify(result)]
    response.writeHead(200, { 'content-type': type }).end(text)
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

t.test('a page declares, asks, and proves what it has seen', { skip: withoutChromium, timeout: 240_000 }, async (t) => {
  const { code } = await bundleForBrowsers(PAGE)
  const [company] = datasetCompanies({ records: RECORDS })
  const { unifiedSocialCreditCode: creditCode, companyName: name } = company!.truth
  const job: Record<string, unknown> = { listed: true, creditCode, name, values: company!.truth }
  const listed = await startSite(t, code, {
    '/job': () => job,
    '/evidence': async (body) => {
      const hash = asHash(JSON.parse(body).transaction, 'transaction')
      return { text: (await exportEvidence(net.client(0), { kind: 'transaction', hash })).text }
    },
  })
  const net = await startLocalNetwork({
    agents: true,
    prepare: async (dir, network) => {
      const folder = (id: string) => join(dir, network.nodes.find((node) => node.department === id)!.name)
      await loadDepartments(folder, { records: RECORDS }, createOutput(true, process.stderr))
      for (const node of network.nodes) {
        const file = join(dir, node.name, 'config.yaml')
        const origins = `rpc:\n  allowedOrigins:\n    - ${listed.origin}\n`
        writeFileSync(file, readFileSync(file, 'utf8').replace(/^rpc:\n/m, origins))
      }
    },
  })
  t.teardown(() => net.stop())
  const { nodes, accounts, genesisHash } = net.network
  const { rpc, ws } = nodes[ASKING]!
  const encryptionKey = [...(await readKeyFile(join(net.dir, nodes[ASKING]!.name, 'encryption.key')))]
  const keys = { operator: accounts.operator!.privateKey, asker: accounts['government-service']!.privateKey }
  Object.assign(job, {
    rpc,
    ws,
    genesisHash,
    ...keys,
    encryptionKey,
    enterprise: toHex(new Uint8Array(randomBytes(32))),
  })

  openPage(t, listed.origin)
  const seen = await listed.seen
  t.notOk(seen.error, 'nothing failed on the way')
  t.match(seen, {
    page: listed.origin,
    node: 'undefined'.repeat(2),
    registered: '0x1',
    parts: ['accepted', 'accepted', 'accepted'],
    answers: [
      [
        ['employees', true, false],
        ['registeredCapital', false, false],
      ],
      [
        ['employees', true, true],
        ['registeredCapital', false, true],
      ],
    ],
    genesis: true,
    proved: [true, Number],
    evidence: true,
    altered: 'refused',
  })

  await t.test('a page of another origin', async (t) => {
    const other = await startSite(t, code, { '/job': () => ({ listed: false, rpc, ws }) })
    openPage(t, other.origin)
    t.match(await other.seen, { page: other.origin, http: 'UNREACHABLE', ws: 'UNREACHABLE' })
  })
})

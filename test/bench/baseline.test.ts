/** The client/server system as processes on loopback: right answers, refusals, and a log that survives a crash. */
import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { BaselineClient } from '../../bench/baseline/client.js'
import { createBaseline } from '../../bench/baseline/create.js'
import { type BaselineService, readSystem } from '../../bench/baseline/files.js'
import { Link } from '../../bench/baseline/link.js'
import { startBaseline, startService } from '../../bench/baseline/processes.js'
import { bodyBytesMax, signBody } from '../../bench/baseline/wire.js'
import { datasetSamples } from '../../src/agent/dataset/generate.js'
import { expectedAnswers, wrongAnswers } from '../../src/cli/demo/expectations.js'
import { withWrongValues } from '../../src/cli/demo/scenario.js'
import { createNetwork } from '../../src/cli/network/create.js'
import { stopProcesses, waitSaysReady } from '../../src/cli/network/processes.js'
import { textId } from '../../src/contracts/textId.js'
import { fromHex, toHex, utf8 } from '../../src/core/bytes.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import { eventually, freeBasePort } from '../support/localNetwork.js'

const dataset = { records: 200 }
const samples = datasetSamples(dataset)
const root = t.testdir()
const networkDir = path.join(root, 'net')
const dir = path.join(root, 'baseline')
const basePort = await freeBasePort(4)
const ports = { basePort, baseP2pPort: basePort + 2_000 }
const network = await createNetwork({
  out: networkDir,
  nodes: 4,
  hosts: [],
  chainId: 7,
  ...ports,
  timestamp: 1_790_000_000,
})
const services = await createBaseline({ network: networkDir, out: dir, basePort, dataset })
const running = await startBaseline(dir)
const restarted: number[] = []
t.teardown(async () => {
  await running.stop()
  await stopProcesses(restarted)
})

const keyOf = (account: string) => fromHex(network.accounts[account]!.privateKey)
const asker = keyOf('government-service')
const portraitKey = { version: 1, key: new Uint8Array(randomBytes(32)) }
const serviceOf = (department: string) => services.find((one) => one.department === department)!
const logOf = (department: string) => readFileSync(path.join(dir, department, 'requests.log'), 'utf8').split('\n')

/** A question to market regulation as it travels; `key` signs it, `changes` replace fields. */
function question(key = asker, changes: object = {}): [body: Uint8Array, signature: string] {
  const { truth } = samples.complete
  const clear = {
    id: toHex(randomBytes(16)),
    askedAt: Date.now(),
    asker: privateKeyToAddress(key),
    supervisor: serviceOf('market-regulation').address,
    creditCode: truth.unifiedSocialCreditCode,
    companyName: truth.companyName,
    portraitVersion: 1,
    purpose: 'verification',
    items: [{ attribute: 'socialSecurityEmployees', digest: toHex(randomBytes(32)) }],
    envelope: Buffer.from(randomBytes(400)).toString('base64'),
  }
  const body = utf8(JSON.stringify({ ...clear, ...changes }))
  return [body, signBody('question', body, key)]
}

async function ask(body: Uint8Array, signature: string, service: BaselineService = serviceOf('market-regulation')) {
  const link = new Link(service, 1)
  try {
    return JSON.parse(Buffer.from((await link.ask(body, signature)).body).toString())
  } finally {
    link.close()
  }
}

t.test('right, wrong, missing and vacant values are answered as the databases have them', async (t) => {
  const log = path.join(root, 'asked.log')
  const client = await BaselineClient.open(dir, asker, log, 4)
  for (const company of Object.values(samples)) {
    const { declared } = withWrongValues(company.truth)
    const { companyName, unifiedSocialCreditCode } = company.truth
    const values = new Map(Object.entries(declared))
    const enterpriseId = textId(unifiedSocialCreditCode)
    const report = await client.verify({ enterpriseId, companyName, values, portraitKey })
    t.same(wrongAnswers(report, expectedAnswers(company, declared)), [], companyName)
    t.equal(report.creditCode, unifiedSocialCreditCode)
    t.ok(report.localMs > 0 && report.logMs > 0 && report.localMs + report.logMs < report.ms)
  }
  await client.close()
  t.equal(readFileSync(log, 'utf8').split('\n').length, 6, 'a line a query')
  const known = samples.complete.truth.legalRepresentativeId
  t.notOk(
    [log, ...services.map(({ department }) => path.join(dir, department, 'requests.log'))].some((file) => {
      return readFileSync(file, 'utf8').includes(known)
    }),
    'no value in clear in any log',
  )
})

t.test('what is not asked rightly is refused', async (t) => {
  const [body, signature] = question()
  const forged = question(keyOf('finance'))[1]
  await t.rejects(ask(body, forged), { code: 'REFUSED', message: /BAD_SIGNATURE/ })
  await t.rejects(ask(...question(new Uint8Array(randomBytes(32)))), { message: /NOT_A_MEMBER/ })
  await t.rejects(ask(...question(keyOf('operator'))), { message: /NOT_ALLOWED/ })
  await t.rejects(ask(...question(asker, { items: [{ attribute: 'bankAccount', digest: toHex(randomBytes(32)) }] })), {
    message: /NOT_SUPERVISOR/,
  })
  await t.rejects(ask(body, signature, serviceOf('finance')), { message: /NOT_SUPERVISOR/ })
  await t.rejects(ask(...question(asker, { askedAt: Date.now() - 3_600_000 })), { message: /STALE/ })
  await t.rejects(ask(...question(asker, { envelope: 'not base64!' })), { message: /MALFORMED/ })
  await t.rejects(ask(new Uint8Array(bodyBytesMax + 1), signature), { code: 'REFUSED', message: /TOO_LARGE/ })
  t.match(
    await ask(body, signature),
    { answers: [{ attribute: 'socialSecurityEmployees', existence: 'refused', confirmed: false }] },
    'an envelope that does not open',
  )
  await t.rejects(ask(body, signature), { message: /REPEATED/ })
  // One value was tried in the test before, one here.
  for (let tries = 2; tries < 16; tries++) await ask(...question())
  await t.rejects(ask(...question()), { message: /BUDGET_SPENT/ })
})

t.test('only the holder of the pinned certificate is asked', async (t) => {
  const stranger = { ...serviceOf('market-regulation'), certificate: serviceOf('finance').certificate }
  await t.rejects(ask(...question(), stranger), { code: 'UNREACHABLE' })
  const impostor = { ...serviceOf('market-regulation'), address: serviceOf('finance').address }
  await t.rejects(
    ask(
      ...question(asker, {
        id: toHex(randomBytes(16)),
        items: [{ attribute: 'paidUpCapital', digest: toHex(randomBytes(32)) }],
      }),
      impostor,
    ),
    { code: 'BAD_ANSWER' },
  )
})

t.test('what was answered is on disk: it outlives the process, and counts after the next start', async (t) => {
  const asked = question(asker, { items: [{ attribute: 'registrationDate', digest: toHex(randomBytes(32)) }] })
  await ask(...asked)
  const pid = running.pids.get('market-regulation')!
  process.kill(pid, 'SIGKILL')
  const lines = logOf('market-regulation')
  t.ok(lines.some((line) => line !== '' && JSON.parse(line).question === Buffer.from(asked[0]).toString()))
  await eventually(() => {
    try {
      process.kill(pid, 0)
      return false
    } catch {
      return true
    }
  }, 'the process to end')
  const again = startService(dir, 'market-regulation')
  restarted.push(again.pid)
  await waitSaysReady(again, 60_000)
  await t.rejects(ask(...asked), { message: /REPEATED/ })
  await t.rejects(ask(...question()), { message: /BUDGET_SPENT/ })
})

t.test('secrets are readable by their owner alone, and what clients get holds none', async (t) => {
  for (const file of ['tls.key', 'signing.key', 'encryption.key', 'requests.log']) {
    t.equal(statSync(path.join(dir, 'finance', file)).mode & 0o077, 0, file)
  }
  const text = readFileSync(path.join(dir, 'baseline.json'), 'utf8')
  t.notOk(text.includes('PRIVATE') || text.includes(network.accounts.finance!.privateKey.slice(2)))
  t.equal(readSystem(dir).services.length, 3)
  await t.rejects(createBaseline({ network: networkDir, out: dir, basePort }), { message: /not empty/ })
})

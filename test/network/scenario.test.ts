/**
 * Five departments on four real nodes: two of them supervise one attribute together, one falls silent, one node is killed and
 * comes back; an enterprise consents, revokes and asks for erasure; an auditor looks with a mandate, a stranger without one. In the end no planted
 * value is anywhere but with those who supervise it.
 */

import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { auditTrail } from '../../src/agent/auditClient.js'
import { type Connection, connect } from '../../src/agent/connection.js'
import { grantConsent, signConsent } from '../../src/agent/consent.js'
import {
  audit,
  consents,
  credit,
  dataPortrait,
  dataSharing,
  delivery,
  evidence,
  keyAgreement,
  members,
  view,
} from '../../src/agent/contractClient.js'
import { creditCode } from '../../src/agent/dataset/identifiers.js'
import { parseDeclaration } from '../../src/agent/declaration.js'
import { decideService, publishPolicy } from '../../src/agent/eligibility.js'
import { EnterpriseProxy } from '../../src/agent/enterpriseProxy.js'
import { type EvidenceQuery, exportEvidence } from '../../src/agent/evidence/exportEvidence.js'
import { policyFileSchema, toPolicy } from '../../src/agent/policyFile.js'
import { portraitKeysIn } from '../../src/agent/portraitKeyFile.js'
import { QuestionRefused } from '../../src/agent/questionRefused.js'
import { Requester } from '../../src/agent/requester.js'
import { keySigner } from '../../src/agent/signer.js'
import { transact } from '../../src/agent/transact.js'
import type { NetworkNode } from '../../src/cli/network/file.js'
import { startAgent } from '../../src/cli/network/lifecycle.js'
import { isRunning, stopProcesses, waitSaysReady } from '../../src/cli/network/processes.js'
import { BASIS, DELIVERY, ENVELOPE_KIND, QUORUM, ROLE, VALUE_TYPE } from '../../src/contracts/codes.js'
import type { DataProfile } from '../../src/contracts/genesisTypes.js'
import { attributeId, textId } from '../../src/contracts/textId.js'
import { type Address, fromHex, type Hash, toHash, toHex, utf8, ZERO_HASH } from '../../src/core/bytes.js'
import { generateEncryptionKey } from '../../src/crypto/encryptionKey.js'
import { readKeyFile } from '../../src/crypto/keyFile.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import { verifyEvidence } from '../../src/evidence/verify.js'
import { RPC_CODES } from '../../src/rpc/errors.js'
import { findValues, holds, needlesOf } from '../support/canary.js'
import { walkChain } from '../support/chainWalk.js'
import { FrameRecorder } from '../support/frameRecorder.js'
import { eventually, freeBasePort, type LocalNetwork, startLocalNetwork } from '../support/localNetwork.js'

// Nodes and agents tell all that they ever tell.
process.env.CONCORDAT_LOG_LEVEL = 'trace'

const PURPOSE = textId('tax-relief')
const MARKET = 0
const FINANCE = 1
const PATENTS = 2
const CREDIT_CODE = creditCode('440300', 77_345_678)
const ENTERPRISE_ID = textId(CREDIT_CODE)

/** What the enterprise declares; each is found nowhere else by accident. */
const PLANTED = new Map([
  ['registrationAddress', 'Kanarienvogelgasse 31, door 7f3a91'],
  ['bankAccount', '6222977103345510998'],
  ['inventionPatents', '7719203'],
  ['taxPaid', '83920177.43'],
  ['taxRegistration', 'TX-51Q7-KANARI-0092'],
  ['patentFees', '30517928'],
])

const NODE_FOLDERS = ['data', 'envelopes', 'journal', 'logs', 'reads']

const profile = (
  name: string,
  supervisors: readonly Address[],
  schema: Partial<DataProfile['schema']>,
  rule: Partial<DataProfile['rule']>,
): DataProfile => ({
  attribute: attributeId(name),
  schemaVersion: 1,
  schema: {
    valueType: VALUE_TYPE.text,
    checksum: 0,
    caseRule: 0,
    scale: 0,
    lengthMax: 64,
    min: 0n,
    max: 0n,
    ...schema,
  },
  supervisors,
  encryptionKey: ZERO_HASH,
  keyEpoch: 0n,
  rule: {
    quorum: QUORUM.all,
    askerRoles: 1 << ROLE.department,
    basis: BASIS.consent,
    delivery: DELIVERY.ledger,
    validityBlocks: 0n,
    deadlineBlocks: 0n,
    digestBudget: 4,
    ...rule,
  },
})

/** The fifth department: an agent beside the access node, with a key of its own. */
interface TaxOffice {
  readonly address: Address
  readonly connection: Connection
  start(): Promise<void>
  kill(): Promise<void>
}

async function taxOffice(net: LocalNetwork, operator: Connection): Promise<TaxOffice> {
  const key = new Uint8Array(randomBytes(32))
  const encryption = generateEncryptionKey()
  const address = privateKeyToAddress(key)
  const { rpc } = net.network.nodes[3]!
  const dir = join(net.dir, 'tax')
  mkdirSync(join(dir, 'logs'), { recursive: true })
  writeFileSync(join(dir, 'node.key'), `${toHex(key)}\n`, { mode: 0o600 })
  writeFileSync(join(dir, 'encryption.key'), `${toHex(encryption.privateKey)}\n`, { mode: 0o600 })
  const files = { keyFile: 'node.key', encryptionKeyFile: 'encryption.key', database: { dir: 'department' } }
  writeFileSync(join(dir, 'department.yaml'), stringify({ department: 'tax', rpc, ...files }))
  await transact(operator, members, 'registerMember', {
    member: {
      account: address,
      role: ROLE.department,
      id: textId('tax'),
      name: 'Tax Bureau',
      encryptionKey: toHash(encryption.publicKey),
    },
  })
  let pid: number | undefined
  const stop = async (): Promise<void> => {
    if (pid !== undefined && isRunning(pid)) await stopProcesses([pid])
  }
  t.teardown(stop)
  return {
    address,
    connection: await connect({ rpc: { url: rpc }, privateKey: key }),
    async start() {
      const started = startAgent(net.dir, { name: 'tax' } as NetworkNode, false)
      pid = started.pid
      await waitSaysReady(started, 60_000)
    },
    async kill() {
      const killed = pid!
      process.kill(killed, 'SIGKILL')
      await eventually(() => !isRunning(killed), 'the tax office to end')
    },
  }
}

/** Makes blocks, each with one small transaction, until `done` settles: deadlines are heights. */
async function whileBlocksPass<T>(by: Connection, done: Promise<T>): Promise<T> {
  let settled = false
  const end = () => {
    settled = true
  }
  done.then(end, end)
  while (!settled) {
    const documentHash = toHash(new Uint8Array(randomBytes(32)))
    await transact(by, evidence, 'anchor', { documentHash, kind: textId('tick'), note: '' })
  }
  return done
}

const rows = (report: Awaited<ReturnType<Requester['verify']>>) =>
  new Map(report.attributes.map((one) => [one.attribute, one]))

async function refusal(t: Test, asked: Promise<unknown>, reason: string, title: string): Promise<void> {
  const error = await asked.then(
    () => undefined,
    (error: unknown) => error,
  )
  t.ok(error instanceof QuestionRefused && error.reason === reason, `${title}: refused, ${reason}`)
}

t.test('five departments share records of one enterprise', { timeout: 280_000 }, async (t) => {
  let recorder: FrameRecorder | undefined
  const recorderPort = await freeBasePort(1)
  const net = await startLocalNetwork({
    agents: true,
    prepare: (dir, network) => {
      recorder = new FrameRecorder(network, recorderPort)
      recorder.install(dir)
    },
  })
  t.teardown(() => net.stop())
  await recorder!.start()
  t.teardown(() => recorder!.stop())
  const { nodes, accounts } = net.network
  const open: Connection[] = []
  t.teardown(() => {
    for (const connection of open) connection.close()
  })
  const signIn = async (privateKey: Uint8Array, node: number) => {
    const connection = await connect({ rpc: { url: nodes[node]!.rpc }, privateKey, finalTimeoutMs: 60_000 })
    open.push(connection)
    return connection
  }
  const member = (name: string, node = 3) => signIn(fromHex(accounts[name]!.privateKey), node)
  const operator = await member('operator')
  const finance = await member('finance')
  const patents = await member('intellectual-property')
  const asking = await member('government-service')
  const tax = await taxOffice(net, operator)
  open.push(tax.connection)
  await tax.start()

  // The data portrait: one attribute of two departments, one of the new department's own, one with a deadline whose
  // envelopes stay out of the blocks.
  const decimals = { valueType: VALUE_TYPE.decimal, scale: 2 }
  const joint = profile('taxPaid', [finance.sender.address, tax.address], decimals, {})
  const proposal = { dataProfile: joint, terms: { askers: [], purposes: [PURPOSE], statutes: [], exceptions: [] } }
  const details = { details: { description: '', codes: [] }, reason: 'for tax relief', effectiveAt: 0n }
  await transact(finance, dataPortrait, 'proposeChange', { ...proposal, ...details })
  const [changeId] = (await view(asking.client, dataPortrait, 'openChanges', { before: 0n })).ids
  await transact(tax.connection, dataPortrait, 'approveChange', { id: changeId! })
  const own = profile('taxRegistration', [tax.address], {}, { basis: BASIS.none })
  await transact(tax.connection, dataPortrait, 'SetDataProfile', { dataProfile: own })
  const integers = { valueType: VALUE_TYPE.integer }
  const timed = profile('patentFees', [patents.sender.address], integers, {
    deadlineBlocks: 6n,
    basis: BASIS.none,
    delivery: DELIVERY.direct,
  })
  await transact(patents, dataPortrait, 'SetDataProfile', { dataProfile: timed })

  // The two supervisors negotiate their key by themselves.
  await transact(finance, keyAgreement, 'startAgreement', { attribute: joint.attribute, roundBlocks: 1_000 })
  const agreed = async () => {
    const { keyEpoch } = await view(asking.client, dataPortrait, 'dataProfileOf', { attribute: joint.attribute })
    return keyEpoch > 0n
  }
  await eventually(agreed, 'the key of finance and tax')
  t.pass('finance and tax have agreed on a key')

  // An enterprise joins and submits.
  const enterpriseKey = new Uint8Array(randomBytes(32))
  await transact(operator, members, 'registerMember', {
    member: {
      account: privateKeyToAddress(enterpriseKey),
      role: ROLE.enterprise,
      id: ENTERPRISE_ID,
      name: 'Sunflower Works',
      encryptionKey: ZERO_HASH,
    },
  })
  const enterprise = await signIn(enterpriseKey, MARKET)
  const userID = enterprise.sender.address
  const isKnown = async () => (await view(enterprise.client, members, 'IdentityAuth', { userID })).active
  await eventually(isKnown, 'its own node to know the enterprise')
  const values = new Map([...PLANTED, ['companyName', 'Sunflower Works']])
  const json = JSON.stringify({ enterprise: CREDIT_CODE, values: Object.fromEntries(values) })
  const declaration = parseDeclaration(utf8(json), 'declaration.json')
  const portraitKeyFile = join(net.dir, 'enterprise', 'portrait.json')
  const proxy = new EnterpriseProxy(
    { portraitKeys: portraitKeysIn(portraitKeyFile), acknowledgeTimeoutMs: 60_000 },
    enterprise,
  )
  const submitted = await proxy.submit(declaration)
  t.ok(
    submitted.parts.every(({ status }) => status === 'accepted'),
    `all ${submitted.parts.length} parts are accepted`,
  )
  const shared = submitted.parts.filter(({ attributes }) => attributes.includes('taxPaid'))
  t.equal(shared.length, 1, 'what two supervise travels in one envelope')

  // Without consent: refused. With it: both supervisors answer.
  const encryptionKeys = [await readKeyFile(join(net.dir, nodes[3]!.name, 'encryption.key'))]
  const requester = new Requester({ encryptionKeys, answerTimeoutMs: 60_000 }, asking)
  const ask = (names: readonly string[], changes: Record<string, string> = {}, basis?: Hash) =>
    requester.verify({
      enterpriseId: ENTERPRISE_ID,
      values: new Map(names.map((name) => [name, changes[name] ?? values.get(name)!])),
      purpose: PURPOSE,
      ...(basis && { basis }),
    })
  await refusal(t, ask(['taxPaid']), 'basisMissing', 'without consent')
  const consent = {
    requester: asking.sender.address,
    enterpriseId: ENTERPRISE_ID,
    attributes: [joint.attribute],
    purpose: PURPOSE,
    notAfter: BigInt(Math.floor(Date.now() / 1_000) + 3_600),
    uses: 0,
    salt: toHash(new Uint8Array(randomBytes(32))),
  }
  const basis = await grantConsent(asking, signConsent(consent, net.network.chainId, enterpriseKey))
  const joined = rows(await ask(['taxPaid', 'taxRegistration', 'bankAccount'], {}, basis))
  t.same(
    [...joined.values()].map(({ confirmed }) => confirmed),
    [true, true, true],
    'all right',
  )
  t.equal(joined.get('taxPaid')!.attesters.length, 2, 'both supervisors have answered')
  const wrong = rows(await ask(['taxPaid'], { taxPaid: '83920177.44' }, basis))
  t.match(wrong.get('taxPaid'), { exists: true, confirmed: false }, 'one cent off')

  // A node is killed while it is asked, and comes back.
  const asked = ask(['registrationAddress', 'inventionPatents'])
  await net.kill(MARKET)
  await net.restart(MARKET)
  t.ok(
    [...rows(await asked).values()].every(({ confirmed }) => confirmed),
    'right answers over a killed node',
  )

  // What was answered is proved to whoever knows the genesis hash.
  const { genesisHash } = net.network
  const proved = async (query: EvidenceQuery): Promise<string> => {
    const { text } = await exportEvidence(asking.client, query)
    return (await verifyEvidence(text, { genesisHash })).words.join('\n')
  }
  const exchange = await proved({ kind: 'exchange', requestId: 1n })
  t.match(exchange, /government-service [^\n]* asked question 1 [^\n]* purpose tax-relief, on the basis of consent 0x/)
  t.match(exchange, /tax [^\n]* answered on [^\n]* that on taxPaid: the declared value is right/)
  t.match(exchange, /finance [^\n]* answered on [^\n]* that on taxPaid: the declared value is right/)
  const portrait = await proved({ kind: 'portrait', enterprise: ENTERPRISE_ID, attribute: own.attribute })
  t.match(portrait, /tax \(department, [^\n]* attested in block \d+ that on taxRegistration, [^\n]* is right/)

  // A department falls silent: it is shown as unanswered, never waited for, and its credit falls.
  const scoreOf = async () =>
    (await view(asking.client, credit, 'recordOf', { member: patents.sender.address })).unanswered
  await net.killAgent(PATENTS)
  const before = await scoreOf()
  const silent = rows(await whileBlocksPass(operator, ask(['patentFees'])))
  t.match(silent.get('patentFees'), { status: 'unanswered', exists: false, confirmed: false })
  await eventually(async () => (await scoreOf()) === before + 1, 'the silence to be on record')
  const requestId = await view(asking.client, dataSharing, 'requestCount', {})
  t.match(await proved({ kind: 'exchange', requestId }), /has not answered on patentFees/)
  await net.restartAgent(PATENTS)
  t.equal(rows(await ask(['patentFees'])).get('patentFees')!.confirmed, true, 'back, it answers')

  // A service decided from predicates of three departments.
  const policy = toPolicy(
    policyFileSchema.parse({
      id: 'tax-relief',
      title: 'Tax relief',
      purpose: 'tax-relief',
      conditions: [
        { attribute: 'inventionPatents', atLeast: 3 },
        { attribute: 'taxPaid', atLeast: '1000000.00' },
        { attribute: 'patentFees', atMost: 40_000_000 },
      ],
    }),
  )
  await publishPolicy(asking, policy)
  const question = { policy: 'tax-relief', enterpriseId: ENTERPRISE_ID, basis }
  t.match(await decideService(asking, requester, question), { outcome: 'eligible', decisionId: 1n })

  // The enterprise revokes: an open question ends, the next is refused.
  await tax.kill()
  const unanswered = ask(['taxPaid'], { taxPaid: '2.00' }, basis)
  await eventually(
    async () => (await view(asking.client, consents, 'consentOf', { id: basis })).used >= 5,
    'the question',
  )
  await transact(enterprise, consents, 'revoke', { id: basis, signature: new Uint8Array() })
  t.match(rows(await whileBlocksPass(operator, unanswered)).get('taxPaid'), { status: 'withdrawn', confirmed: false })
  await tax.start()
  await refusal(t, ask(['taxPaid'], {}, basis), 'consentRevoked', 'after the revocation')

  // It asks for the erasure of what it had sent directly: who has erased says so, who is away is late and seen to be.
  const { submissionId } = submitted
  const { hashes } = await view(asking.client, delivery, 'envelopesOf', {
    kind: ENVELOPE_KIND.part,
    subject: submissionId,
  })
  t.equal(hashes.length, 1, 'one part of the submission is in no block')
  const parcel = { sender: userID, hash: hashes[0]! }
  const erasure = () => view(asking.client, delivery, 'erasureOf', parcel)
  const stateAt = async (node: number) =>
    (await net.client(node).call('concordat_envelopeStatus', parcel.sender, parcel.hash)).state
  t.equal(await stateAt(PATENTS), 'held', 'its recipient holds it')
  await net.killAgent(PATENTS)
  await net.kill(PATENTS)
  const deadline = BigInt(await operator.client.call('eth_blockNumber')) + 3n
  await transact(enterprise, delivery, 'requestErasureOf', { submissionId, deadline })
  await eventually(async () => (await erasure()).carrierAt > 0n, 'the receipt of the node that carried it')
  const height = async () => BigInt(await asking.client.call('eth_blockNumber'))
  await whileBlocksPass(
    operator,
    eventually(async () => (await height()) > deadline, 'the deadline'),
  )
  t.match(await erasure(), { recipientAt: 0n, complete: false }, 'the late holder is visible')
  await net.restart(PATENTS)
  await net.restartAgent(PATENTS)
  const erased = await eventually(async () => {
    const now = await erasure()
    return now.complete && now
  }, 'the receipts of all holders')
  t.ok(erased.recipientAt > deadline, 'and it stays on record that one was late')
  t.same([await stateAt(MARKET), await stateAt(PATENTS)], ['erased', 'erased'], 'no node has it any more')

  // An auditor sees all of it with a mandate, nothing without one; the enterprise sees what concerns it; a stranger nothing.
  const regulator = await member('regulator')
  const auditor = await member('auditor')
  const auditorKey = fromHex(accounts.auditor!.privateKey)
  const about = {
    fromBlock: 0,
    toBlock: Number(await asking.client.call('eth_blockNumber')),
    enterprise: CREDIT_CODE,
  }
  const trail = async (key: Uint8Array) => {
    const entries = []
    for await (const page of auditTrail(asking.client, keySigner(key), about)) entries.push(...page.entries)
    return entries
  }
  const refused = (reason: string) => ({ code: RPC_CODES.auditRefused, data: { reason } })
  await t.rejects(trail(auditorKey), refused('NO_MANDATE'), 'an auditor without a mandate')
  const scope = {
    enterprises: [ENTERPRISE_ID],
    departments: [],
    attributes: [],
    purposes: [],
    fromTime: 0n,
    toTime: 0n,
  }
  const expiry = { expiryHeight: 1_000_000n, expiryTime: 0n, reason: 'file 12/2026' }
  await transact(regulator, audit, 'grantMandate', { grantee: auditor.sender.address, scope, ...expiry })
  const seen = await trail(auditorKey)
  const kinds = new Set(seen.map(({ kind }) => kind))
  for (const kind of [
    'submission',
    'question',
    'answer',
    'refusal',
    'consent',
    'decision',
    'delivery',
    'read',
  ] as const) {
    t.ok(kinds.has(kind), `the auditor sees every ${kind}`)
  }
  t.equal(seen.filter(({ kind }) => kind === 'refusal').length, 2, 'both refused questions are on record')
  t.ok(
    (await trail(enterpriseKey)).some(({ kind }) => kind === 'read'),
    'the enterprise sees who read about it',
  )
  await t.rejects(trail(new Uint8Array(randomBytes(32))), refused('NOT_A_MEMBER'), 'a stranger')

  // What an indexer would read of all this.
  await t.test('schemas, viem and ethers over the whole chain', (t) => walkChain(t, nodes[3]!.rpc))

  // Everything ends, and every byte is looked at.
  await recorder!.stop()
  await tax.kill()
  for (const [index] of nodes.entries()) {
    await net.killAgent(index)
    await net.terminate(index)
  }
  const holders = new Map([
    ['registrationAddress', nodes[MARKET]!.name],
    ['bankAccount', nodes[FINANCE]!.name],
    ['inventionPatents', nodes[PATENTS]!.name],
    ['patentFees', nodes[PATENTS]!.name],
    ['taxPaid', `${nodes[FINANCE]!.name} tax`],
    ['taxRegistration', 'tax'],
  ])
  for (const name of [...nodes.map((node) => node.name), 'tax']) {
    const inBusiness = await findValues(join(net.dir, name, 'department'), PLANTED)
    const own = [...PLANTED.keys()].filter((attribute) => holders.get(attribute)!.split(' ').includes(name))
    t.same([...inBusiness].sort(), own.sort(), `${name}: its database holds what it supervises, and nothing else`)
    const parts = readdirSync(join(net.dir, name)).filter((part) => part !== 'department')
    if (name !== 'tax')
      t.ok(
        NODE_FOLDERS.every((folder) => parts.includes(folder)),
        `${name} has its folders`,
      )
    for (const part of parts) {
      t.same([...(await findValues(join(net.dir, name, part), PLANTED))], [], `${name}/${part} holds no value`)
    }
  }
  t.ok(recorder!.frames.length > 100, `${recorder!.frames.length} frames were captured`)
  const captured = Buffer.concat(recorder!.frames)
  t.ok(captured.includes(Buffer.from(ENTERPRISE_ID.slice(2), 'hex')), 'the capture sees what is public')
  for (const [name, value] of PLANTED) t.notOk(holds(captured, needlesOf(value)), `no frame holds ${name}`)
})

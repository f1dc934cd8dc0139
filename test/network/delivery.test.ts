/**
 * Envelopes between four processes: a recipient's node is killed in between, the envelopes are in no block, and after their
 * erasure in no file.
 */

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connect } from '../../src/agent/connection.js'
import { dataSharing, delivery, members, view } from '../../src/agent/contractClient.js'
import { datasetCompanies } from '../../src/agent/dataset/generate.js'
import { parseDeclaration } from '../../src/agent/declaration.js'
import { EnterpriseProxy } from '../../src/agent/enterpriseProxy.js'
import { portraitKeysIn } from '../../src/agent/portraitKeyFile.js'
import { Requester } from '../../src/agent/requester.js'
import { declarationOf } from '../../src/cli/demo/declarations.js'
import { writeNetwork } from '../../src/cli/network/file.js'
import { ENVELOPE_KIND, ROLE } from '../../src/contracts/codes.js'
import { textId } from '../../src/contracts/textId.js'
import { fromHex, type Hex, utf8, ZERO_HASH } from '../../src/core/bytes.js'
import { claimDigest } from '../../src/crypto/envelopeSlip.js'
import { readKeyFile } from '../../src/crypto/keyFile.js'
import { privateKeyToAddress, secp256k1 } from '../../src/crypto/secp256k1.js'
import { genesisHash } from '../../src/node/genesis.js'
import { parseGenesis } from '../../src/node/genesisFile.js'
import { folderHolds } from '../node/deliveryNodes.js'
import { eventually, startLocalNetwork } from '../support/localNetwork.js'

const MAIN = join(process.cwd(), 'dist/src/cli/main.js')
const FINANCE = 1
const ACCESS = 3

t.test('direct delivery over four processes', async (t) => {
  const net = await startLocalNetwork({
    agents: true,
    prepare: (dir, network) => {
      const file = join(dir, 'genesis.json')
      const genesis = JSON.parse(readFileSync(file, 'utf8')) as { attributes: { rule?: object }[] }
      for (const attribute of genesis.attributes) attribute.rule = { ...attribute.rule, delivery: 'direct' }
      writeFileSync(file, JSON.stringify(genesis))
      writeNetwork(dir, { ...network, genesisHash: genesisHash(parseGenesis(genesis)) })
    },
  })
  t.teardown(() => net.stop())
  const { nodes, accounts, chainId } = net.network
  const signedIn = async (privateKey: Uint8Array, node: number, timeoutMs = 10_000) => {
    const made = await connect({ rpc: { url: nodes[node]!.rpc }, privateKey, delivery: { timeoutMs } })
    t.teardown(() => made.close())
    return made
  }
  const { truth } = [...datasetCompanies({ records: 60 })][0]!
  const privateKey = new Uint8Array(randomBytes(32))
  const operator = await signedIn(fromHex(accounts.operator!.privateKey), 0)
  const id = textId(truth.unifiedSocialCreditCode)
  const member = { account: privateKeyToAddress(privateKey), role: ROLE.enterprise, id, name: truth.companyName }
  const registration = { member: { ...member, encryptionKey: ZERO_HASH } }
  await operator.sender.final(await operator.sender.send(members, 'registerMember', registration))

  const declaration = parseDeclaration(utf8(declarationOf(truth, 'd.json')), 'd.json')
  const portraitKeyFile = join(net.dir, 'portrait.json')
  const enterprise = await signedIn(privateKey, ACCESS, 500)
  await net.killAgent(FINANCE)
  await net.kill(FINANCE)
  const submitting = new EnterpriseProxy(
    { portraitKeys: portraitKeysIn(portraitKeyFile), acknowledgeTimeoutMs: 60_000 },
    enterprise,
  ).submit(declaration)
  await eventually(
    async () => (await view(operator.client, dataSharing, 'submissionCount', {})) > 0n,
    'the transaction, though a recipient is away',
  )
  await net.restart(FINANCE)
  await net.restartAgent(FINANCE)
  const report = await submitting
  t.ok(report.parts.length >= 3 && report.parts.every(({ status }) => status === 'accepted'), 'the late one too')

  const asking = await signedIn(fromHex(accounts['government-service']!.privateKey), ACCESS)
  const encryptionKeys = [await readKeyFile(join(net.dir, nodes[ACCESS]!.name, 'encryption.key'))]
  const requester = new Requester({ encryptionKeys, answerTimeoutMs: 60_000 }, asking)
  const { enterpriseId, values } = declaration
  const answer = await requester.verify({ enterpriseId, values })
  t.ok(answer.attributes.every(({ exists, confirmed }) => exists && confirmed))

  const { submissionId } = report
  const { hashes } = await view(asking.client, delivery, 'envelopesOf', {
    kind: ENVELOPE_KIND.part,
    subject: submissionId,
  })
  const sender = enterprise.sender.address
  const bodies: Uint8Array[] = []
  for (const hash of hashes) {
    const { recipient } = await view(asking.client, delivery, 'envelopeOf', { sender, hash })
    const index = nodes.findIndex((node) => node.address === recipient)
    const key = fromHex(accounts[nodes[index]!.department!]!.privateKey)
    const signature = secp256k1.sign(claimDigest(chainId, sender, hash), key)
    const claim = `0x${Buffer.from(signature).toString('hex')}` as Hex
    bodies.push(fromHex((await net.client(index).call('concordat_getEnvelope', sender, hash, claim))!))
  }
  t.equal(bodies.length, report.parts.length)
  await t.test('the envelopes are in no block of any node', async (t) => {
    const head = Number(await asking.client.call('eth_blockNumber'))
    for (const index of nodes.keys()) {
      await eventually(async () => Number(await net.client(index).call('eth_blockNumber')) >= head, 'the same head')
      for (let height = 0; height <= head; height++) {
        const raw = (await net.client(index).request('debug_getRawBlock', [`0x${height.toString(16)}`])) as string
        const block = Buffer.from(raw.slice(2), 'hex')
        t.notOk(bodies.some((body) => block.includes(Buffer.from(body.subarray(0, 64)))))
      }
    }
  })

  await net.killAgent(FINANCE)
  await net.kill(FINANCE)
  const keyFile = join(net.dir, 'enterprise.key')
  writeFileSync(keyFile, `0x${Buffer.from(privateKey).toString('hex')}\n`, { mode: 0o600 })
  const run = (...args: string[]) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [MAIN, 'envelope', ...args], { encoding: 'utf8' })
    t.equal(status, 0, stderr)
    return JSON.parse(stdout) as unknown
  }
  const signed = ['--rpc', nodes[ACCESS]!.rpc, '--key-file', keyFile, '--json']
  run('erase', '--submission', String(submissionId), '--within', '2', ...signed)
  const erasures = () => Promise.all(hashes.map((hash) => view(asking.client, delivery, 'erasureOf', { sender, hash })))
  const late = await eventually(async () => {
    const all = await erasures()
    return all.filter(({ complete }) => !complete).length === 1 && all
  }, 'the receipts of all that are there')
  t.same(
    late.filter(({ complete }) => !complete).map(({ recipient, recipientAt }) => ({ recipient, recipientAt })),
    [{ recipient: nodes[FINANCE]!.address, recipientAt: 0n }],
    'who is away is late',
  )
  for (let i = 0; i < 3; i++) {
    const account = privateKeyToAddress(new Uint8Array(randomBytes(32)))
    const auditor = {
      account,
      role: ROLE.auditor,
      id: textId(`auditor-${i}`),
      name: 'Auditor',
      encryptionKey: ZERO_HASH,
    }
    await operator.sender.final(await operator.sender.send(members, 'registerMember', { member: auditor }))
  }
  const listed = run('list', String(submissionId), '--rpc', nodes[ACCESS]!.rpc, '--json') as { erasure: string }[]
  t.equal(listed.filter(({ erasure }) => erasure === 'late: finance').length, 1)
  await net.restart(FINANCE)
  await eventually(async () => (await erasures()).every(({ complete }) => complete), 'the receipt of the late holder')
  for (const node of nodes) {
    for (const body of bodies) t.notOk(await folderHolds(join(net.dir, node.name), body.subarray(64, 128)), node.name)
  }
})

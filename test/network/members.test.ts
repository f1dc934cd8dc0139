/** Keys of departments change under traffic on real processes: what is submitted and asked meanwhile is stored and answered. */
import { randomBytes } from 'node:crypto'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { type Connection, connect } from '../../src/agent/connection.js'
import { members, view } from '../../src/agent/contractClient.js'
import { datasetCompanies } from '../../src/agent/dataset/generate.js'
import { parseDeclaration } from '../../src/agent/declaration.js'
import { EnterpriseProxy } from '../../src/agent/enterpriseProxy.js'
import { portraitKeysIn } from '../../src/agent/portraitKeyFile.js'
import { Requester } from '../../src/agent/requester.js'
import { signerProof } from '../../src/agent/signerProof.js'
import { transact } from '../../src/agent/transact.js'
import { declarationOf } from '../../src/cli/demo/declarations.js'
import { expectedAnswers, wrongAnswers } from '../../src/cli/demo/expectations.js'
import { loadDepartments } from '../../src/cli/demo/loadDepartments.js'
import { createOutput } from '../../src/cli/output.js'
import { ROLE, SIGNER_KIND, type SignerKindName } from '../../src/contracts/codes.js'
import { textId } from '../../src/contracts/textId.js'
import { type Address, fromHex, toHash, toHex, utf8, ZERO_HASH } from '../../src/core/bytes.js'
import { encryptionKeyFromPrivate } from '../../src/crypto/encryptionKey.js'
import { readKeyFile } from '../../src/crypto/keyFile.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import { eventually, type LocalNetwork, startLocalNetwork } from '../support/localNetwork.js'

const RECORDS = 60
const [MARKET, FINANCE, ASKER] = [0, 1, 3]

const newKey = () => new Uint8Array(randomBytes(32))

/** Changes a department's configuration; the agent reads it when it starts. */
function configure(net: LocalNetwork, node: number, change: (config: Record<string, unknown>) => object): void {
  const file = join(net.dir, net.network.nodes[node]!.name, 'department.yaml')
  const config = parse(readFileSync(file, 'utf8'))
  writeFileSync(file, stringify({ ...config, ...change(config) }))
}

function keyFile(net: LocalNetwork, node: number, name: string, key: Uint8Array): string {
  const file = `${name}.key`
  writeFileSync(join(net.dir, net.network.nodes[node]!.name, file), `${toHex(key)}\n`, { mode: 0o600 })
  return file
}

/** Companies that declare and are asked about, one after the other, until stopped; each has to be answered as Table 2 says. */
class Traffic {
  readonly wrong: string[] = []
  readonly #stopped: Promise<void>
  #rounds = 0
  #stopping = false

  constructor(readonly companies: readonly { submit(): Promise<boolean>; ask(): Promise<readonly string[]> }[]) {
    this.#stopped = this.#run()
  }

  /** Resolves when `rounds` more companies have been dealt with from their first step on. */
  async more(rounds: number): Promise<void> {
    const from = this.#rounds
    await eventually(() => this.wrong.length > 0 || this.#rounds > from + rounds, `${rounds} more companies`, 120_000)
  }

  async stop(): Promise<number> {
    this.#stopping = true
    await this.#stopped
    return this.#rounds
  }

  async #run(): Promise<void> {
    for (; !this.#stopping; this.#rounds++) {
      const company = this.companies[this.#rounds % this.companies.length]!
      try {
        if (!(await company.submit())) this.wrong.push(`company ${this.#rounds}: not accepted by all`)
        this.wrong.push(...(await company.ask()).map((fault) => `company ${this.#rounds}: ${fault}`))
      } catch (error) {
        this.wrong.push(`company ${this.#rounds}: ${String(error)}`)
      }
    }
  }
}

t.test('keys of departments change under traffic', async (t) => {
  const net = await startLocalNetwork({
    agents: true,
    prepare: async (dir, network) => {
      const folder = (id: string) => join(dir, network.nodes.find((node) => node.department === id)!.name)
      await loadDepartments(folder, { records: RECORDS }, createOutput(true, process.stderr))
    },
  })
  t.teardown(async () => {
    const keep = process.env.KEEP_LOGS
    if (keep)
      for (const { name } of net.network.nodes)
        cpSync(join(net.dir, name, 'logs'), join(keep, name), { recursive: true })
    await net.stop()
  })
  const { nodes, accounts } = net.network
  const open = async (privateKey: Uint8Array, node: number): Promise<Connection> => {
    const connection = await connect({ rpc: { url: nodes[node]!.rpc }, privateKey })
    t.teardown(() => connection.close())
    return connection
  }
  const signedIn = (account: string, node: number) => open(fromHex(accounts[account]!.privateKey), node)
  const operator = await signedIn('operator', 0)
  const asking = await signedIn('government-service', ASKER)
  const encryptionKeys = [await readKeyFile(join(net.dir, nodes[ASKER]!.name, 'encryption.key'))]
  const requester = new Requester({ encryptionKeys, answerTimeoutMs: 60_000 }, asking)

  const companies = await Promise.all(
    [...datasetCompanies({ records: RECORDS })].slice(0, 4).map(async (company) => {
      const { truth } = company
      const privateKey = newKey()
      const account = privateKeyToAddress(privateKey)
      const id = textId(truth.unifiedSocialCreditCode)
      const member = { account, role: ROLE.enterprise, id, name: truth.companyName, encryptionKey: ZERO_HASH }
      await transact(operator, members, 'registerMember', { member })
      const declaration = parseDeclaration(utf8(declarationOf(truth, 'd.json')), 'd.json')
      const portraitKeys = portraitKeysIn(join(net.dir, `${truth.unifiedSocialCreditCode}.json`))
      const proxy = new EnterpriseProxy({ portraitKeys, acknowledgeTimeoutMs: 60_000 }, await open(privateKey, 0))
      const { enterpriseId, values } = declaration
      return {
        submit: async () => (await proxy.submit(declaration)).parts.every(({ status }) => status === 'accepted'),
        ask: async () =>
          wrongAnswers(await requester.verify({ enterpriseId, values }), expectedAnswers(company, truth, truth)).map(
            (fault) => JSON.stringify(fault),
          ),
      }
    }),
  )
  const delegate = (connection: Connection, member: Address, key: Uint8Array, kind: SignerKindName) =>
    transact(connection, members, 'addSigner', {
      ...signerProof(key, connection.chainId, member, kind),
      kind: SIGNER_KIND[kind],
    })
  const finance = await signedIn('finance', 2)
  const account = await finance.account()
  const traffic = new Traffic(companies)

  await t.test('an encryption key: envelopes to both open', async (t) => {
    await traffic.more(1)
    const key = newKey()
    const file = keyFile(net, FINANCE, 'encryption2', key)
    configure(net, FINANCE, ({ encryptionKeyFile }) => ({
      encryptionKeyFile: file,
      earlierEncryptionKeyFiles: [encryptionKeyFile],
    }))
    await net.killAgent(FINANCE)
    await net.restartAgent(FINANCE)
    const encryptionKey = toHash(encryptionKeyFromPrivate(key).publicKey)
    await transact(finance, members, 'rotateEncryptionKey', { encryptionKey })
    await traffic.more(1)
    const last = newKey()
    const lastFile = keyFile(net, FINANCE, 'encryption3', last)
    configure(net, FINANCE, ({ earlierEncryptionKeyFiles }) => ({
      encryptionKeyFile: lastFile,
      earlierEncryptionKeyFiles: [file, ...(earlierEncryptionKeyFiles as string[])],
    }))
    await net.killAgent(FINANCE)
    await net.restartAgent(FINANCE)
    await transact(finance, members, 'replaceEncryptionKey', {
      encryptionKey: toHash(encryptionKeyFromPrivate(last).publicKey),
      graceBlocks: 0,
    })
    await traffic.more(1)
    t.same(traffic.wrong, [])
  })

  await t.test('a signing key: the agent ends, and goes on with the next', async (t) => {
    const market = await signedIn('market-regulation', 2)
    const next = newKey()
    const of = await market.account()
    const { signer: newSigner, proof } = signerProof(next, market.chainId, of, 'account')
    await transact(market, members, 'rotateAccountKey', { newSigner, proof })
    await net.agentEnded(MARKET)
    configure(net, MARKET, () => ({ keyFile: keyFile(net, MARKET, 'signing2', next) }))
    await net.restartAgent(MARKET)
    await traffic.more(1)
    t.equal(await view(operator.client, members, 'signerAt', { account: of, height: 10_000_000n }), newSigner)
    t.same(traffic.wrong, [])
  })

  await t.test("a service's key and a second node act for the department", async (t) => {
    const [service, node] = [newKey(), net.add('node5', nodes[FINANCE]!.name)]
    await delegate(finance, account, service, 'service')
    configure(net, FINANCE, () => ({ keyFile: keyFile(net, FINANCE, 'service', service) }))
    await net.killAgent(FINANCE)
    await net.restartAgent(FINANCE)
    const index = await node
    await delegate(finance, account, fromHex(net.network.accounts.node5!.privateKey), 'node')
    net.start(index)
    await traffic.more(1)
    const height = Number(await net.client(0).call('eth_blockNumber'))
    const reached = async () =>
      Number(
        await net
          .client(index)
          .call('eth_blockNumber')
          .catch(() => 0),
      ) >= height
    await eventually(reached, 'the second node to follow', 180_000)
    const [asked, second] = await Promise.all([open(service, 0), net.client(index)])
    t.equal(await asked.account(), account)
    const of = { signer: asked.sender.address }
    t.equal((await view(second, members, 'signerOf', of)).account, account, 'the second node says so too')
    t.same(traffic.wrong, [])
  })

  const rounds = await traffic.stop()
  t.same(traffic.wrong, [], `${rounds} companies`)
})

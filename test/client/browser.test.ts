/** The client library as a browser gets it: bundled, run without anything of Node, small where little is used. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import vm from 'node:vm'
import t from 'tap'
import { datasetSamples } from '../../src/agent/dataset/generate.js'
import { type EnterpriseDeclaration, type Member, type Question, submit, verify } from '../../src/client/index.js'
import { fromHex, type Hex, toHex } from '../../src/core/bytes.js'
import { verifyEvidence } from '../../src/evidence/verify.js'
import type { RpcError } from '../../src/rpc/errors.js'
import { type Account, World } from '../agent/support/world.js'
import { expectedOf, type HpkeVector, isOurs } from '../crypto/hpkeVectors.js'
import { skipWithoutOpenssl } from '../evidence/authority.js'
import { stampedFile, tinyFile } from '../evidence/flips.js'
import { readVector, skipWithoutVectors } from '../vectors.js'
import { bareRealm, bundleForBrowsers } from './bareRealm.js'

t.test('HPKE in a browser: the vectors of RFC 9180', { skip: skipWithoutVectors }, async (t) => {
  const { code } = await bundleForBrowsers(`
    import { runVector } from './test/crypto/hpkeVectors.js'
    import { primitives } from './src/crypto/primitives.js'
    globalThis.run = (row) => JSON.stringify({ ...runVector(JSON.parse(row)), name: primitives.name })
  `)
  const realm = bareRealm()
  vm.runInContext(code, realm)
  // AES-256-GCM is that of envelopes; what the other ciphers share with it is shown by one of them.
  const some = (row: HpkeVector) => isOurs(row) && (row.aead_id === 2 || row.aead_id === 3)
  for (const row of readVector<HpkeVector[]>('hpke/rfc9180-accumulated.json').filter(some)) {
    const result = JSON.parse((realm.run as (row: string) => string)(JSON.stringify(row)))
    t.same(result, { ...expectedOf(row), name: 'noble' }, `AEAD ${row.aead_id}`)
  }
})

/** An enterprise and a department in a browser; the agents are in Node. */
const PAGE = `
  import { connect, memoryPortraitKeyStore, portraitKeysOver, submit, verify } from 'concordat/client'
  import { custom } from 'viem'
  import { privateKeyToAccount } from 'viem/accounts'
  import { hexToBytes } from 'viem'

  const provider = {
    async request(wanted) {
      const answer = JSON.parse(await globalThis.node(JSON.stringify(wanted)))
      if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error)
      return answer.result
    },
  }
  const signIn = (key) => connect({ transport: custom(provider, { retryCount: 0 }), account: privateKeyToAccount(key) })

  globalThis.submit = async (key, declaration) => {
    const member = await signIn(key)
    const portraitKeys = portraitKeysOver(memoryPortraitKeyStore())
    const { parts } = await submit(member, JSON.parse(declaration), { portraitKeys })
    member.close()
    return JSON.stringify(parts)
  }
  globalThis.verify = async (key, encryptionKey, question) => {
    const member = await signIn(key)
    const options = { encryptionKeys: [hexToBytes(encryptionKey)] }
    const first = await verify(member, JSON.parse(question), options)
    const second = await verify(member, JSON.parse(question), options)
    member.close()
    return JSON.stringify([first.attributes, second.attributes])
  }
`

interface Page {
  submit(key: Hex, declaration: string): Promise<string>
  verify(key: Hex, encryptionKey: Hex, question: string): Promise<string>
}

t.test('submit and verify in a browser, over a provider as wallets offer it', async (t) => {
  const company = datasetSamples({ records: 500 }).complete
  const world = new World({ companies: [company] })
  t.teardown(() => world.close())
  await world.serveAll()
  const client = world.chain.client()
  const node = async (text: string): Promise<string> => {
    const { method, params } = JSON.parse(text) as { method: string; params: unknown[] }
    const error = ({ code, message, data }: RpcError) => JSON.stringify({ error: { code, message, data } })
    return client.request(method, params).then((result) => JSON.stringify({ result }), error)
  }
  const { code, inputs } = await bundleForBrowsers(PAGE)
  const native = inputs.filter((file) => /node_modules\/(secp256k1|classic-level|ws|pg|libp2p|@libp2p)\//.test(file))
  t.same(native, [], 'nothing native, no sockets of Node')
  const realm = bareRealm({ node })
  t.equal(vm.runInContext('typeof process + typeof Buffer + typeof require', realm), 'undefined'.repeat(3))
  vm.runInContext(code, realm)
  const page = realm as unknown as Page

  const keyOf = ({ privateKey }: Account) => toHex(privateKey)
  const { unifiedSocialCreditCode: creditCode } = company.truth
  const enterprise = world.enterprises.get(company)!
  const parts = JSON.parse(await page.submit(keyOf(enterprise), JSON.stringify({ creditCode, values: company.truth })))
  t.equal(parts.length, 3)
  t.ok(
    parts.every(({ status }: { status: string }) => status === 'accepted'),
    'departments in Node open what the browser has sealed',
  )
  const values = { employees: company.truth.employees!, registeredCapital: '1' }
  const question = JSON.stringify({ creditCode, values })
  const key = toHex(world.asker.encryption.privateKey)
  const [first, second] = JSON.parse(await page.verify(keyOf(world.asker), key, question))
  t.match(first, [
    { attribute: 'employees', confirmed: true, fromPortrait: false },
    { attribute: 'registeredCapital', confirmed: false, exists: true, fromPortrait: false },
  ])
  t.match(second, [
    { attribute: 'employees', confirmed: true, fromPortrait: true },
    { attribute: 'registeredCapital', confirmed: false, fromPortrait: true },
  ])
})

t.test('what is not used is left out', async (t) => {
  const bytesMax = {
    attributeId: 3_000,
    concordatChain: 2_000,
    listMembers: 4_000,
    verifyProof: 30_000,
    membersAbi: 30_000,
    verifyFinality: 90_000,
    connect: 200_000,
  }
  for (const [name, max] of Object.entries(bytesMax)) {
    const { code } = await bundleForBrowsers(`export { ${name} } from 'concordat/client'`, { format: 'esm' })
    t.ok(code.length <= max, `${name} takes ${code.length} bytes, at most ${max} are expected`)
  }
})

t.test('what browsers lack is done without it, alike', async (t) => {
  const { code } = await bundleForBrowsers(`
    import * as bytes from './src/core/bytes.js'
    globalThis.run = (hex) => {
      const plain = bytes.fromHex(hex)
      const out = new Uint8Array(plain.length + 1)
      bytes.writeHex(new DataView(out.buffer), 1, hex)
      const text = new TextDecoder().decode(plain)
      const same = bytes.equalBytes(plain, bytes.fromHex(bytes.toHex(plain)))
      const other = bytes.equalBytes(plain, out.slice(0, plain.length))
      return JSON.stringify([bytes.toHex(plain), bytes.toHex(out), bytes.hexDigits(plain)(1, 3), same, other, bytes.utf8Length(text)])
    }
  `)
  const realm = bareRealm()
  vm.runInContext(code, realm)
  for (const length of [3, 64, 65, 300]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 89 + 7) & 127)
    const hex = toHex(bytes)
    const run = JSON.parse((realm.run as (hex: string) => string)(hex))
    t.same(run, [hex, `0x00${hex.slice(2)}`, hex.slice(4, 8), true, false, length])
    t.same(fromHex(hex), bytes)
  }
})

const VERIFIER = `
  import { verifyEvidence } from 'concordat/client'
  globalThis.run = (text, genesisHash, authorities = '[]') =>
    verifyEvidence(text, { genesisHash, authorities: JSON.parse(authorities).map((bytes) => Uint8Array.from(bytes)) }).then(
      ({ words, timeStamp }) => JSON.stringify({ words, timeStamp }),
      (error) => error.code ?? String(error),
    )
`
type Run = (text: string, genesisHash: string, authorities?: string) => Promise<string>

t.test('evidence is verified in pages and workers', { skip: skipWithoutOpenssl }, async (t) => {
  const file = await tinyFile(t)
  const { genesisHash } = file
  const plain = new TextDecoder().decode(file.bytes)
  const authority = join(t.testdir(), 'authority')
  const stamped = new TextDecoder().decode((await stampedFile(file, authority, 'ecdsa', true)).bytes)
  const root = new X509Certificate(readFileSync(join(authority, 'root.pem'))).raw
  const authorities = JSON.stringify([[...root]])
  const { words } = await verifyEvidence(plain, { genesisHash })
  const { code, inputs } = await bundleForBrowsers(VERIFIER)
  t.same(
    inputs.filter((name) => /node_modules\/(events|debug|readable-stream|@ethereumjs\/trie)\//.test(name)),
    [],
    'nothing that stands in for Node',
  )
  const realms = { 'a page': { window: {}, document: {} }, 'a worker, which has neither window nor process': {} }
  for (const [title, values] of Object.entries(realms)) {
    const realm = bareRealm(values)
    vm.runInContext(code, realm)
    const run = realm.run as Run
    t.same(JSON.parse(await run(plain, genesisHash)).words, words, `${title}: the same sentences`)
    t.match(JSON.parse(await run(stamped, genesisHash, authorities)), { timeStamp: { isTrusted: true } }, title)
    t.equal(await run(plain, `0x${'11'.repeat(32)}`), 'GENESIS', 'of another chain it proves nothing')
    t.equal(await run('{}', genesisHash), 'NOT_CANONICAL', 'a file that is none is refused')
  }
  const insecure = bareRealm({ crypto: {} })
  vm.runInContext(code, insecure)
  const run = insecure.run as Run
  t.equal(
    await run(stamped, genesisHash),
    'ENVIRONMENT',
    'a page over http lacks WebCrypto, which is no fault of the file',
  )
  t.same(JSON.parse(await run(plain, genesisHash)).words, words, 'and a file without a token needs none')
})

t.test('what plain JavaScript leaves out is said at the boundary', async (t) => {
  const member = {} as Member
  const declare = (declaration: unknown) => submit(member, declaration as EnterpriseDeclaration, {} as never)
  const refused = (message: RegExp) => ({ name: 'ClientError', code: 'ARGUMENT', message })
  const creditCode = '91440300708461136T'
  await t.rejects(declare(undefined), refused(/^declaration must be an object like \{ creditCode, values \}/))
  await t.rejects(declare({ values: {} }), refused(/^declaration\.creditCode must be text/))
  for (const values of [undefined, null, 'employees', ['employees']]) {
    await t.rejects(declare({ creditCode, values }), refused(/^declaration\.values must be an object like/))
  }
  await t.rejects(
    declare({ creditCode, values: { employees: 42 } }),
    refused(/^declaration\.values\.employees must be text/),
  )
  await t.rejects(verify(member, { creditCode } as Question, {} as never), refused(/^question\.values must be/))
})

/** The examples of the client library run, over the contracts in memory, and say what they show. */
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { custom, type Transport } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { connectAndRead } from '../../examples/client/connect.js'
import { consentAndRevoke } from '../../examples/client/consent.js'
import { contest } from '../../examples/client/contest.js'
import { erase } from '../../examples/client/erase.js'
import { pieces } from '../../examples/client/pieces.js'
import { declare } from '../../examples/client/submit.js'
import { ask } from '../../examples/client/verify.js'
import { datasetSamples } from '../../src/agent/dataset/generate.js'
import { parseDeclaration } from '../../src/agent/declaration.js'
import { memoryPortraitKeyStore, portraitKeysOver } from '../../src/agent/portraitKeys.js'
import { toHash, toHex, utf8 } from '../../src/core/bytes.js'
import { type Account, World } from '../agent/support/world.js'

const company = datasetSamples({ records: 500 }).complete
const { unifiedSocialCreditCode: creditCode } = company.truth

const accountOf = ({ privateKey }: Pick<Account, 'privateKey'>) => privateKeyToAccount(toHex(privateKey))

/** The chain in memory as a browser's wallet offers its own: EIP-1193. */
function transportOf(world: World): Transport {
  const client = world.chain.client()
  return custom({ request: ({ method, params }) => client.request(method, params) }, { retryCount: 0 })
}

t.test('from the declaration to the objection', async (t) => {
  const world = new World({ companies: [company] })
  t.teardown(() => world.close())
  await world.serveAll()
  const transport = transportOf(world)
  const enterprise = accountOf(world.enterprises.get(company)!)
  const portraitKeys = portraitKeysOver(memoryPortraitKeyStore())
  const said: string[] = []
  const say = (line: string) => void said.push(line)
  const lines = () => said.splice(0)

  const document = await declare(transport, enterprise, portraitKeys, { creditCode, values: company.truth }, say)
  t.match(lines(), [/^submission 1 is final in block/, / attributes accepted$/, / attributes accepted$/])
  const stored = world.chain.logs()[0]!.transactionHash
  const { key } = await portraitKeys.newest(parseDeclaration(utf8(document), 'd.json').enterpriseId)
  const { documentHash } = parseDeclaration(utf8(document), 'd.json')
  t.ok(
    world.chain.sent.some((raw) => toHex(raw).includes(documentHash(key).slice(2))),
    `its file is what ${stored} names`,
  )

  const values = { employees: company.truth.employees, registeredCapital: '1' }
  await ask(transport, accountOf(world.asker), world.asker.encryption.privateKey, { creditCode, values }, say)
  t.match(lines(), [
    /^first: employees exists, right, says /,
    /^first: registeredCapital exists, wrong, says market-regulation/,
    /^second: employees exists, right, says the portrait$/,
    /^second: registeredCapital exists, wrong, says the portrait$/,
  ])

  await connectAndRead(transport, creditCode, say)
  const read = lines()
  t.match(read[0], /^operator \(operator\) acts with 0x/)
  t.ok(read.includes('no member'))
  t.ok(read.some((line) => /^employees: exists, confirmed in block \d+$/.test(line)))
  t.ok(read.some((line) => /^registeredCapital: ask market-regulation$/.test(line)))

  const requester = { account: accountOf(world.asker), address: world.asker.address }
  await consentAndRevoke(transport, enterprise, requester, creditCode, say)
  t.match(lines(), [
    `signed by ${enterprise.address.toLowerCase()}`,
    /^employees for policy-declaration: holds, used 0 times$/,
    /^employees for policy-declaration: revoked in block \d+, used 0 times$/,
  ])

  const entry = { value: company.truth.employees!, portraitKeys }
  await contest(transport, enterprise, 'employees', entry, toHash(new Uint8Array(randomBytes(32))), say)
  t.same(lines(), ['objection 1 of 1: supervisors decide'])

  await erase(transport, enterprise, 1n, say)
  t.same(lines(), ['all of it stands in blocks'])
})

t.test('pieces', async (t) => {
  const said: string[] = []
  await pieces('{}', `0x${'11'.repeat(32)}`, (line) => void said.push(line))
  t.match(said, [
    /^employees is 0x656d706c6f79656573/,
    'one key pair',
    'portrait version 1',
    /"employees": "120"/,
    /^consent 0x[0-9a-f]{64}$/,
    'the file does not hold: NOT_CANONICAL',
  ])
})

/** Commands that send transactions, as a user types them, on a live node with its department's agent. */
import { copyFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { openDepartmentDatabase } from '../../src/agent/database/open.js'
import { datasetSamples } from '../../src/agent/dataset/generate.js'
import { loadDataset } from '../../src/agent/dataset/load.js'
import { runHere } from '../cli/inProcess.js'
import { type LocalNetwork, startLocalNetwork } from '../support/localNetwork.js'

const DATASET = { records: 20 }
const { truth } = datasetSamples(DATASET).complete
const ENTERPRISE = truth.unifiedSocialCreditCode
const EXAMPLES = resolve('examples')

const dir = t.testdir({ 'letter.pdf': 'It is wrong.', 'report.pdf': 'FY 2025', 'bill.json': '{"amount":"12.00"}' })
let net: LocalNetwork

/** What a command says; throws unless it ends with `status`. */
async function said(status: number, line: string, ...more: string[]): Promise<string> {
  const words = line.split(' ').filter(Boolean)
  const { stdout, stderr, status: ended } = await runHere(dir, ...words, ...more, '--network', net.dir)
  if (ended !== status) throw new Error(`${line} ended with ${ended}: ${stderr}${stdout}`)
  return stdout + stderr
}

const done = (line: string, ...more: string[]) => said(0, line, ...more)
const refused = (line: string, ...more: string[]) => said(1, line, ...more)
const result = async (line: string, ...more: string[]) => JSON.parse(await done(line, ...more, '--json'))

t.before(async () => {
  net = await startLocalNetwork({
    nodes: 1,
    agents: true,
    async prepare(out) {
      const database = await openDepartmentDatabase(join(out, 'node1', 'department'))
      await loadDataset(database, 'market-regulation', DATASET)
      await database.close()
    },
  })
})
t.teardown(() => net.stop())

const OWN = '--key-file enterprise.key'
const OFFICE = '--as market-regulation'

t.test('an enterprise is registered, submits, and is asked about', async (t) => {
  const declared = ['companyName', 'registeredCapital', 'employees'] as const
  const values = Object.fromEntries(declared.map((name) => [name, truth[name]]))
  writeFileSync(
    join(dir, 'declaration.json'),
    JSON.stringify({ enterprise: ENTERPRISE, values: { unifiedSocialCreditCode: ENTERPRISE, ...values } }),
  )
  await done('member register --role enterprise --declaration declaration.json --member-key-file enterprise.key')
  await done(`submit declaration.json ${OWN}`)
  t.match(await done(`verify declaration.json ${OFFICE}`), /4 of 4 confirmed/)
})

t.test(
  'consents: granted, revoked by the enterprise, by somebody with its signature, and by nobody else',
  async (t) => {
    const grant = `consent grant --enterprise ${ENTERPRISE} --requester market-regulation --attribute employees`
    const terms = '--purpose tax-relief --until 2099-12-31 --uses 3'
    await done(`${grant} ${terms} ${OWN} --out first.json --send`)
    await done(`${grant} ${terms} ${OWN} --out second.json`)
    t.match(await done(`consent list --enterprise ${ENTERPRISE}`), /tax-relief .* valid/)
    t.match(await refused(`consent revoke first.json ${OFFICE}`), /not the enterprise that this is about/)
    t.match(await done(`consent revoke first.json ${OWN}`), /is revoked in block \d+/)
    t.match(await refused(`consent revoke first.json ${OWN}`), /is revoked already/)
    t.match(await done('consent show first.json'), /revoked in block/)
    const { signature } = await result(`consent revoke second.json ${OWN} --sign-only`)
    t.match(await done(`consent revoke second.json --signature ${signature} ${OFFICE}`), /is revoked in block/)
    t.match(await refused(`verify declaration.json ${OFFICE} --purpose tax-relief --consent second.json`), /revoked/i)
  },
)

t.test('objections: raised, decided by the supervisor, once', async (t) => {
  const contest = (attribute: string, value: string) =>
    `object ${attribute} --value ${value} --reason-file letter.pdf ${OWN}`
  t.match(await refused(contest('employees', '1')), /the portrait holds no such answer/)
  t.match(await done(contest('registeredCapital', truth.registeredCapital!)), /objection 1 is on chain/)
  t.match(await done(contest('employees', truth.employees!)), /objection 2 is on chain/)
  t.match(await refused('objection decide 1 --upheld --as operator'), /the signer is no active department/)
  t.match(await done(`objection decide 1 --upheld ${OFFICE}`), /objection 1 is upheld/)
  t.match(await refused(`objection decide 1 --rejected ${OFFICE}`), /is upheld: it cannot be decided any more/)
  t.same(await result(`objection decide 2 --rejected ${OFFICE}`), { objectionId: '2', upheld: false, decided: true })
  t.match(await refused(`objection decide 3 --rejected ${OFFICE}`), /there is no objection 3/)
  t.match(await result('objection list'), [{ status: 'upheld' }, { status: 'rejected' }])
})

t.test('documents and credentials, from issue to end', async (t) => {
  await done(`document anchor report.pdf --kind report ${OFFICE}`)
  t.match(await done('document check report.pdf'), /report/)
  await done(`document withdraw report.pdf ${OFFICE}`)
  t.match(await refused('document check report.pdf'), /nobody vouches for report.pdf any more/)
  await done(`credential define bill --name Bill --transferable ${OFFICE}`)
  await done(`credential issue bill-1 --type bill --content bill.json --holder ${ENTERPRISE} ${OFFICE}`)
  await done('credential verify bill-1 --content bill.json')
  copyFileSync(join(dir, 'letter.pdf'), join(dir, 'altered.json'))
  await refused('credential verify bill-1 --content altered.json')
  await done(`credential transfer bill-1 market-regulation ${OWN}`)
  await done(`credential redeem bill-1 --reason paid ${OFFICE}`)
  t.match(await result('credential show bill-1'), { state: 'redeemed' })
})

t.test('a batch changes hands and is recalled', async (t) => {
  await done(`batch open tea-1 --product Tea ${OWN}`)
  await done(`batch allow tea-1 market-regulation ${OWN}`)
  await done(`batch step tea-1 inspected --note clean ${OFFICE}`)
  await done(`batch hand-over tea-1 market-regulation ${OWN}`)
  await done(`batch take-over tea-1 ${OFFICE}`)
  await done(`batch recall tea-1 --reason laboratory ${OWN}`)
  t.match(await done('batch show tea-1'), /RECALLED/)
})

t.test('mandates and policies begin and end', async (t) => {
  t.match(await said(2, 'audit mandate grant auditor --reason file-12'), /--expiry TIME/)
  const { mandateId } = await result('audit mandate grant auditor --reason file-12 --expiry-block 100000')
  await done(`audit mandate revoke ${mandateId} --as regulator`)
  t.same(await result('audit mandate list auditor'), [])
  await done(`policy define ${join(EXAMPLES, 'eligibility', 'innovation-grant.yaml')} ${OFFICE}`)
  await done(`eligibility check innovation-grant --enterprise ${ENTERPRISE} ${OFFICE}`)
  await done(`policy close innovation-grant ${OFFICE}`)
  await refused(`policy close innovation-grant ${OFFICE}`)
})

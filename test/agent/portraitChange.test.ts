/** Agents and changes of the data portrait: none goes by a rule that is no longer in force. */

import path from 'node:path'
import t from 'tap'
import { dataPortrait, view } from '../../src/agent/contractClient.js'
import { datasetSamples } from '../../src/agent/dataset/generate.js'
import { EnterpriseProxy } from '../../src/agent/enterpriseProxy.js'
import { portraitKeysIn } from '../../src/agent/portraitKeyFile.js'
import { Requester } from '../../src/agent/requester.js'
import { CHANGE_STATUS } from '../../src/contracts/codes.js'
import { DataValidation, profilesByName } from '../../src/contracts/dataFunctions.js'
import type { DataProfile } from '../../src/contracts/genesisTypes.js'
import { NO_TERMS } from '../../src/contracts/sharingTerms.js'
import { attributeId, textId } from '../../src/contracts/textId.js'
import { type Account, declarationOf, World } from './support/world.js'

const company = datasetSamples({ records: 500 }).complete

/** Proposes the entry of `attribute` with changes, as its supervisor. */
async function change(
  world: World,
  by: Account,
  attribute: string,
  changes: (profile: DataProfile) => Partial<DataProfile>,
  effectiveAt = 0n,
): Promise<bigint> {
  const connection = world.connect(by)
  const id = attributeId(attribute)
  const {
    encryptionKey: _,
    keyEpoch: __,
    ...profile
  } = await view(connection.client, dataPortrait, 'dataProfileOf', { attribute: id })
  const whole = { ...profile, encryptionKey: `0x${'00'.repeat(32)}` as const, keyEpoch: 0n }
  const dataProfile = { ...whole, ...changes(whole as DataProfile) } as DataProfile
  const proposal = { dataProfile, terms: NO_TERMS, details: { description: '', codes: [] }, reason: '', effectiveAt }
  await connection.sender.final(await connection.sender.send(dataPortrait, 'proposeChange', proposal))
  const { ids } = await view(connection.client, dataPortrait, 'openChanges', { before: 0n })
  return ids[0] ?? 0n
}

t.test('profiles that are kept end with the height at which a change is in force', async (t) => {
  const world = new World({ companies: [company] })
  const { directory } = world.connect(world.asker)
  const market = world.department('market-regulation')
  const budget = async () => (await directory.profiles()).get('employees')!.rule.digestBudget
  t.equal(await budget(), 5)
  const at = world.chain.height + 4
  await change(world, market, 'employees', ({ rule }) => ({ rule: { ...rule, digestBudget: 3 } }), BigInt(at))
  await new Promise((resolve) => setImmediate(resolve))
  while (world.chain.height < at - 1) world.chain.seal()
  t.equal(await budget(), 5, 'a block before')
  const kept = await directory.profiles()
  t.equal(await directory.profiles(), kept, 'kept')
  world.chain.seal()
  t.equal(await budget(), 3, 'with its block')
  const settled = await directory.profiles()
  world.chain.seal()
  t.equal(await directory.profiles(), settled, 'and kept from then on')
  world.close()
})

t.test('a question that was open when schema and supervisors changed ends, and the next one is answered', async (t) => {
  const world = new World({ companies: [company] })
  const market = world.department('market-regulation')
  const patents = world.department('intellectual-property')
  const portraitKeyFile = path.join(t.testdir(), 'key.json')
  const enterprise = world.enterprises.get(company)!
  const services = await world.serveAll()
  await new EnterpriseProxy({ portraitKeys: portraitKeysIn(portraitKeyFile) }, world.connect(enterprise)).submit(
    declarationOf(company),
  )
  await Promise.all(services.map((service) => service.stop()))
  const enterpriseId = textId(company.truth.unifiedSocialCreditCode)
  const ask = (answerTimeoutMs: number) => {
    const options = { encryptionKeys: [world.asker.encryption.privateKey], answerTimeoutMs }
    return new Requester(options, world.connect(world.asker)).verify({
      enterpriseId,
      values: new Map([['employees', company.truth.employees]]),
    })
  }
  const [asked] = (await ask(100)).attributes
  t.equal(asked!.status, 'unanswered', 'nobody is there')
  const id = await change(world, market, 'employees', ({ schema, schemaVersion }) => ({
    schema: { ...schema, lengthMax: schema.lengthMax - 1 },
    schemaVersion: schemaVersion + 1,
    supervisors: [patents.address],
  }))
  const { client, sender } = world.connect(patents)
  await sender.final(await sender.send(dataPortrait, 'approveChange', { id }))
  t.equal((await view(client, dataPortrait, 'changeOf', { id })).status, CHANGE_STATUS.settled)
  const again = await world.serveAll()
  const [answered] = (await ask(5_000)).attributes
  t.match(answered, { fromPortrait: false, attesters: [{ address: patents.address }] }, 'by the new supervisor')
  t.equal(answered!.status, 'missing', 'which holds no such record')
  await Promise.all(again.map((service) => service.stop()))
  t.notOk(
    world.logged.some((line) => line.startsWith('error')),
    'the old supervisor takes no harm',
  )
  world.close()
})

t.test('values outside a list of codes are refused before they are sealed', async (t) => {
  const schema = { valueType: 5, checksum: 0, caseRule: 1, scale: 0, lengthMax: 8, min: 0n, max: 0n }
  const rule = {
    quorum: 0,
    askerRoles: 4,
    basis: 0,
    delivery: 0,
    validityBlocks: 0n,
    deadlineBlocks: 0n,
    digestBudget: 0,
  }
  const attribute = attributeId('kind')
  const zero = `0x${'00'.repeat(32)}` as const
  const profile = {
    attribute,
    schemaVersion: 1,
    schema,
    supervisors: [],
    encryptionKey: zero,
    keyEpoch: 0n,
    rule,
  } as unknown as DataProfile
  const profiles = profilesByName([profile], [{ attribute, codes: [textId('A1')] }])
  t.same(DataValidation(profiles, new Map([['kind', 'a1']])).values.get('kind'), 'A1')
  t.match(DataValidation(profiles, new Map([['kind', 'A2']])).errors, [{ attribute: 'kind', code: 'NOT_LISTED' }])
})

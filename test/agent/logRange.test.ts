/** Log searches at nodes whose operators allow fewer blocks than usual. */

import t, { type Test } from 'tap'
import { datasetSamples } from '../../src/agent/dataset/generate.js'
import { readEvents } from '../../src/agent/department/events.js'
import { EnterpriseProxy } from '../../src/agent/enterpriseProxy.js'
import { portraitKeysIn } from '../../src/agent/portraitKeyFile.js'
import { createPortraitKeyring } from '../../src/agent/portraitKeyring.js'
import { textId } from '../../src/contracts/textId.js'
import { RpcError } from '../../src/rpc/errors.js'
import { type Account, declarationOf, World } from './support/world.js'

const company = datasetSamples({ records: 500 }).complete
const enterpriseId = textId(company.truth.unifiedSocialCreditCode)

/** A chain with a submission, then some blocks with nothing in them. */
async function submitted(t: Test): Promise<World> {
  const world = new World({ companies: [company] })
  t.teardown(() => world.close())
  const portraitKeyFile = `${t.testdir()}/portrait.json`
  const connection = world.connect(world.enterprises.get(company) as Account)
  await new EnterpriseProxy(
    { portraitKeys: portraitKeysIn(portraitKeyFile), acknowledgeTimeoutMs: 0 },
    connection,
  ).submit(declarationOf(company))
  for (let i = 0; i < 20; i++) world.chain.seal()
  world.chain.logSpans.length = 0
  return world
}

/** What a key is searched with: envelopes that stand in transactions need no node. */
function needsOf(world: World) {
  const { client, deliveries } = world.connect(world.asker)
  return { client, deliveries }
}

for (const limit of [7, 1]) {
  t.test(`events and portrait keys are found ${limit} blocks at a time`, async (t) => {
    const world = await submitted(t)
    const { chain } = world
    const self = world.department('market-regulation').address
    const whole = await readEvents(chain.client(), self, [], 0, chain.height)
    t.equal(whole.toHeight, chain.height)
    t.ok(whole.events.length > 0)
    chain.logRangeBlocksMax = limit
    const parts = []
    for (let from = 0; from <= chain.height; ) {
      const page = await readEvents(chain.client(), self, [], from, chain.height)
      t.ok(page.toHeight >= from && page.toHeight < from + limit)
      parts.push(...page.events)
      from = page.toHeight + 1
    }
    t.same(parts, whole.events)
    const { address, encryption } = world.asker
    const options = { chainId: chain.chainId, self: async () => address, encryptionKeys: [encryption.privateKey] }
    t.match(await createPortraitKeyring(options, needsOf(world)).get(enterpriseId), { version: 1 })
  })
}

t.test('one block that is refused is not asked for for ever', async (t) => {
  const world = await submitted(t)
  const { chain, asker } = world
  chain.logRangeBlocksMax = 0
  await t.rejects(readEvents(chain.client(), asker.address, [], 0, chain.height), RpcError)
  const options = {
    chainId: chain.chainId,
    self: async () => asker.address,
    encryptionKeys: [asker.encryption.privateKey],
  }
  await t.rejects(createPortraitKeyring(options, needsOf(world)).get(enterpriseId), RpcError)
  t.ok(chain.logSpans.length <= 24, `${chain.logSpans.length} searches`)
})

/** The examples of the contracts for documents, credentials and provenance run, and show what they say. */
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { bill } from '../../examples/contracts/bill.js'
import { documents } from '../../examples/contracts/documents.js'
import { farmersMarket } from '../../examples/contracts/farmersMarket.js'
import { type Desk, register } from '../../examples/contracts/network.js'
import { batchHistory } from '../../src/agent/batchHistory.js'
import { batchPage } from '../../src/cli/batchPage.js'
import { textId } from '../../src/contracts/textId.js'
import { World } from '../agent/support/world.js'

/** The examples' desk on a chain in memory. */
function deskOn(world: World): Desk {
  const accounts = new Map([...world.departments, ['government-service', world.asker], ['operator', world.operator]])
  return {
    member: async (name) => world.connect(accounts.get(name)!),
    async enterprise(name, id) {
      const privateKey = new Uint8Array(randomBytes(32))
      const operator = world.connect(world.operator)
      await register(operator, privateKey, name, id)
      operator.close()
      return world.connect({ privateKey })
    },
  }
}

async function run(example: (desk: Desk, say: (line: string) => void) => Promise<void>) {
  const world = new World({ companies: [] })
  const said: string[] = []
  await example(deskOn(world), (line) => said.push(line))
  return { world, said }
}

t.test('documents', async (t) => {
  const { world, said } = await run(documents)
  t.match(said.slice(1), [
    'a true copy: 2 members vouch for it',
    'one digit changed: 0 members vouch for it',
    'withdrawn by the auditor: true, in its place the correction',
  ])
  await world.close()
})

t.test('bill', async (t) => {
  const { world, said } = await run(bill)
  t.same(said.slice(1), [
    'the payer has it and checks what it was given: valid',
    'paid: redeemed',
    'a second time: refused (WrongState)',
  ])
  await world.close()
})

t.test("farmers' market, and its page for the public", async (t) => {
  const { world, said } = await run(farmersMarket)
  t.match(said, [
    /harvested by Green Slope Farm/,
    /inspected by .* \(no residue found\)/,
    /delivered by Corner Tea Shop/,
    'now with Corner Tea Shop; recalled: laboratory report 88',
    'the blend made from it is recalled because of tea-2026-07',
  ])
  const client = world.chain.client()
  const page = batchPage(await batchHistory(client, textId('house-blend-19')))
  t.match(page, /Recalled \(batch tea-2026-07, which it was made from\): do not use/)
  const hostile = { ...(await batchHistory(client, textId('tea-2026-07'))), product: '<script>alert("x")</script>' }
  t.notMatch(batchPage(hostile), '<script>', 'what others wrote is text')
  await world.close()
})

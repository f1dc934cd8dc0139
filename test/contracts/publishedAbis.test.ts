import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import type { Abi } from 'viem'
import { publishedAbis } from '../../src/contracts/publishedAbis.js'

t.test('abi/ holds what the contracts declare (npm run abi writes it)', async (t) => {
  const published = publishedAbis()
  t.same(readdirSync('abi').sort(), [...published.keys()].sort())
  for (const [file, text] of published) t.equal(readFileSync(`abi/${file}`, 'utf8'), text, file)
})

t.test('events say all that the ABI specification asks for, as the Solidity compiler writes it', async (t) => {
  for (const [file, text] of publishedAbis()) {
    const events = (JSON.parse(text) as Abi).filter((item) => item.type === 'event')
    for (const { name, anonymous, inputs } of events) {
      t.equal(anonymous, false, `${file}: ${name}`)
      t.ok(
        inputs.every(({ indexed }) => typeof indexed === 'boolean'),
        `${file}: ${name} says which arguments are indexed`,
      )
    }
  }
})

import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { publishedAbis } from '../../src/contracts/publishedAbis.js'

t.test('abi/ holds what the contracts declare (npm run abi writes it)', async (t) => {
  const published = publishedAbis()
  t.same(readdirSync('abi').sort(), [...published.keys()].sort())
  for (const [file, text] of published) t.equal(readFileSync(`abi/${file}`, 'utf8'), text, file)
})

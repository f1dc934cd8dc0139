/** Writes abi/*.json from the contracts: `npm run abi`. */
import { writeFileSync } from 'node:fs'
import { publishedAbis } from '../src/contracts/publishedAbis.js'

for (const [file, text] of publishedAbis()) {
  writeFileSync(`abi/${file}`, text)
  console.log(`abi/${file}`)
}

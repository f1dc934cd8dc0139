/** What the quick starts show is what the examples run (test/examples/client.test.ts, test/network/clients.test.ts). */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'

const PAGES = ['docs/quick-start.md', 'docs/quick-start-ethereum.md']

for (const page of PAGES) {
  const text = readFileSync(page, 'utf8')
  t.test(`${page}: every snippet of TypeScript is an example`, async (t) => {
    const shown = [...text.matchAll(/<!-- (\S+) -->\n```ts\n([\s\S]*?)```/g)]
    t.equal(shown.length, text.match(/^```ts$/gm)?.length, 'each names its file')
    for (const [, file, snippet] of shown) {
      const example = readFileSync(file!, 'utf8')
      t.equal(snippet, example.slice(example.indexOf('import ')), `${file}`)
    }
  })

  t.test(`${page}: links lead somewhere`, async (t) => {
    for (const [, target] of text.matchAll(/\]\(([^)#]+)\)/g))
      t.ok(existsSync(join(dirname(page), target!)), `${target}`)
  })
}

t.test('every function of the library is in an example', async (t) => {
  const examples = readdirSync('examples/client').map((file) => readFileSync(join('examples/client', file), 'utf8'))
  const names = Object.entries(await import('concordat/client')).flatMap(([name, value]) => {
    const isClass = typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))
    return typeof value === 'function' && !isClass ? [name] : []
  })
  const missing = names.filter((name) => !examples.some((text) => new RegExp(`\\b${name}\\b`).test(text)))
  t.same(missing, [])
})

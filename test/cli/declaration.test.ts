/** `concordat declaration` without a network. */
import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { parseDeclaration } from '../../src/agent/declaration.js'
import { progressText } from '../../src/cli/bulk/progressLine.js'
import { toHex } from '../../src/core/bytes.js'
import { runHere } from './inProcess.js'

const EXAMPLE = path.join(process.cwd(), 'examples/declarations/english')

function run(dir: string, ...args: string[]) {
  return runHere(dir, 'declaration', ...args)
}

t.test('from a folder of forms to a proof of one document', async (t) => {
  const dir = t.testdir()
  cpSync(EXAMPLE, path.join(dir, 'pack'), { recursive: true })
  rmSync(path.join(dir, 'pack/manifest.json'))
  t.match((await run(dir, 'init', 'pack', '--enterprise', '915101040002025182', '--json')).status, 0)
  t.equal(statSync(path.join(dir, 'pack/manifest.json')).mode & 0o077, 0, 'the salt is for its owner')
  const checked = await run(dir, 'check', 'pack', '--offline', '--json')
  t.equal(checked.status, 0)
  const { documentHash, values, undeclared } = JSON.parse(checked.stdout)
  const capital = values.find((row: { attribute: string }) => row.attribute === 'paidUpCapital')
  t.match(capital, { value: '1234567', place: 'registration.csv, row 5, field B' })
  t.ok(undeclared.includes('bankAccount'))
  t.equal((await run(dir, 'prove', 'pack', '--file', 'audit/report-2025.txt')).status, 0)
  t.ok(existsSync(path.join(dir, 'report-2025.txt.proof.json')))
  const verify = (file: string, ...more: string[]) =>
    run(dir, 'verify-file', file, '--proof', 'report-2025.txt.proof.json', ...more)
  t.equal((await verify('pack/audit/report-2025.txt', '--document-hash', documentHash)).status, 0)
  t.match(await verify('pack/rights.csv', '--document-hash', documentHash), {
    status: 1,
    stderr: /is not the file audit/,
  })
  t.match(await verify('pack/audit/report-2025.txt'), { status: 2, stderr: /a proof alone proves nothing/ })
})

t.test('a plain file is hashed and proved with the portrait key', async (t) => {
  const keyBytes = new Uint8Array(32).fill(0x11)
  const keys = [
    { version: 1, key: toHex(keyBytes) },
    { version: 2, key: `0x${'22'.repeat(32)}` },
  ]
  const enterpriseId = `0x${Buffer.from('915101040002025182').toString('hex').padEnd(64, '0')}`
  const dir = t.testdir({ 'd.json': JSON.stringify({ enterprise: '915101040002025182', values: { employees: '7' } }) })
  writeFileSync(path.join(dir, 'keys.json'), JSON.stringify({ enterpriseId, keys }), { mode: 0o600 })
  t.match(await run(dir, 'hash', 'd.json'), { status: 2, stderr: /--portrait-key-file/ })
  const proved = await run(
    dir,
    'prove',
    'd.json',
    '--portrait-key-file',
    'keys.json',
    '--portrait-version',
    '1',
    '--json',
  )
  const { documentHash } = JSON.parse(proved.stdout)
  t.equal(documentHash, parseDeclaration(readFileSync(path.join(dir, 'd.json')), 'd.json').documentHash(keyBytes))
  t.equal(
    (await run(dir, 'verify-file', 'd.json', '--proof', 'd.json.proof.json', '--document-hash', documentHash)).status,
    0,
  )
})

t.test('what is wrong is told with its place, all at once', async (t) => {
  const dir = t.testdir()
  cpSync(EXAMPLE, path.join(dir, 'pack'), { recursive: true })
  writeFileSync(path.join(dir, 'pack/rights.csv'), 'Kind,Number\nSecret,A1\nDesign,\n')
  const { status, stderr } = await run(dir, 'check', 'pack', '--offline')
  t.equal(status, 1)
  t.match(stderr, /rights.csv, row 2, field A: must be one of/)
  t.match(stderr, /rights.csv, row 3: needs a value under/)
})

t.test('progress: rate and time left', async (t) => {
  const progress = { phase: 'submit', total: 1000, done: 100, failed: 1, waiting: 20, perSecond: 10 } as const
  t.equal(
    progressText(progress),
    'submitting: 100 of 1000 done, 20 wait for departments, 1 failed, 10.0 a second, 88 s left',
  )
  t.match(progressText({ ...progress, total: 100_000 }), /167 min left|3 h left/)
  t.notMatch(progressText({ ...progress, perSecond: 0 }), /left/)
})

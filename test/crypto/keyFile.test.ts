/** Key files: what opens, what is refused and says what to do, and what is never overwritten. */
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { toHex } from '../../src/core/bytes.js'
import { keystoreBytesMax } from '../../src/core/limits.js'
import { KeyFileError, readKeyFile, writeKeyFile } from '../../src/crypto/keyFile.js'
import { encryptKeystore } from '../../src/crypto/keystore.js'

const KEY = Uint8Array.from({ length: 32 }, (_, i) => 0xa0 + i)
const HEX = toHex(KEY).slice(2)
const dir = t.testdir()

function file(name: string, text: string, mode = 0o600): string {
  const path = join(dir, name)
  writeFileSync(path, text, { mode })
  chmodSync(path, mode)
  return path
}

t.test('plain hex', async (t) => {
  const forms = { bare: HEX, prefixed: `0x${HEX}`, upper: HEX.toUpperCase(), spaced: `\n ${HEX} \r\n` }
  for (const [name, text] of Object.entries(forms)) {
    const key = await readKeyFile(file(name, text))
    t.equal(toHex(key), toHex(KEY), name)
    t.equal(Object.getPrototypeOf(key), Uint8Array.prototype, 'no Buffer')
  }
  t.same(await readKeyFile(file('read-only', HEX, 0o400)), KEY)
})

t.test('what is written opens again, for its owner alone, and is never replaced', async (t) => {
  const path = join(dir, 'new.key')
  const umask = process.umask(0)
  t.teardown(() => process.umask(umask))
  writeKeyFile(path, KEY)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.same(await readKeyFile(path), KEY)
  t.throws(() => writeKeyFile(path, new Uint8Array(32)), { code: 'EXISTS', message: /move it away first/ })
  t.equal(readFileSync(path, 'utf8'), `${toHex(KEY)}\n`)
  t.throws(() => writeKeyFile(join(dir, 'absent', 'new.key'), KEY), { code: 'ENOENT' })
})

t.test('keystore V3 with a password file', async (t) => {
  const keystore = file('keystore', JSON.stringify(await encryptKeystore(KEY, 'pass word ', { scryptN: 4 })))
  for (const [name, text] of [
    ['plain', 'pass word '],
    ['line', 'pass word \n'],
    ['crlf', 'pass word \r\n'],
  ] as const)
    t.same(await readKeyFile(keystore, file(name, text)), KEY, name)
  await t.rejects(readKeyFile(keystore), { code: 'PASSWORD_MISSING', message: /passwordFile/ })
  await t.rejects(readKeyFile(keystore, file('wrong', 'password')), { code: 'WRONG_PASSWORD' })
  await t.rejects(readKeyFile(keystore, file('two lines', 'pass word \n\n')), { code: 'WRONG_PASSWORD' })
  await t.rejects(readKeyFile(keystore, file('open password', 'pass word ', 0o640)), { code: 'TOO_OPEN' })
  await t.rejects(readKeyFile(keystore, join(dir, 'no password')), { code: 'UNREADABLE' })
  t.same(await readKeyFile(file('plain key', HEX), join(dir, 'no password')), KEY, 'a plain key needs none')
  await t.rejects(readKeyFile(file('json', '{}'), file('p', 'x')), { code: 'UNSUPPORTED_VERSION' })
})

t.test('files that cannot be used, and messages without key material', async (t) => {
  mkdirSync(join(dir, 'folder'), { mode: 0o700 })
  const cases: [string, string, RegExp][] = [
    ['UNREADABLE', join(dir, 'absent.key'), /cannot read the key file .*absent\.key/],
    ['UNREADABLE', join(dir, 'folder'), /cannot read the key file/],
    ['MALFORMED', file('empty', ''), /neither 64 hex digits nor a keystore/],
    ['MALFORMED', file('short', HEX.slice(1)), /neither/],
    ['MALFORMED', file('long', `${HEX}0`), /neither/],
    ['MALFORMED', file('not hex', HEX.replace('a', 'g')), /neither/],
    ['MALFORMED', file('large', HEX.padEnd(keystoreBytesMax + 1)), /has 16385 bytes; a key file has at most 16384/],
  ]
  for (const mode of [0o604, 0o640, 0o620, 0o601])
    cases.push(['TOO_OPEN', file(`mode ${mode.toString(8)}`, HEX, mode), /chmod 600 .*mode/])
  for (const [code, path, message] of cases) {
    const error = await readKeyFile(path).catch((caught: unknown) => caught)
    t.ok(error instanceof KeyFileError, path)
    t.match(error, { code, message })
    t.notMatch((error as Error).message, new RegExp(HEX.slice(1, 20), 'i'))
  }
  t.same(await readKeyFile(file('at the limit', HEX.padEnd(keystoreBytesMax))), KEY)
})

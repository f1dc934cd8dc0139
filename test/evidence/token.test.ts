/** Time stamps of an authority that OpenSSL plays: what it signs is verified here, and what is kept here OpenSSL verifies. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { p521 } from '@noble/curves/nist.js'
import t from 'tap'
import { exportEvidence } from '../../src/agent/evidence/exportEvidence.js'
import { bytesToUint, concatBytes, fromHex, toHex } from '../../src/core/bytes.js'
import { recoverAddress } from '../../src/crypto/secp256k1.js'
import { readEvidence, writeEvidence } from '../../src/evidence/format.js'
import { derInteger, parse } from '../../src/evidence/token/der.js'
import { form, readParts } from '../../src/evidence/token/form.js'
import { imprintOf, readToken, timeStampRequest, tokenOf } from '../../src/evidence/token.js'
import { verifyEvidence } from '../../src/evidence/verify.js'
import { Authority, type Extensions, KINDS, skipWithoutOpenssl } from './authority.js'
import { EvidenceChain, KEYS, TINY } from './chain.js'

const MAIN = join(process.cwd(), 'dist/src/cli/main.js')

async function tiny(t: Parameters<EvidenceChain['serve']>[0]) {
  const chain = await EvidenceChain.open(TINY)
  const hash = chain.send(KEYS.operator, 'members', 'memberCount', {})
  await chain.block([0])
  const { text, report } = await exportEvidence(await chain.serve(t), { kind: 'transaction', hash })
  return { text, report, genesisHash: chain.genesisHash }
}

for (const [name, kind] of Object.entries(KINDS)) {
  t.test(`a token with ${name}`, { skip: skipWithoutOpenssl }, async (t) => {
    const { text, report, genesisHash } = await tiny(t)
    const dir = t.testdir()
    const authority = new Authority(join(dir, 'one'), kind)
    const stranger = new Authority(join(dir, 'two'), kind)
    const request = timeStampRequest(report.last.hash)
    t.match(authority.run('version'), /OpenSSL/)
    for (const withRoot of [false, true]) {
      const token = await tokenOf(authority.reply(request, withRoot), [])
      const stamped = writeEvidence({ ...readEvidence(text), token: toHex(token) })
      const options = { genesisHash, recover: recoverAddress }
      const unchecked = await verifyEvidence(stamped, options)
      t.match(unchecked.timeStamp, { authority: 'Time, Stamp One', isTrusted: false })
      t.match(unchecked.words.join('\n'), /time attested by Time, Stamp One: block 1 .* WHO THAT IS WAS NOT CHECKED/)
      const checked = await verifyEvidence(stamped, { ...options, authorities: [authority.root] })
      t.equal(checked.timeStamp?.isTrusted, true)
      await t.rejects(verifyEvidence(stamped, { ...options, authorities: [stranger.root] }), { code: 'TOKEN' })
      const later = Date.now() - Date.parse(checked.timeStamp!.time)
      t.ok(later > -5_000 && later < 600_000, 'the time of the authority')
      const imprint = toHex(imprintOf(report.last.hash)).slice(2)
      t.ok(authority.takes(token, imprint), 'OpenSSL takes it as it is kept')
    }
    const completed = await tokenOf(authority.reply(request, false), [authority.root])
    t.same(completed.length > (await tokenOf(authority.reply(request, false), [])).length, true, 'its root was put in')
    await readToken(completed, report.last.hash, [authority.root])
  })
}

t.test('what is no time stamp of the block', { skip: skipWithoutOpenssl }, async (t) => {
  const { report } = await tiny(t)
  const dir = t.testdir()
  const authority = new Authority(join(dir, 'one'), KINDS.ecdsa)
  const other = `0x${'11'.repeat(32)}` as const
  const answer = authority.reply(timeStampRequest(other), true)
  const token = await tokenOf(answer, [])
  await t.rejects(readToken(token, report.last.hash, []), { code: 'TOKEN', message: /is not of block/ })
  await readToken(token, other, [])
  await t.rejects(tokenOf(Uint8Array.of(0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02), []), {
    message: /refused \(status 2\)/,
  })
  const refused = authority.reply(fromHex('0x3003020101'), false)
  await t.rejects(tokenOf(refused, []), { message: /refused/ })
  const wrongUse = new Authority(join(dir, 'two'), KINDS.ecdsa, { usage: 'other' })
  t.throws(
    () => wrongUse.reply(timeStampRequest(other), false),
    'OpenSSL itself refuses to stamp with such a certificate',
  )
})

const HASH = `0x${'11'.repeat(32)}` as const
const IMPRINT = toHex(imprintOf(HASH)).slice(2)
const REQUEST = timeStampRequest(HASH)

/** The other signature (r, n - s) over P-521 in place of one that ends the bytes; undefined where it is longer or shorter. */
function twin(bytes: Uint8Array): Uint8Array | undefined {
  for (let at = bytes.length - 3; at > 0; at--) {
    const head = bytes[at + 1] === 0x81 ? 3 : 2
    if (bytes[at] !== 0x30 || at + head + bytes[at + head - 1]! !== bytes.length || bytes[at + head] !== 2) continue
    const s = at + head + 2 + bytes[at + head + 1]!
    const low = bytesToUint(bytes.subarray(s + 2))
    const other = derInteger(p521.Point.Fn.ORDER - low).subarray(2)
    return other.length === bytes.length - s - 2 ? concatBytes(bytes.subarray(0, s + 2), other) : undefined
  }
  return undefined
}

/** The first of what is made that has a twin of its own length: about half have. */
function withTwin(make: () => Uint8Array): readonly [Uint8Array, Uint8Array] {
  for (let attempt = 0; attempt < 64; attempt++) {
    const bytes = make()
    const other = twin(bytes)
    if (other !== undefined) return [bytes, other]
  }
  throw new Error('no signature had a twin of its length')
}

t.test('an ECDSA signature and its twin', { skip: skipWithoutOpenssl }, async (t) => {
  const authority = new Authority(join(t.testdir(), 'one'), KINDS.p521)
  const [answer, other] = withTwin(() => authority.reply(REQUEST, false))
  t.ok(authority.takes(other.subarray(-parse(other).items[1]!.raw.length), IMPRINT), 'OpenSSL takes the twin')
  const token = await tokenOf(answer, [])
  t.same(await tokenOf(other, []), token, 'both are kept in one form')
  const stamp = await readToken(token, HASH, [authority.root])
  const twinOfToken = twin(token)
  t.ok(twinOfToken !== undefined && authority.takes(twinOfToken, IMPRINT))
  await t.rejects(readToken(twinOfToken!, HASH, [authority.root]), { code: 'TOKEN', message: /nothing signs/ })

  const [root, twinOfRoot] = withTwin(() => authority.selfSign('root'))
  const chained = await tokenOf(authority.reply(REQUEST, false), [root])
  const renamed = toHex(chained).replace(toHex(root).slice(2), toHex(twinOfRoot).slice(2))
  const genuine = await readToken(chained, HASH, [root])
  t.match(genuine, { authority: stamp.authority, isTrusted: true })
  const twinned = readToken(fromHex(renamed), HASH, [root])
  t.same(await twinned, genuine, "the twin in the root's certificate changes nothing of what is said")
})

t.test('certificates that certify others', { skip: skipWithoutOpenssl }, async (t) => {
  const dir = t.testdir()
  const chains: readonly (readonly [boolean, ...Extensions[]])[] = [
    [true, 'ca'],
    [true, 'ca', 'last'],
    [false, 'last', 'ca'],
    [false, 'signsNothing'],
    [false, 'constrained'],
  ]
  for (const [i, [holds, ...between]] of chains.entries()) {
    const authority = new Authority(join(dir, `${i}`), KINDS.ecdsa, { between })
    const title = between.join(' above ')
    const chain = [...between.keys()].reverse().map((n) => authority.certificate(`middle${n}`))
    const token = await tokenOf(authority.reply(REQUEST, true), chain)
    const leaf = form({ ...readParts(parse(token)), certificates: [authority.certificate('tsa')] })
    const whole = [authority.certificate('tsa'), ...chain, authority.root]
    const forced = form({ ...readParts(parse(token)), certificates: whole })
    if (title !== 'constrained') t.equal(authority.takes(leaf, IMPRINT), holds, `${title}: OpenSSL`)
    if (holds) {
      t.same(token, forced, `${title}: the whole chain is kept`)
      t.match(await readToken(token, HASH, [authority.root]), { isTrusted: true })
    } else {
      t.same(token, leaf, `${title}: only the signer's certificate is kept`)
      await t.rejects(readToken(forced, HASH, [authority.root]), { code: 'TOKEN', message: /certifies too much/ })
      await t.rejects(readToken(leaf, HASH, [authority.root]), { code: 'TOKEN', message: /not by an authority/ })
      t.match(
        await readToken(leaf, HASH, whole.slice(0, 1)),
        { isTrusted: true },
        'who trusts the signer needs no chain',
      )
    }
  }
})

t.test(
  'certificates that nothing needs, and names that would rule a terminal',
  { skip: skipWithoutOpenssl },
  async (t) => {
    const subject = '/O=Time\u001b[2J/CN=Stamp\u202e\u0085 \u65f6 One'
    const authority = new Authority(join(t.testdir(), 'one'), KINDS.ecdsa, { subject })
    const token = await tokenOf(authority.reply(REQUEST, true), [])
    const { authority: name } = await readToken(token, HASH, [])
    t.equal(name, 'Time\ufffd[2J, Stamp\ufffd\ufffd \u65f6 One')
    const parts = readParts(parse(token))
    const [leaf, root] = parts.certificates as [Uint8Array, Uint8Array]
    const again = authority.selfSign('again')
    for (const certificates of [
      [leaf, root, again],
      [leaf, root, root],
      [leaf, root, leaf],
      [leaf, leaf, root],
    ]) {
      await t.rejects(readToken(form({ ...parts, certificates }), HASH, [root]), { code: 'TOKEN' })
    }
    await readToken(form({ ...parts, certificates: [leaf, again] }), HASH, [root])
  },
)

t.test('commands', { skip: skipWithoutOpenssl }, async (t) => {
  const { text, genesisHash } = await tiny(t)
  const dir = t.testdir({ 'file.json': text })
  const authority = new Authority(join(dir, 'one'), KINDS.ecdsa)
  const cli = (...args: string[]) => spawnSync(process.execPath, [MAIN, 'evidence', ...args], { cwd: dir })
  const request = cli('timestamp', 'request', 'file.json')
  t.equal(request.status, 0)
  authority.reply(request.stdout, true)
  t.match(`${cli('timestamp', 'attach', 'file.json', 'one/response.tsr').stdout}`, /Stamp One attests 20/)
  const verified = cli('verify', 'file.json', '--genesis-hash', genesisHash, '--tsa-ca', 'one/root.pem')
  t.match(`${verified.stdout}`, /Everything in the file holds\.[\s\S]*leads to an authority that you trust/)
  const json = cli('verify', 'file.json', '--genesis-hash', genesisHash, '--json')
  t.match(JSON.parse(`${json.stdout}`), { timeStamp: { isTrusted: false }, content: { kind: 'transaction' } })
  const wrong = cli('verify', 'file.json', '--genesis-hash', `0x${'22'.repeat(32)}`)
  t.equal(wrong.status, 1)
  t.match(`${wrong.stderr}`, /the file is of chain 0x/)
  t.equal(cli('verify', 'file.json').status, 2)
  t.equal(cli('export', 'what?').status, 2)
})

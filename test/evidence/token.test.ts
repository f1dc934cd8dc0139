/** Time stamps of an authority that OpenSSL plays: what it signs is verified here, and what is kept here OpenSSL verifies. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { exportEvidence } from '../../src/agent/evidence/exportEvidence.js'
import { fromHex, toHex } from '../../src/core/bytes.js'
import { recoverAddress } from '../../src/crypto/secp256k1.js'
import { readEvidence, writeEvidence } from '../../src/evidence/format.js'
import { imprintOf, readToken, timeStampRequest, tokenOf } from '../../src/evidence/token.js'
import { verifyEvidence } from '../../src/evidence/verify.js'
import { Authority, KINDS, skipWithoutOpenssl } from './authority.js'
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
      writeFileSync(join(authority.dir, 'kept.der'), token)
      const imprint = toHex(imprintOf(report.last.hash)).slice(2)
      const said = authority.run(
        'ts',
        '-verify',
        '-in',
        'kept.der',
        '-token_in',
        '-digest',
        imprint,
        '-CAfile',
        'root.pem',
      )
      t.match(said, /Verification: OK/, 'OpenSSL takes it as it is kept')
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
  const wrongUse = new Authority(join(dir, 'two'), KINDS.ecdsa, 'other')
  t.throws(
    () => wrongUse.reply(timeStampRequest(other), false),
    'OpenSSL itself refuses to stamp with such a certificate',
  )
})

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

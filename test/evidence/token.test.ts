/** Time stamps of an authority that OpenSSL plays: what it signs is verified here, and what is kept here OpenSSL verifies. */
import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { exportEvidence } from '../../src/agent/evidence/exportEvidence.js'
import { fromHex, toHex } from '../../src/core/bytes.js'
import { recoverAddress } from '../../src/crypto/secp256k1.js'
import { readEvidence, writeEvidence } from '../../src/evidence/format.js'
import { imprintOf, readToken, timeStampRequest, tokenOf } from '../../src/evidence/token.js'
import { verifyEvidence } from '../../src/evidence/verify.js'
import { EvidenceChain, KEYS, TINY } from './chain.js'

const MAIN = join(process.cwd(), 'dist/src/cli/main.js')
const HAS_OPENSSL = spawnSync('openssl', ['version']).status === 0

const CONFIG = `
[ tsa ]
default_tsa = one
[ one ]
dir = .
serial = ./serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
ordering = no
tsa_name = no
ess_cert_id_alg = sha256
[ req ]
distinguished_name = dn
[ dn ]
[ ca ]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[ stamp ]
basicConstraints = CA:FALSE
extendedKeyUsage = critical, timeStamping
[ other ]
basicConstraints = CA:FALSE
extendedKeyUsage = critical, serverAuth
`

/** An authority below a root of its own. */
class Authority {
  constructor(
    readonly dir: string,
    kind: readonly string[],
    usage = 'stamp',
  ) {
    mkdirSync(dir, { recursive: true })
    writeFileSync(join(dir, 'tsa.cnf'), CONFIG)
    writeFileSync(join(dir, 'serial'), '01\n')
    const key = (name: string) => this.run('genpkey', ...kind, '-out', name)
    key('root.key')
    this.run(
      'req',
      '-x509',
      '-new',
      '-key',
      'root.key',
      '-subj',
      '/CN=Root',
      '-days',
      '3650',
      '-config',
      'tsa.cnf',
      '-extensions',
      'ca',
      '-out',
      'root.pem',
    )
    key('tsa.key')
    this.run('req', '-new', '-key', 'tsa.key', '-subj', '/O=Time/CN=Stamp One', '-config', 'tsa.cnf', '-out', 'tsa.csr')
    const signed = ['-CA', 'root.pem', '-CAkey', 'root.key', '-set_serial', '7', '-days', '3000']
    this.run(
      'x509',
      '-req',
      '-in',
      'tsa.csr',
      ...signed,
      '-extfile',
      'tsa.cnf',
      '-extensions',
      usage,
      '-out',
      'tsa.pem',
    )
  }

  run(...args: string[]): string {
    return execFileSync('openssl', args, { cwd: this.dir, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** Its answer; `withRoot`: with the whole chain of certificates. */
  reply(request: Uint8Array, withRoot: boolean): Uint8Array {
    writeFileSync(join(this.dir, 'request.tsq'), request)
    const chain = withRoot ? ['-chain', 'root.pem'] : []
    const signer = ['-signer', 'tsa.pem', '-inkey', 'tsa.key', ...chain]
    this.run('ts', '-reply', '-config', 'tsa.cnf', '-queryfile', 'request.tsq', ...signer, '-out', 'response.tsr')
    return new Uint8Array(readFileSync(join(this.dir, 'response.tsr')))
  }

  get root(): Uint8Array {
    return new Uint8Array(new X509Certificate(readFileSync(join(this.dir, 'root.pem'))).raw)
  }
}

const KINDS = {
  rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  ecdsa: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
}

async function tiny(t: Parameters<EvidenceChain['serve']>[0]) {
  const chain = await EvidenceChain.open(TINY)
  const hash = chain.send(KEYS.operator, 'members', 'memberCount', {})
  await chain.block([0])
  const { text, report } = await exportEvidence(await chain.serve(t), { kind: 'transaction', hash })
  return { text, report, genesisHash: chain.genesisHash }
}

for (const [name, kind] of Object.entries(KINDS)) {
  t.test(`a token with ${name}`, { skip: !HAS_OPENSSL && 'openssl is not here' }, async (t) => {
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
      await eachByte(t, token, report.last.hash, withRoot ? 9 : name === 'rsa' ? 5 : 1)
    }
    const completed = await tokenOf(authority.reply(request, false), [authority.root])
    t.same(completed.length > (await tokenOf(authority.reply(request, false), [])).length, true, 'its root was put in')
    await readToken(completed, report.last.hash, [authority.root])
  })
}

/** Single bytes altered: nothing in a token is free. */
async function eachByte(
  t: Parameters<EvidenceChain['serve']>[0],
  token: Uint8Array,
  hash: `0x${string}`,
  every: number,
) {
  const taken: number[] = []
  for (let at = 0; at < token.length; at += every) {
    const altered = token.with(at, token[at]! ^ (at % 2 === 0 ? 1 : 1 << (at % 8)))
    if (
      await readToken(altered, hash, []).then(
        () => true,
        () => false,
      )
    )
      taken.push(at)
  }
  t.same(taken, [], `${token.length} bytes`)
}

t.test('what is no time stamp of the block', { skip: !HAS_OPENSSL && 'openssl is not here' }, async (t) => {
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

t.test('commands', { skip: !HAS_OPENSSL && 'openssl is not here' }, async (t) => {
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

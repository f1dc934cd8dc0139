/** Time-stamp authorities that OpenSSL plays, below roots of their own. */
import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const HAS_OPENSSL = spawnSync('openssl', ['version']).status === 0
export const skipWithoutOpenssl = !HAS_OPENSSL && 'openssl is not here'

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
[ last ]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign
[ signsNothing ]
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature
[ constrained ]
basicConstraints = critical, CA:TRUE
nameConstraints = critical, permitted;dirName:permitted
[ permitted ]
O = Time
[ stamp ]
basicConstraints = CA:FALSE
extendedKeyUsage = critical, timeStamping
[ other ]
basicConstraints = CA:FALSE
extendedKeyUsage = critical, serverAuth
`
/** Extensions of a certificate, as the sections above name them. */
export type Extensions = 'ca' | 'last' | 'signsNothing' | 'constrained' | 'stamp' | 'other'

export interface AuthorityOptions {
  /** Of the signer; default: stamp. */
  readonly usage?: Extensions
  /** Authorities between root and signer, from the root down. */
  readonly between?: readonly Extensions[]
  readonly subject?: string
}

export class Authority {
  constructor(
    readonly dir: string,
    readonly kind: readonly string[],
    { usage = 'stamp', between = [], subject = '/O=Time/CN=Stamp One' }: AuthorityOptions = {},
  ) {
    mkdirSync(dir, { recursive: true })
    writeFileSync(join(dir, 'tsa.cnf'), CONFIG)
    writeFileSync(join(dir, 'serial'), '01\n')
    this.run('genpkey', ...kind, '-out', 'root.key')
    this.selfSign('root')
    let by = 'root'
    for (const [i, extensions] of between.entries()) {
      this.#certify(`middle${i}`, `/O=Time/CN=Middle ${i}`, by, extensions)
      by = `middle${i}`
    }
    this.#certify('tsa', subject, by, usage)
    const chain = ['root', ...between.map((_, i) => `middle${i}`)].map((name) => readFileSync(join(dir, `${name}.pem`)))
    writeFileSync(join(dir, 'chain.pem'), Buffer.concat(chain))
  }

  /** A certificate for the root's key by itself. */
  selfSign(name: string): Uint8Array {
    const what = ['-key', 'root.key', '-subj', '/CN=Root', '-days', '3650']
    this.run('req', '-x509', '-new', ...what, '-config', 'tsa.cnf', '-extensions', 'ca', '-out', `${name}.pem`)
    return this.certificate(name)
  }

  #certify(name: string, subject: string, by: string, extensions: Extensions): void {
    this.run('genpkey', ...this.kind, '-out', `${name}.key`)
    const asked = ['-key', `${name}.key`, '-utf8', '-subj', subject, '-config', 'tsa.cnf']
    this.run('req', '-new', ...asked, '-out', `${name}.csr`)
    const signed = ['-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial', '-days', '3000']
    const how = ['-extfile', 'tsa.cnf', '-extensions', extensions, '-out', `${name}.pem`]
    this.run('x509', '-req', '-in', `${name}.csr`, ...signed, ...how)
  }

  run(...args: string[]): string {
    return execFileSync('openssl', args, { cwd: this.dir, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** Its answer; `withChain`: with all certificates up to the root. */
  reply(request: Uint8Array, withChain: boolean): Uint8Array {
    writeFileSync(join(this.dir, 'request.tsq'), request)
    const chain = withChain ? ['-chain', 'chain.pem'] : []
    const signer = ['-signer', 'tsa.pem', '-inkey', 'tsa.key', ...chain]
    this.run('ts', '-reply', '-config', 'tsa.cnf', '-queryfile', 'request.tsq', ...signer, '-out', 'response.tsr')
    return new Uint8Array(readFileSync(join(this.dir, 'response.tsr')))
  }

  /** Whether OpenSSL itself takes a token over an imprint in hex, trusting the root alone. */
  takes(token: Uint8Array, imprint: string): boolean {
    writeFileSync(join(this.dir, 'kept.der'), token)
    const what = ['-in', 'kept.der', '-token_in', '-digest', imprint, '-CAfile', 'root.pem', '-untrusted', 'chain.pem']
    return spawnSync('openssl', ['ts', '-verify', ...what], { cwd: this.dir }).status === 0
  }

  get root(): Uint8Array {
    return this.certificate('root')
  }

  certificate(name: string): Uint8Array {
    return new Uint8Array(new X509Certificate(readFileSync(join(this.dir, `${name}.pem`))).raw)
  }
}

export const KINDS = {
  rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  ecdsa: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p521: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
}

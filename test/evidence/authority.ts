/** A time-stamp authority that OpenSSL plays, below a root of its own. */
import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const HAS_OPENSSL = spawnSync('openssl', ['version']).status === 0
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
[ stamp ]
basicConstraints = CA:FALSE
extendedKeyUsage = critical, timeStamping
[ other ]
basicConstraints = CA:FALSE
extendedKeyUsage = critical, serverAuth
`

export class Authority {
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

export const KINDS = {
  rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  ecdsa: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
}

import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { rpcTokenCharsMax, rpcTokenFileBytesMax } from '../../core/limits.js'
import { readSecret } from '../../crypto/keyFile.js'
import { ROLES, type Role } from '../../rpc/roles.js'
import { issueToken, newSigningKey, parseSigningKey } from '../../rpc/tokenIssuer.js'
import { parsePublicKeys, parseSecrets, secretKey, type TokenKey } from '../../rpc/tokenKeys.js'
import { readTokenText } from '../../rpc/tokenText.js'
import { CommandError, UsageError } from '../errors.js'
import { createOutput } from '../output.js'

/** `concordat token`: keys of which a node takes tokens, and the tokens of its clients. */
export function tokenCommand(): Command {
  const token = new Command('token').addHelpText(
    'after',
    '\nExample:\n  concordat token new --role read --secret rpc.secret --valid 30d --out reader.token',
  )
  token
    .command('secret <file>')
    .description('write a new shared secret (HS256), for rpc.auth.secretFile')
    .option('--add', 'put it before those that the file has: the old ones stay good until they are removed')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  concordat token secret rpc.secret')
    .action(makeSecret)
  token
    .command('keys <file>')
    .description('write a new signing key (ES256); the node gets the public half only')
    .requiredOption('--public <file>', 'JWK set for rpc.auth.publicKeysFile; the key is added to those that it has')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  concordat token keys issuer.key --public rpc.keys.json')
    .action(makeKeys)
  token
    .command('new')
    .description('make a token')
    .addOption(new Option('--role <role>', 'what it is good for').choices([...ROLES]).makeOptionMandatory())
    .option('--secret <file>', 'sign with the first secret of this file')
    .option('--signing-key <file>', 'sign with this private key (JWK)')
    .requiredOption('--valid <duration>', 'how long, like 12h, 30d, 52w')
    .option('--for <name>', 'who gets it, for the logs of the node')
    .option('--audience <text>', 'what rpc.auth.audience of the node says')
    .option('--out <file>', 'write it to this file, mode 0600, instead of printing it')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  concordat token new --role submit --secret rpc.secret --valid 30d --for registry',
    )
    .action(makeToken)
  token
    .command('show <file>')
    .description('what a token says of itself; its signature is not checked')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  concordat token show reader.token')
    .action(show)
  return token
}

interface JsonFlag {
  readonly json?: boolean
}

function makeSecret(file: string, { add = false, json = false }: JsonFlag & { readonly add?: boolean }): void {
  const secret = randomBytes(32)
  const { kid } = secretKey(secret)
  const before = add && existsSync(file) ? readSecret(file, rpcTokenFileBytesMax) : ''
  const text = `${secret.toString('hex')}  # ${kid}, ${new Date().toISOString().slice(0, 10)}\n${before}`
  parseSecrets(text, file)
  if (add) replacePrivate(file, text)
  else writeNew(file, text)
  const out = createOutput(json)
  out.line(`${file} has a new secret, ${kid}`)
  out.line(
    add
      ? 'the node takes it after SIGHUP; remove the old ones when nobody uses them any more'
      : `the node wants: rpc.auth.secretFile: ${file}`,
  )
  out.result({ file, kid })
}

async function makeKeys(file: string, { public: publicFile, json = false }: JsonFlag & { readonly public: string }) {
  const { privateKey, publicKey } = await newSigningKey()
  const known = existsSync(publicFile) ? publicKeysIn(publicFile) : []
  const text = `${JSON.stringify({ keys: [publicKey, ...known] }, null, 2)}\n`
  await parsePublicKeys(text, publicFile)
  writeNew(file, `${JSON.stringify(privateKey)}\n`)
  writeFileSync(`${publicFile}.tmp`, text)
  renameSync(`${publicFile}.tmp`, publicFile)
  const out = createOutput(json)
  out.line(`${file} signs tokens: keep it off the node; ${publicFile} is for the node (rpc.auth.publicKeysFile)`)
  out.result({ file, public: publicFile, kid: publicKey.kid })
}

function publicKeysIn(file: string): readonly unknown[] {
  try {
    const { keys } = JSON.parse(readFileSync(file, 'utf8')) as { keys?: unknown }
    if (Array.isArray(keys)) return keys
  } catch {
    // Said below.
  }
  throw new CommandError(`${file} holds no JWK set; name another file with --public`)
}

interface NewFlags extends JsonFlag {
  readonly role: Role
  readonly secret?: string
  readonly signingKey?: string
  readonly valid: string
  readonly for?: string
  readonly audience?: string
  readonly out?: string
}

async function makeToken(flags: NewFlags): Promise<void> {
  const { role, audience, for: subject, out: file, json = false } = flags
  const validSeconds = secondsOf(flags.valid)
  const key = await signingKeyOf(flags)
  const token = await issueToken(key, {
    role,
    validSeconds,
    ...(subject !== undefined && { subject }),
    ...(audience !== undefined && { audience }),
  })
  if (file !== undefined) writeNew(file, `${token}\n`)
  const out = createOutput(json)
  const { endsAt } = readTokenText(token)
  out.line(file === undefined ? token : `${file}: ${role}, until ${endsAt}`)
  out.result({ role, kid: key.kid, endsAt, ...(file === undefined ? { token } : { file }) })
}

function signingKeyOf({ secret, signingKey }: NewFlags): Promise<TokenKey> | TokenKey {
  if ((secret === undefined) === (signingKey === undefined)) {
    throw new UsageError('say what signs the token, one of: --secret FILE, --signing-key FILE')
  }
  if (signingKey !== undefined) return parseSigningKey(readSecret(signingKey), signingKey)
  return parseSecrets(readSecret(secret!, rpcTokenFileBytesMax), secret!)[0]!
}

const UNIT_SECONDS = new Map([
  ['m', 60],
  ['h', 3_600],
  ['d', 86_400],
  ['w', 7 * 86_400],
])

function secondsOf(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,5})([mhdw])$/.exec(text) ?? []
  if (count !== undefined) return Number(count) * UNIT_SECONDS.get(unit!)!
  throw new UsageError(`--valid: want a number and m, h, d or w, like 30d; got '${text}'`)
}

function show(file: string, { json = false }: JsonFlag): void {
  const said = readTokenText(readSecret(file, rpcTokenCharsMax).trim())
  const out = createOutput(json)
  out.table(
    ['claim', 'value'],
    Object.entries(said).map(([name, value]) => [name, value ?? '-']),
  )
  out.result(said)
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new CommandError(
      code === 'EEXIST' ? `${file} exists already; move it away first, it may be in use` : `cannot write: ${message}`,
    )
  }
}

/** In one step, so that a node never reads half of it. */
function replacePrivate(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text, { mode: 0o600 })
  renameSync(`${file}.tmp`, file)
}

import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { toHex } from '../../core/bytes.js'
import { readKeyFile } from '../../crypto/keyFile.js'
import { encryptKeystore } from '../../crypto/keystore.js'
import { privateKeyToAddress } from '../../crypto/secp256k1.js'
import { withSigner } from '../connectionFlags.js'
import { CommandError, UsageError } from '../errors.js'
import type { RotateFlags } from '../member/rotate.js'
import { createOutput } from '../output.js'

interface KeyFlags {
  readonly dir: string
  readonly passwordFile?: string
  readonly json?: boolean
}

const DEFAULT_DIR = join(homedir(), '.concordat', 'keys')

/** `concordat keys`: keystore V3 files, one a key, in a folder of mode 0700. */
export function keysCommand(): Command {
  const keys = new Command('keys').addHelpText('after', '\nExample:\n  concordat keys new --password-file password.txt')
  const sub = (name: string, description: string, example: string) =>
    keys
      .command(name)
      .description(description)
      .option('--dir <dir>', 'folder of the keystore files', DEFAULT_DIR)
      .option('--password-file <file>', 'file that holds the password (mode 0600)')
      .option('--json', 'print JSON')
      .addHelpText('after', `\nExample:\n  concordat keys ${example}`)
  sub('new', 'make a key and store it encrypted', 'new --password-file password.txt').action((flags: KeyFlags) =>
    store(randomBytes(32), flags),
  )
  sub(
    'import <file>',
    'store a plain hex key or another keystore file',
    'import node.key --password-file password.txt',
  ).action(async (file: string, flags: KeyFlags) => store(await readKeyFile(file, flags.passwordFile), flags))
  sub('list', 'addresses of the stored keys', 'list --dir keys').action((flags: KeyFlags) => list(flags))
  sub('address <file>', 'address of a key file', 'address node.key').action(async (file: string, flags: KeyFlags) => {
    const address = privateKeyToAddress(await readKeyFile(file, flags.passwordFile))
    const out = createOutput(flags.json ?? false)
    out.line(address)
    out.result({ address })
  })
  addRotate(keys)
  return keys
}

function addRotate(keys: Command): void {
  withSigner(keys.command('rotate').description("give the signer's member a new key"))
    .option('--as <name>', 'with --network: whose development key signs')
    .option('--signing', "the account's signing key")
    .option('--encryption', 'the key to which values are sealed')
    .requiredOption('--new-key-file <file>', 'the new key; made (mode 0600) when the file does not exist')
    .option('--prepare', 'only make the file and say what to configure')
    .option('--revoke-now', 'with --encryption: take no envelope to the former key any more, it is in wrong hands')
    .addHelpText(
      'after',
      '\nExample:\n  concordat keys rotate --encryption --new-key-file encryption2.key --network net --as finance\n\nStep by step: docs/operations-members.md',
    )
    // What talks to a node is loaded for this one alone.
    .action(async (flags: RotateFlags) => (await import('../member/rotate.js')).rotate(flags))
}

async function store(key: Uint8Array, flags: KeyFlags): Promise<void> {
  if (flags.passwordFile === undefined)
    throw new UsageError('name the file with the password: --password-file FILE (mode 0600)')
  const password = readFileSync(flags.passwordFile, 'utf8').replace(/\r?\n$/, '')
  if (password.length < 8) throw new UsageError('the password must have at least 8 characters')
  const address = privateKeyToAddress(key)
  mkdirSync(flags.dir, { recursive: true, mode: 0o700 })
  const file = join(flags.dir, `UTC--${new Date().toISOString().replaceAll(':', '-')}--${address.slice(2)}`)
  writeFileSync(file, JSON.stringify(await encryptKeystore(key, password)), { mode: 0o600, flag: 'wx' })
  const out = createOutput(flags.json ?? false)
  out.line(`${address}  ${file}`)
  out.result({ address, file })
}

function list(flags: KeyFlags): void {
  let names: string[]
  try {
    names = readdirSync(flags.dir).sort()
  } catch {
    throw new CommandError(
      `there is no key folder ${flags.dir}; make a key with: concordat keys new --password-file FILE`,
    )
  }
  const rows = names.flatMap((name) => {
    const address = /--([0-9a-f]{40})$/.exec(name)?.[1]
    return address === undefined ? [] : [{ address: toHex(Buffer.from(address, 'hex')), file: join(flags.dir, name) }]
  })
  const out = createOutput(flags.json ?? false)
  out.table(
    ['address', 'file'],
    rows.map((row) => [row.address, row.file]),
  )
  out.result(rows)
}

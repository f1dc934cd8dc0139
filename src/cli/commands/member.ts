import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { members, view } from '../../agent/contractClient.js'
import { readDeclaration } from '../../agent/declaration.js'
import { nameOf, ROLE, type RoleName, STATUS } from '../../contracts/codes.js'
import { idText, textId } from '../../contracts/textId.js'
import { asHash, type Hash, ZERO_HASH } from '../../core/bytes.js'
import { readKeyFile, writeKeyFile } from '../../crypto/keyFile.js'
import { privateKeyToAddress } from '../../crypto/secp256k1.js'
import { type ConnectionFlags, reading, signedIn, withNode, withSigner } from '../connection.js'
import { CommandError, UsageError } from '../errors.js'
import { createOutput } from '../output.js'

interface RegisterFlags extends ConnectionFlags {
  readonly role: string
  readonly id?: string
  readonly name?: string
  readonly declaration?: string
  readonly memberKeyFile: string
  readonly encryptionKey?: string
}

/** `concordat member`: who takes part. */
export function memberCommand(): Command {
  const member = new Command('member')
    .description('register and list enterprises, departments and auditors')
    .addHelpText('after', '\nExample:\n  concordat member list --network net')
  withSigner(
    member
      .command('register')
      .description('register a member; the operator signs (with --network: its development key)')
      .requiredOption('--role <role>', Object.keys(ROLE).join(', '))
      .requiredOption('--member-key-file <file>', "the new member's key; made when the file does not exist")
      .option('--id <id>', 'unified social credit code of an enterprise, short name of a department')
      .option('--name <name>', 'registered name')
      .option('--declaration <file>', 'take id and name of an enterprise from its declaration')
      .option('--encryption-key <hex>', 'X25519 public key, 0x and 64 hex digits'),
  )
    .addHelpText(
      'after',
      '\nExample:\n  concordat member register --network net --role enterprise --declaration declaration.json --member-key-file enterprise.key',
    )
    .action(register)
  withNode(member.command('list').description('all members, in order of registration'))
    .addHelpText('after', '\nExample:\n  concordat member list --network net --json')
    .action(list)
  return member
}

async function register(flags: RegisterFlags): Promise<void> {
  const role = ROLE[flags.role as RoleName]
  if (role === undefined)
    throw new UsageError(`--role must be one of ${Object.keys(ROLE).join(', ')}, got '${flags.role}'`)
  const { id, name } = await identityOf(flags)
  if (!existsSync(flags.memberKeyFile)) writeKeyFile(flags.memberKeyFile, new Uint8Array(randomBytes(32)))
  const account = privateKeyToAddress(await readKeyFile(flags.memberKeyFile))
  const encryptionKey = flags.encryptionKey === undefined ? ZERO_HASH : asHash(flags.encryptionKey, '--encryption-key')
  await signedIn(flags, 'operator', async ({ sender }) => {
    const hash = await sender.send(members, 'registerMember', { member: { account, role, id, name, encryptionKey } })
    const receipt = await sender.final(hash)
    if (receipt.status !== '0x1') throw new CommandError(`the registration was refused on chain (transaction ${hash})`)
    const block = Number(receipt.blockNumber)
    const out = createOutput(flags.json ?? false)
    out.line(`${name} is registered as ${flags.role} ${account}, final in block ${block}`)
    out.result({ account, role: flags.role, id: idText(id), name, block })
  })
}

async function identityOf(flags: RegisterFlags): Promise<{ id: Hash; name: string }> {
  if (flags.declaration !== undefined) {
    const { enterpriseId, values } = await readDeclaration(flags.declaration)
    const name = flags.name ?? values.get('companyName')
    if (name === undefined) throw new UsageError('the declaration has no companyName; give it with --name')
    return { id: enterpriseId, name }
  }
  if (flags.id === undefined || flags.name === undefined)
    throw new UsageError('give --id and --name, or --declaration FILE')
  return { id: textId(flags.id, '--id'), name: flags.name }
}

async function list(flags: ConnectionFlags): Promise<void> {
  const rows = await reading(flags, async (client) => {
    const count = Number(await view(client, members, 'memberCount', {}))
    const indices = Array.from({ length: count }, (_, index) => BigInt(index))
    const rows = []
    for (const index of indices) {
      const account = await view(client, members, 'memberAt', { index })
      const { id, name, role, status, keyEpoch, since } = await view(client, members, 'getMember', { account })
      rows.push({
        id: idText(id),
        name,
        role: nameOf(ROLE, role) ?? String(role),
        status: nameOf(STATUS, status) ?? String(status),
        account,
        keyEpoch: Number(keyEpoch),
        since: Number(since),
      })
    }
    return rows
  })
  const out = createOutput(flags.json ?? false)
  out.table(
    ['id', 'name', 'role', 'status', 'account', 'since block'],
    rows.map((row) => [row.id, row.name, row.role, row.status, row.account, row.since]),
  )
  out.result(rows)
}

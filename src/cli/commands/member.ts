import { Command } from 'commander'
import { members, view } from '../../agent/contractClient.js'
import { readDeclaration } from '../../agent/declaration.js'
import { transact } from '../../agent/transact.js'
import { ROLE, type RoleName } from '../../contracts/codes.js'
import { idText, textId } from '../../contracts/textId.js'
import { type Hash, ZERO_HASH } from '../../core/bytes.js'
import { privateKeyToAddress } from '../../crypto/secp256k1.js'
import { type ConnectionFlags, withNode } from '../connection.js'
import { UsageError } from '../errors.js'
import { hashArgument } from '../hexArgument.js'
import { acting, looking } from '../member/act.js'
import { addDecisions, withActor, withDefaultActor } from '../member/decisions.js'
import { keyIn } from '../member/keyFiles.js'
import { readDetails, readHistory, readMember, readPending, statusText } from '../member/read.js'
import { addRecovery } from '../member/recovery.js'
import { addSigners } from '../member/signers.js'
import { createOutput } from '../output.js'
import { type ActorFlags, memberAddress } from '../transact.js'

interface RegisterFlags extends ActorFlags {
  readonly role: string
  readonly id?: string
  readonly name?: string
  readonly declaration?: string
  readonly memberKeyFile: string
  readonly encryptionKey?: string
}

/** `concordat member`: who takes part. */
export function memberCommand(): Command {
  const member = new Command('member').addHelpText(
    'after',
    '\nExample:\n  concordat member list --network net\n\nStep by step: docs/operations-members.md',
  )
  withActor(
    member
      .command('register')
      .description('register a member, or propose to where more than one approver decides')
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
  withNode(member.command('show <member>').description('one member: its keys, its guardians, who decides on it'))
    .addHelpText('after', '\nExample:\n  concordat member show finance --network net')
    .action(show)
  withNode(member.command('history <member>').description('every change of its status, by whom and why'))
    .option('--at <block>', 'its status and signing key at the end of this block')
    .addHelpText('after', '\nExample:\n  concordat member history finance --network net --at 120')
    .action(history)
  addDecisions(member)
  addSigners(member)
  addRecovery(member)
  return member
}

async function register(flags: RegisterFlags): Promise<void> {
  const role = ROLE[flags.role as RoleName]
  if (role === undefined)
    throw new UsageError(`--role must be one of ${Object.keys(ROLE).join(', ')}, got '${flags.role}'`)
  const { id, name } = await identityOf(flags)
  const account = privateKeyToAddress(await keyIn(flags.memberKeyFile))
  const encryptionKey =
    flags.encryptionKey === undefined ? ZERO_HASH : hashArgument(flags.encryptionKey, '--encryption-key')
  const { block, registered } = await acting(withDefaultActor(flags), async (connection) => {
    const { block } = await transact(connection, members, 'registerMember', {
      member: { account, role, id, name, encryptionKey },
    })
    const open = await readPending(connection.client)
    return { block, registered: !open.some((one) => one.account === account) }
  })
  const out = createOutput(flags.json ?? false)
  out.line(
    registered
      ? `${name} is registered as ${flags.role} ${account}, final in block ${block}`
      : `the registration of ${name} as ${flags.role} ${account} waits for more approvers; see: concordat member pending`,
  )
  out.result({ account, role: flags.role, id: idText(id), name, block, registered })
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
  const rows = await looking(flags, async (client) => {
    const count = Number(await view(client, members, 'memberCount', {}))
    const rows = []
    for (let index = 0n; index < count; index++) {
      const { encryptionKey: _, ...row } = await readMember(client, await view(client, members, 'memberAt', { index }))
      rows.push(row)
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

async function show(text: string, flags: ConnectionFlags): Promise<void> {
  const shown = await looking(flags, async (client) => {
    const member = await readMember(client, await memberAddress(flags, client, text))
    return { ...member, ...(await readDetails(client, member.account, ROLE[member.role as RoleName])) }
  })
  const { recovery, decidedBy, delegates } = shown
  const readyAt = recovery?.readyAt ? `, may take over from block ${recovery.readyAt} on` : ''
  const fields = {
    ...{ id: shown.id, name: shown.name, role: shown.role, status: shown.status, account: shown.account },
    'since block': shown.since,
    'signs with': shown.accountKey === shown.account ? "the account's own key" : shown.accountKey,
    'other keys':
      delegates.map(({ signer, kind, from }) => `${signer} (${kind}, since block ${from})`).join('\n') || 'none',
    'encryption key': shown.encryptionKey === null ? 'none' : `${shown.encryptionKey} (epoch ${shown.keyEpoch})`,
    ...(shown.formerEncryptionKeyUntil && { 'former one until block': shown.formerEncryptionKeyUntil }),
    guardians: shown.guardians.length === 0 ? 'none' : `${shown.guardiansNeeded} of ${shown.guardians.join('\n')}`,
    ...(recovery && {
      recovery: `${recovery.newSigner}: ${recovery.approvals.length} of ${recovery.needed} guardians${readyAt}`,
    }),
    'decided on by': `${decidedBy.threshold} of ${[...decidedBy.roles.map((role) => `every ${role}`), ...decidedBy.approvers].join(', ')}`,
  }
  const out = createOutput(flags.json ?? false)
  out.table(['field', 'value'], Object.entries(fields))
  out.result(shown)
}

async function history(text: string, flags: ConnectionFlags & { readonly at?: string }): Promise<void> {
  if (flags.at !== undefined && !/^\d{1,15}$/.test(flags.at)) throw new UsageError('--at must be a number of a block')
  const { member, changes, at } = await looking(flags, async (client) => {
    const member = await readMember(client, await memberAddress(flags, client, text))
    const { account } = member
    if (flags.at === undefined) return { member, changes: await readHistory(client, account), at: undefined }
    const height = BigInt(flags.at)
    const status = await view(client, members, 'statusAt', { account, height })
    const signer = await view(client, members, 'signerAt', { account, height })
    return { member, changes: [], at: { block: flags.at, status: status === 0 ? 'none' : statusText(status), signer } }
  })
  const out = createOutput(flags.json ?? false)
  if (at !== undefined) {
    out.line(
      at.status === 'none'
        ? `${member.name} was no member in block ${at.block}`
        : `${member.name} was ${at.status} in block ${at.block} and signed with ${at.signer}`,
    )
    return out.result({ account: member.account, ...at, block: Number(at.block) })
  }
  const rows = [{ block: member.since, status: 'active', by: '', reason: 'registered' }, ...changes]
  out.table(
    ['block', 'status', 'by', 'reason'],
    rows.map((row) => [row.block, row.status, row.by, row.reason]),
  )
  out.result(rows)
}

import { Command } from 'commander'
import { audit, view } from '../../agent/contractClient.js'
import { transact } from '../../agent/transact.js'
import { textId } from '../../contracts/textId.js'
import type { Hash } from '../../core/bytes.js'
import { type ConnectionFlags, reading, signedIn, withNode, withSigner } from '../connection.js'
import { CommandError, UsageError } from '../errors.js'
import { createOutput } from '../output.js'
import { accountOf, wholeNumber } from '../trace/query.js'
import { verifyReadLog } from '../trace/verifyLog.js'

interface GrantFlags extends ConnectionFlags {
  readonly as: string
  readonly enterprise: string[]
  readonly department: string[]
  readonly attribute: string[]
  readonly purpose: string[]
  readonly from?: string
  readonly to?: string
  readonly expiryBlock?: string
  readonly expiry?: string
  readonly reason: string
}

/** `concordat audit`: who may look through the records, and whether a read log is whole. */
export function auditCommand(): Command {
  const command = new Command('audit').addHelpText(
    'after',
    '\nExample:\n  concordat audit mandate list auditor --network net',
  )
  const mandate = command
    .command('mandate')
    .description('who may look through the records, on whose word')
    .addHelpText('after', '\nExample:\n  concordat audit mandate list auditor --network net')
  addGrant(mandate)
  withSigner(mandate.command('revoke <number>').description('end a mandate; a regulator signs'))
    .option('--as <name>', 'with --network: the regulator', 'regulator')
    .addHelpText('after', '\nExample:\n  concordat audit mandate revoke 1 --network net')
    .action(revoke)
  withNode(mandate.command('list <member>').description('valid mandates of an auditor, operator or regulator'))
    .addHelpText('after', '\nExample:\n  concordat audit mandate list auditor --network net --json')
    .action(list)
  withNode(
    command.command('verify-log <dir>').description('recompute the chain of a read log, compare it with the anchors'),
  )
    .option('--node <address>', 'whose log it is (default: the node that is asked)')
    .addHelpText('after', '\nExample:\n  concordat audit verify-log net/node1/reads --network net')
    .action(verifyLog)
  return command
}

function addGrant(mandate: Command): void {
  withSigner(
    mandate.command('grant <member>').description('let an auditor or operator look through records; a regulator signs'),
  )
    .option('--as <name>', 'with --network: the regulator', 'regulator')
    .option('--enterprise <id>', 'only about this enterprise; may be repeated', collect, [])
    .option('--department <id>', 'only about this department; may be repeated', collect, [])
    .option('--attribute <name>', 'only about this attribute; may be repeated', collect, [])
    .option('--purpose <text>', 'only what was asked for this purpose; may be repeated', collect, [])
    .option('--from <time>', 'only from this time on')
    .option('--to <time>', 'only up to this time')
    .option('--expiry-block <block>', 'last block in which it is valid')
    .option('--expiry <time>', 'last time at which it is valid')
    .requiredOption('--reason <text>', 'kept on chain')
    .addHelpText(
      'after',
      "\nExample:\n  concordat audit mandate grant auditor --network net --expiry 2027-01-01T00:00:00Z --reason 'file 12/2026'",
    )
    .action(grant)
}

async function grant(member: string, flags: GrantFlags): Promise<void> {
  if (flags.expiry === undefined && flags.expiryBlock === undefined)
    throw new UsageError('say how long it is valid: --expiry TIME, or --expiry-block BLOCK')
  await signedIn(flags, flags.as, async (connection) => {
    const { client } = connection
    const grantee = await accountOf(flags, client, member)
    const words = (flag: string, texts: readonly string[]): Hash[] => texts.map((text) => textId(text, flag))
    const departments = []
    for (const id of flags.department) departments.push(await accountOf(flags, client, id))
    const scope = {
      enterprises: words('--enterprise', flags.enterprise),
      departments,
      attributes: words('--attribute', flags.attribute),
      purposes: words('--purpose', flags.purpose),
      fromTime: timeOf('--from', flags.from),
      toTime: timeOf('--to', flags.to),
    }
    const { expiryBlock: block, expiry, reason } = flags
    const expiryHeight = block === undefined ? 0n : BigInt(wholeNumber('--expiry-block', block, 999_999_999))
    const terms = { expiryHeight, expiryTime: timeOf('--expiry', expiry), reason }
    const granted = await transact(connection, audit, 'grantMandate', { grantee, scope, ...terms })
    const mandateIds = await view(client, audit, 'mandatesOf', { grantee })
    const out = createOutput(flags.json ?? false)
    out.line(`mandate ${mandateIds.at(-1)} for ${grantee} is final in block ${granted.block}`)
    out.result({ mandateId: mandateIds.at(-1), grantee, block: granted.block })
  })
}

async function revoke(text: string, flags: ConnectionFlags & { readonly as: string }): Promise<void> {
  const mandateId = BigInt(wholeNumber('number', text, 999_999_999))
  await signedIn(flags, flags.as, async (connection) => {
    const { block } = await transact(connection, audit, 'revokeMandate', { mandateId })
    const out = createOutput(flags.json ?? false)
    out.line(`mandate ${mandateId} is revoked since block ${block}`)
    out.result({ mandateId, block })
  })
}

async function list(member: string, flags: ConnectionFlags): Promise<void> {
  const mandates = await reading(flags, async (client) => {
    const grantee = await accountOf(flags, client, member)
    const ids = await view(client, audit, 'mandatesOf', { grantee })
    return Promise.all(ids.map(async (id) => ({ id, ...(await view(client, audit, 'mandateOf', { mandateId: id })) })))
  })
  const out = createOutput(flags.json ?? false)
  out.table(
    ['no', 'by', 'enterprises', 'departments', 'attributes', 'purposes', 'until', 'reason'],
    mandates.map(({ id, regulator, scope, expiryHeight, expiryTime, reason }) => {
      const lists = [scope.enterprises, scope.departments, scope.attributes, scope.purposes]
      const until = expiryTime === 0n ? `block ${expiryHeight}` : new Date(Number(expiryTime) * 1_000).toISOString()
      return [String(id), regulator, ...lists.map(({ length }) => (length === 0 ? 'all' : length)), until, reason]
    }),
  )
  out.result(mandates)
}

async function verifyLog(dir: string, flags: ConnectionFlags & { readonly node?: string }): Promise<void> {
  const report = await reading(flags, async (client) => {
    const { self } = await client.call('concordat_consensusStatus')
    return verifyReadLog(client, dir, flags.node === undefined ? self : await accountOf(flags, client, flags.node))
  })
  const out = createOutput(flags.json ?? false)
  const { first, last, anchors, faults } = report
  out.line(`entries ${first} to ${last}; ${anchors} anchors compared`)
  for (const fault of faults) out.line(fault)
  out.result(report)
  if (faults.length > 0) throw new CommandError('the read log is not what was anchored, or not whole')
}

function timeOf(flag: string, text: string | undefined): bigint {
  if (text === undefined) return 0n
  const timeMs = Date.parse(text)
  if (Number.isNaN(timeMs)) throw new UsageError(`${flag} must be a time such as 2026-03-01T08:00:00Z, got '${text}'`)
  return BigInt(Math.floor(timeMs / 1_000))
}

const collect = (value: string, previous: string[]): string[] => [...previous, value]

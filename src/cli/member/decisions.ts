/** `concordat member approve|decline|withdraw|pending|suspend|reinstate|revoke`: decisions on members. */
import type { Command } from 'commander'
import type { Connection } from '../../agent/connection.js'
import { members, view } from '../../agent/contractClient.js'
import { transact } from '../../agent/transact.js'
import { STATUS } from '../../contracts/codes.js'
import type { Address } from '../../core/bytes.js'
import { type ConnectionFlags, withNode, withSigner } from '../connection.js'
import { createOutput } from '../output.js'
import { type ActorFlags, memberAddress } from '../transact.js'
import { acting, looking } from './act.js'
import { findPending, readPending, statusText } from './read.js'

interface DecideFlags extends ActorFlags {
  readonly what?: string
  readonly reason?: string
}

const DEFAULT_ACTOR = 'operator'

const STATUS_COMMANDS = [
  ['suspend', STATUS.suspended, 'it can do nothing until it is reinstated; one approver is enough'],
  ['reinstate', STATUS.active, 'end a suspension'],
  ['revoke', STATUS.revoked, 'for ever'],
] as const

export function addDecisions(member: Command): void {
  withNode(member.command('pending').description('decisions on members that wait for approvers'))
    .addHelpText('after', '\nExample:\n  concordat member pending --network net')
    .action(pending)
  for (const name of ['approve', 'decline', 'withdraw'] as const) {
    const described = {
      approve: 'approve what is proposed about a member',
      decline: 'decline it; what can no longer get its approvals is closed',
      withdraw: 'take an own approval back',
    }
    withActor(member.command(`${name} <member>`).description(described[name]))
      .option('--what <decision>', 'register, reinstate or revoke, where more than one is open')
      .option('--reason <text>', 'with decline: kept on chain', '')
      .addHelpText('after', `\nExample:\n  concordat member ${name} 91440300708461136T --network net --as finance`)
      .action((text: string, flags: DecideFlags) => decide(name, text, flags))
  }
  for (const [name, status, description] of STATUS_COMMANDS) {
    withActor(member.command(`${name} <member>`).description(description))
      .option('--reason <text>', 'kept on chain', '')
      .addHelpText('after', `\nExample:\n  concordat member ${name} finance --reason 'file 12/2026' --network net`)
      .action((text: string, flags: DecideFlags) => change(text, status, flags))
  }
}

/** Options of whoever signs. */
export function withActor(command: Command): Command {
  return withSigner(command).option('--as <name>', 'with --network: whose development key signs')
}

/** The operator of a local network decides on members where nobody is named. */
export const withDefaultActor = <F extends ActorFlags>(flags: F): F =>
  flags.as === undefined && flags.keyFile === undefined && flags.network !== undefined
    ? { ...flags, as: DEFAULT_ACTOR }
    : flags

async function pending(flags: ConnectionFlags): Promise<void> {
  const rows = await looking(flags, readPending)
  const out = createOutput(flags.json ?? false)
  if (rows.length === 0) out.line('no decision on a member is open')
  else {
    out.table(
      ['decision', 'id', 'name', 'role', 'account', 'since block', 'approvals', 'declined by', 'reason'],
      rows.map((row) => [
        row.what,
        row.id,
        row.name,
        row.role,
        row.account,
        row.proposedAt,
        `${row.approvals.length} of ${row.needed}`,
        row.declines.length,
        row.reason,
      ]),
    )
  }
  out.result(rows)
}

async function decide(name: 'approve' | 'decline' | 'withdraw', text: string, flags: DecideFlags): Promise<void> {
  const { found, block, open } = await acting(withDefaultActor(flags), async (connection) => {
    const found = await findPending(connection.client, text, flags.what)
    const { block } = await sendDecision(connection, name, found, flags.reason ?? '')
    const rest = await readPending(connection.client)
    return { found, block, open: rest.find((one) => one.account === found.account && one.status === found.status) }
  })
  const out = createOutput(flags.json ?? false)
  const subject = `${found.what} ${found.name} (${found.account})`
  if (open !== undefined) {
    const declined = open.declines.length === 0 ? '' : `, ${open.declines.length} declined`
    out.line(`${subject}: ${open.approvals.length} of ${open.needed} approvals${declined}, block ${block}`)
  } else if (name === 'approve') out.line(`${subject}: done, final in block ${block}`)
  else out.line(`${subject}: closed in block ${block}, it will not happen`)
  out.result({ what: found.what, account: found.account, block, open: open ?? null })
}

function sendDecision(
  connection: Connection,
  name: 'approve' | 'decline' | 'withdraw',
  { account, status }: { readonly account: Address; readonly status: number },
  reason: string,
) {
  if (name === 'decline') return transact(connection, members, 'declineDecision', { account, status, reason })
  if (name === 'withdraw') return transact(connection, members, 'withdrawDecision', { account, status })
  if (status === STATUS.active) return transact(connection, members, 'approveMember', { account })
  return transact(connection, members, 'changeStatus', { account, status, reason: '' })
}

async function change(text: string, status: number, flags: DecideFlags): Promise<void> {
  const { account, block, now } = await acting(withDefaultActor(flags), async (connection) => {
    const account = await memberAddress(flags, connection.client, text)
    const { block } = await transact(connection, members, 'changeStatus', {
      account,
      status,
      reason: flags.reason ?? '',
    })
    return { account, block, now: (await view(connection.client, members, 'getMember', { account })).status }
  })
  const out = createOutput(flags.json ?? false)
  out.line(
    now === status
      ? `${text} (${account}) is ${statusText(status)}, final in block ${block}`
      : `proposed in block ${block}; it takes more approvers, see: concordat member pending`,
  )
  out.result({ account, status: statusText(now), done: now === status, block })
}

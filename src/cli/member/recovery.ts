/** `concordat member guardians` and `recover`: who may give an account a new key when its own is lost. */

import type { Command } from 'commander'
import { members, view } from '../../agent/contractClient.js'
import { transact } from '../../agent/transact.js'
import { UsageError } from '../errors.js'
import { addressArgument } from '../hexArgument.js'
import { createOutput } from '../output.js'
import { type ActorFlags, memberAddress } from '../transact.js'
import { acting } from './act.js'
import { withActor } from './decisions.js'
import { type NewSignerFlags, newSigner, requireNewSigner } from './keyFiles.js'
import { withNewSigner } from './signers.js'

interface GuardianFlags extends ActorFlags {
  readonly threshold?: string
  readonly none?: boolean
}

export function addRecovery(member: Command): void {
  withActor(member.command('guardians [members...]').description("the account's key names who may recover it"))
    .option('--threshold <number>', 'how many of them have to agree')
    .option('--none', 'have no guardians any more')
    .addHelpText(
      'after',
      '\nExample:\n  concordat member guardians finance market-regulation --threshold 2 --network net --key-file enterprise.key',
    )
    .action(guardians)
  const recover = member
    .command('recover')
    .description('guardians give an account a new key, after a delay in which its own key may stop it')
    .addHelpText('after', '\nExample:\n  concordat member recover finish 91440300708461136T --network net --as finance')
  withNewSigner(withActor(recover.command('start <member>').description('a guardian names the new key')))
    .addHelpText(
      'after',
      '\nExample:\n  concordat member recover start 91440300708461136T --signer 0x52… --proof 0x9a… --network net --as finance',
    )
    .action(start)
  withActor(recover.command('approve <member> <address>').description('another guardian agrees to the new key'))
    .addHelpText(
      'after',
      '\nExample:\n  concordat member recover approve 91440300708461136T 0x52… --network net --as market-regulation',
    )
    .action(approve)
  withActor(recover.command('stop').description("the account's key ends a recovery of its member"))
    .addHelpText('after', '\nExample:\n  concordat member recover stop --network net --key-file enterprise.key')
    .action(stop)
  withActor(recover.command('finish <member>').description('after the delay: the new key takes over; anyone may'))
    .addHelpText('after', '\nExample:\n  concordat member recover finish 91440300708461136T --network net --as finance')
    .action(finish)
}

async function guardians(names: readonly string[], flags: GuardianFlags): Promise<void> {
  if ((names.length === 0) !== (flags.none ?? false)) throw new UsageError('name the guardians, or say --none')
  const threshold = flags.none ? 0 : Number(flags.threshold)
  if (!Number.isInteger(threshold) || threshold < 0 || threshold > 255)
    throw new UsageError('say how many guardians have to agree: --threshold NUMBER')
  const named = await acting(flags, async (connection) => {
    const accounts = await Promise.all(names.map((name) => memberAddress(flags, connection.client, name)))
    const { block } = await transact(connection, members, 'setGuardians', { guardians: accounts, threshold })
    return { account: await connection.account(), guardians: accounts, threshold, block }
  })
  const out = createOutput(flags.json ?? false)
  out.line(
    flags.none
      ? `${named.account} has no guardians any more, final in block ${named.block}`
      : `${threshold} of ${names.join(', ')} may recover ${named.account}, final in block ${named.block}`,
  )
  out.result(named)
}

async function start(text: string, flags: ActorFlags & NewSignerFlags): Promise<void> {
  requireNewSigner(flags)
  const state = await acting(flags, async (connection) => {
    const account = await memberAddress(flags, connection.client, text)
    const { signer, proof } = await newSigner(flags, connection.chainId, account, 'account')
    const { block } = await transact(connection, members, 'startRecovery', { account, newSigner: signer, proof })
    return { account, block, ...(await view(connection.client, members, 'recoveryOf', { account })), newSigner: signer }
  })
  report(state, flags)
}

async function approve(text: string, address: string, flags: ActorFlags): Promise<void> {
  const newSigner = addressArgument(address)
  const state = await acting(flags, async (connection) => {
    const account = await memberAddress(flags, connection.client, text)
    const { block } = await transact(connection, members, 'approveRecovery', { account, newSigner })
    return { account, block, ...(await view(connection.client, members, 'recoveryOf', { account })), newSigner }
  })
  report(state, flags)
}

interface State {
  readonly account: string
  readonly block: number
  readonly newSigner: string
  readonly readyAt: bigint
  readonly approvals: readonly string[]
  readonly needed: number
}

function report(state: State, flags: ActorFlags): void {
  const out = createOutput(flags.json ?? false)
  const { account, newSigner, approvals, needed, block } = state
  const readyAt = Number(state.readyAt)
  out.line(`${newSigner} for ${account}: ${approvals.length} of ${needed} guardians, block ${block}`)
  if (readyAt !== 0) out.line(`it may take over from block ${readyAt} on: concordat member recover finish ${account}`)
  out.result({ account, newSigner, approvals, needed, readyAt: readyAt === 0 ? null : readyAt, block })
}

async function stop(flags: ActorFlags): Promise<void> {
  const { block } = await acting(flags, (connection) => transact(connection, members, 'stopRecovery', {}))
  const out = createOutput(flags.json ?? false)
  out.line(`the recovery is stopped, final in block ${block}`)
  out.result({ block })
}

async function finish(text: string, flags: ActorFlags): Promise<void> {
  const done = await acting(flags, async (connection) => {
    const account = await memberAddress(flags, connection.client, text)
    const { newSigner } = await view(connection.client, members, 'recoveryOf', { account })
    const { block } = await transact(connection, members, 'finishRecovery', { account })
    return { account, newSigner, block }
  })
  const out = createOutput(flags.json ?? false)
  out.line(
    `${done.newSigner} is the key of ${done.account} now, final in block ${done.block}; the former key acts no more`,
  )
  out.result(done)
}

import { Command } from 'commander'
import { keyAgreement, view } from '../../agent/contractClient.js'
import { createDirectory } from '../../agent/directory.js'
import { transact } from '../../agent/transact.js'
import { AGREEMENT_PHASE, nameOf } from '../../contracts/codes.js'
import type { keyAgreementAbi } from '../../contracts/keyAgreement.abi.js'
import { idText, textId } from '../../contracts/textId.js'
import { type Address, ZERO_HASH } from '../../core/bytes.js'
import type { RpcClient } from '../../rpc/client.js'
import type { FunctionResult } from '../../vm/abiTypes.js'
import { type ConnectionFlags, reading, withNode, withSigner } from '../connection.js'
import { UsageError } from '../errors.js'
import { addressArgument } from '../hexArgument.js'
import { inWords } from '../inWords.js'
import { createOutput, short } from '../output.js'
import { type ActorFlags, signedAs } from '../transact.js'

type Attempt = FunctionResult<typeof keyAgreementAbi, 'attemptOf'>

const refused = inWords('keyAgreement', {
  UnknownGroup: () => 'these supervisors have not begun an agreement yet; see: concordat key-agreement start',
  NotJoint: () => 'the attribute has one supervisor: its own key serves',
  NotGroupMember: () => 'the signer is none of the supervisors; see: concordat attribute rule',
  NotActiveDepartment: ({ account }) => `${account} is no active department; all supervisors have to be`,
  AgreementRunning: ({ attempt, deadline }) =>
    `attempt ${attempt} is running, its round ends with block ${deadline}; see: concordat key-agreement status`,
  TooEarly: ({ notBefore }) => `after so many failures the next attempt may begin in block ${notBefore}`,
  NotInPhase: ({ attempt }) => `attempt ${attempt} has ended; see: concordat key-agreement status`,
  DeadlineNotPassed: ({ attempt, deadline }) =>
    `attempt ${attempt} can be ended after block ${deadline}; members have until then`,
  RoundBlocksOutOfRange: ({ min, max }) => `--round-blocks must be from ${min} to ${max}`,
})

/** `concordat key-agreement`: keys that the supervisors of an attribute hold together. */
export function keyAgreementCommand(): Command {
  const command = new Command('key-agreement').addHelpText(
    'after',
    '\nExample:\n  concordat key-agreement list --network net\n\nHow it works: docs/key-agreement.md',
  )
  withNode(command.command('list').description('all groups, their keys and running attempts'))
    .addHelpText('after', '\nExample:\n  concordat key-agreement list --network net')
    .action(list)
  withNode(command.command('status <attribute>').description('the latest attempt: who has done what, who is awaited'))
    .option('--attempt <n>', 'an earlier attempt: who was at fault')
    .addHelpText(
      'after',
      '\nExample:\n  concordat key-agreement status businessScope --network net\n  concordat key-agreement status businessScope --attempt 3 --network net',
    )
    .action(status)
  withActor(
    command.command('start <attribute>').description('begin an agreement, or renew its key; the agents do the rest'),
  )
    .option('--round-blocks <n>', 'blocks that each round may take', '300')
    .addHelpText(
      'after',
      '\nExample:\n  concordat key-agreement start businessScope --network net --as market-regulation',
    )
    .action(start)
  withActor(command.command('abort <attribute>').description('end an attempt after its deadline; names who was silent'))
    .addHelpText('after', '\nExample:\n  concordat key-agreement abort businessScope --network net --as finance')
    .action(abort)
  return command
}

function withActor(command: Command): Command {
  return withSigner(command).option('--as <name>', 'with --network: department whose development key signs')
}

async function list(flags: ConnectionFlags): Promise<void> {
  const rows = await reading(flags, async (client) => {
    const nameOfMember = namesOn(client)
    const count = Number(await view(client, keyAgreement, 'groupCount', {}))
    const rows = []
    for (let index = 0; index < count; index++) {
      const group = await view(client, keyAgreement, 'groupAt', { index: BigInt(index) })
      const {
        roster,
        keyEpoch,
        publicKey,
        current,
        attempt: number,
      } = await view(client, keyAgreement, 'groupOf', { group })
      const { phase } = await view(client, keyAgreement, 'attemptOf', { group, attempt: number })
      const departments = await Promise.all(roster.map(nameOfMember))
      const state = { attempt: number, phase: phaseName(phase) }
      rows.push({ group, departments, keyEpoch: Number(keyEpoch), encryptionKey: publicKey, current, ...state })
    }
    return rows
  })
  const out = createOutput(flags.json ?? false)
  out.table(
    ['group', 'departments', 'key epoch', 'key', 'in use', 'latest attempt'],
    rows.map((row) => [
      row.group,
      row.departments.join(', '),
      row.keyEpoch,
      row.keyEpoch === 0 ? '-' : short(row.encryptionKey),
      row.current ? 'yes' : 'no',
      `${row.attempt}: ${row.phase}`,
    ]),
  )
  out.result(rows)
}

async function status(attribute: string, flags: ConnectionFlags & { readonly attempt?: string }): Promise<void> {
  if (flags.attempt !== undefined && !/^[1-9]\d{0,8}$/.test(flags.attempt))
    throw new UsageError(`--attempt must be the number of an attempt, got '${flags.attempt}'`)
  const report = await reading(flags, async (client) => {
    const group = await groupOf(client, attribute)
    const state = await view(client, keyAgreement, 'groupOf', { group })
    const number = flags.attempt === undefined ? state.attempt : Number(flags.attempt)
    if (number > state.attempt) throw new UsageError(`the latest attempt is ${state.attempt}`)
    const attempt = await view(client, keyAgreement, 'attemptOf', { group, attempt: number })
    const height = Number(await client.call('eth_blockNumber'))
    const names = await Promise.all(state.roster.map(namesOn(client)))
    const members = state.roster.map((account, i) => ({
      department: names[i]!,
      account,
      ...doings(attempt, account, i),
    }))
    const { keyEpoch, current, failures, notBefore } = state
    const key = { keyEpoch: Number(keyEpoch), current, failures, notBefore: Number(notBefore) }
    const { phase, deadline } = attempt
    return {
      group,
      ...key,
      attempt: number,
      phase: phaseName(phase),
      deadline: Number(deadline),
      height,
      members,
    }
  }).catch(refused)
  const out = createOutput(flags.json ?? false)
  const { group, attempt, phase, deadline, height, keyEpoch, current } = report
  out.line(`group ${group}: key epoch ${keyEpoch}${keyEpoch > 0 ? (current ? ', in use' : ', not in use') : ''}`)
  out.line(`attempt ${attempt}: ${phase}, deadline block ${deadline}, now ${height}`)
  if (report.failures > 0)
    out.line(`${report.failures} failed in a row; who was at fault: --attempt NUMBER, docs/key-agreement.md`)
  out.table(
    ['department', 'share', 'link', 'confirmation', 'awaited', 'at fault'],
    report.members.map((row) => [
      row.department,
      row.share,
      row.link,
      row.confirmation,
      row.awaited ? 'awaited' : '',
      row.fault,
    ]),
  )
  out.result(report)
}

/** What one member has contributed to an attempt, and what it is blamed for. */
function doings(attempt: Attempt, account: Address, place: number) {
  const done = [attempt.shares, attempt.links, attempt.confirmations].map((words) => words[place] !== ZERO_HASH)
  // Links of two members are zero by right: they count as given once the next round has begun.
  const linked = done[1] || (attempt.shares.length === 2 && isPastLinks(attempt))
  const [share, link, confirmation] = [done[0], linked, done[2]].map((one) => (one ? 'done' : '-'))
  const given = [done[0], linked, done[2], false][attempt.phase - 1]
  const faults = (['silent', 'refused', 'deviating'] as const).filter((fault) => attempt[fault].includes(account))
  const awaited = attempt.phase <= AGREEMENT_PHASE.dispute && given !== true
  return { share: share!, link: link!, confirmation: confirmation!, awaited, fault: faults.join(', ') }
}

/** An attempt that has ended was past them when somebody had confirmed a key. */
function isPastLinks({ phase, confirmations }: Attempt): boolean {
  if (phase === AGREEMENT_PHASE.aborted) return confirmations.some((word) => word !== ZERO_HASH)
  return phase > AGREEMENT_PHASE.links
}

async function start(attribute: string, flags: ActorFlags & { readonly roundBlocks: string }): Promise<void> {
  const roundBlocks = Number(flags.roundBlocks)
  if (!Number.isInteger(roundBlocks) || roundBlocks < 1 || roundBlocks > 0xffffffff)
    throw new UsageError(`--round-blocks must be a number of blocks, got '${flags.roundBlocks}'`)
  const id = textId(attribute, 'attribute')
  const done = await signedAs(flags, async (connection) => {
    const { client } = connection
    const { block } = await transact(connection, keyAgreement, 'startAgreement', { attribute: id, roundBlocks })
    const group = await groupOf(client, attribute)
    const { attempt } = await view(client, keyAgreement, 'groupOf', { group })
    return { group, attempt, block }
  }).catch(refused)
  const out = createOutput(flags.json ?? false)
  out.line(
    `attempt ${done.attempt} of group ${done.group} has begun in block ${done.block}; the departments' agents go on`,
  )
  out.result(done)
}

async function abort(attribute: string, flags: ActorFlags): Promise<void> {
  const done = await signedAs(flags, async (connection) => {
    const { client } = connection
    const group = await groupOf(client, attribute)
    const { attempt } = await view(client, keyAgreement, 'groupOf', { group })
    const { block } = await transact(connection, keyAgreement, 'abortAgreement', { group, attempt })
    const { silent } = await view(client, keyAgreement, 'attemptOf', { group, attempt })
    return { group, attempt, block, silent: await Promise.all(silent.map(namesOn(client))) }
  }).catch(refused)
  const out = createOutput(flags.json ?? false)
  out.line(`attempt ${done.attempt} has ended in block ${done.block}; silent: ${done.silent.join(', ')}`)
  out.result(done)
}

/** The group of an attribute's supervisors, or the group with this id. */
async function groupOf(client: RpcClient, attribute: string): Promise<Address> {
  if (attribute.startsWith('0x')) return addressArgument(attribute, 'group')
  const profile = (await createDirectory(client).profiles()).get(attribute)
  if (profile === undefined) throw new UsageError(`there is no attribute '${attribute}': see concordat attribute list`)
  if (profile.supervisors.length < 2) throw new UsageError(`${attribute} has one supervisor: its own key serves`)
  return view(client, keyAgreement, 'groupId', { departments: profile.supervisors })
}

/** Short names of departments. */
function namesOn(client: RpcClient): (account: Address) => Promise<string> {
  const directory = createDirectory(client)
  return async (account) => {
    const member = await directory.member(account)
    return member === null ? account : idText(member.id)
  }
}

const phaseName = (phase: number): string => nameOf(AGREEMENT_PHASE, phase) ?? 'none'

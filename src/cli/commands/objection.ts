import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { timeText } from '../../agent/consent.js'
import { dataSharing } from '../../agent/contractClient.js'
import { type ContestedEntry, contestEntry, readObjections } from '../../agent/objection.js'
import { portraitKeysIn } from '../../agent/portraitKeyFile.js'
import { eventIn, transact } from '../../agent/transact.js'
import { EXISTENCE, nameOf, OBJECTION_STATUS } from '../../contracts/codes.js'
import { idText, textId } from '../../contracts/textId.js'
import { type Hash, toHash } from '../../core/bytes.js'
import { type ConnectionFlags, reading, signedIn, withNode, withSigner } from '../connection.js'
import { CommandError, UsageError } from '../errors.js'
import { hashArgument } from '../hexArgument.js'
import { inWords } from '../inWords.js'
import { createOutput, short } from '../output.js'
import { signedAs } from '../transact.js'

interface ObjectFlags extends ConnectionFlags {
  readonly value?: string
  readonly digest?: string
  readonly portraitKeyFile?: string
  readonly reasonFile: string
}

const refused = inWords('dataSharing', {
  NotActiveEnterprise: () => 'the signer is no active enterprise; sign with its key: --key-file FILE',
  NotContestable: () =>
    'the portrait holds no such answer: the value must be the declared one, and one objection at a time',
  AlreadyContested: ({ objectionId }) => `objection ${objectionId} contests it already; see: concordat objection list`,
  UnknownObjection: ({ objectionId }) => `there is no objection ${objectionId}; see: concordat objection list`,
  ObjectionClosed: ({ objectionId, status }) =>
    `objection ${objectionId} is ${nameOf(OBJECTION_STATUS, Number(status))}: it cannot be decided any more`,
  NotActiveDepartment: () => 'the signer is no active department; the supervisors decide',
  NotSupervisor: ({ attribute }) =>
    `the signer does not supervise ${idText(attribute as Hash)}; see: concordat attribute rule`,
  AlreadyDecided: () => 'the signer has decided this already; other supervisors have to',
})

/** `concordat object`: an enterprise contests an entry of its user portrait. */
export function objectCommand(): Command {
  return withSigner(new Command('object').argument('<attribute>', 'what the entry is about'))
    .requiredOption('--reason-file <file>', 'what you write to the supervisors; only its SHA-256 goes on chain')
    .option('--value <text>', 'the declared value that the entry is about')
    .option(
      '--portrait-key-file <file>',
      "with --value: the enterprise's portrait keys (default: KEY_FILE.portrait.json)",
    )
    .option('--digest <hex>', 'the entry by its digest, in place of --value')
    .addHelpText(
      'after',
      '\nExample:\n  concordat object employees --value 120 --reason-file letter.pdf --network net --key-file enterprise.key',
    )
    .action(object)
}

/** `concordat objection`: what is contested, and the supervisors' decision. */
export function objectionCommand(): Command {
  const objection = new Command('objection').addHelpText(
    'after',
    '\nExample:\n  concordat objection list --network net --open',
  )
  withNode(objection.command('list').description('objections in the order in which they were raised'))
    .option('--open', 'those that wait for a decision')
    .option('--enterprise <code>', 'those of one enterprise')
    .addHelpText('after', '\nExample:\n  concordat objection list --network net --open')
    .action(list)
  withSigner(objection.command('decide <id>').description('a supervising department decides'))
    .option('--as <department>', 'with --network: the deciding department')
    .option('--upheld', 'the entry is wrong')
    .option('--rejected', 'the entry stands')
    .addHelpText('after', '\nExample:\n  concordat objection decide 1 --upheld --network net --as market-regulation')
    .action(decide)
  return objection
}

async function object(attribute: string, flags: ObjectFlags): Promise<void> {
  const entry = entryOf(flags)
  const reasonHash = hashOfFile(flags.reasonFile)
  const raised = await signedIn(flags, 'enterprise', (connection) =>
    contestEntry(connection, attribute, entry, reasonHash),
  ).catch(refused)
  const out = createOutput(flags.json ?? false)
  const deadline = timeText(raised.deadline)
  out.line(
    `objection ${raised.objectionId} is on chain; the supervisors of ${attribute} may decide it until ${deadline}`,
  )
  out.line(`send them ${flags.reasonFile} (SHA-256 ${reasonHash})`)
  out.result({ ...raised, reasonHash, deadline })
}

function entryOf({ value, digest, portraitKeyFile, keyFile }: ObjectFlags): ContestedEntry {
  if ((value === undefined) === (digest === undefined))
    throw new UsageError('name the entry: --value TEXT or --digest HEX')
  if (digest !== undefined) return { digest: hashArgument(digest, '--digest') }
  if (keyFile === undefined && portraitKeyFile === undefined) {
    throw new UsageError("name the enterprise's key: --key-file FILE")
  }
  return { value: value!, portraitKeys: portraitKeysIn(portraitKeyFile ?? `${keyFile}.portrait.json`) }
}

function hashOfFile(file: string): Hash {
  try {
    return toHash(new Uint8Array(createHash('sha256').update(readFileSync(file)).digest()))
  } catch (error) {
    throw new CommandError(`cannot read ${file} (${(error as NodeJS.ErrnoException).code}): check the path`)
  }
}

async function list(flags: ConnectionFlags & { readonly open?: boolean; readonly enterprise?: string }): Promise<void> {
  const enterpriseId = flags.enterprise === undefined ? undefined : textId(flags.enterprise, '--enterprise')
  const all = await reading(flags, readObjections)
  const rows = all
    .filter((one) => enterpriseId === undefined || one.enterpriseId === enterpriseId)
    .filter((one) => !flags.open || one.status === OBJECTION_STATUS.open)
    .map((one) => ({
      ...one,
      enterprise: idText(one.enterpriseId),
      attribute: idText(one.attribute),
      status: nameOf(OBJECTION_STATUS, one.status) ?? String(one.status),
      answer: answerText(one.existence, one.confirmed),
      deadline: timeText(one.deadline),
    }))
  const out = createOutput(flags.json ?? false)
  out.table(
    [
      'id',
      'enterprise',
      'attribute',
      'answer',
      'status',
      'raised in block',
      'until',
      'upheld by',
      'rejected by',
      'reason',
    ],
    rows.map((row) => [
      String(row.objectionId),
      row.enterprise,
      row.attribute,
      row.answer,
      row.status,
      String(row.height),
      row.deadline,
      row.upheldBy.length,
      row.rejectedBy.length,
      short(row.reasonHash),
    ]),
  )
  out.result(rows)
}

function answerText(existence: number, confirmed: boolean): string {
  if (existence === EXISTENCE.exists) return confirmed ? 'right' : 'differs'
  return nameOf(EXISTENCE, existence) ?? String(existence)
}

async function decide(
  text: string,
  flags: ConnectionFlags & { readonly as?: string; readonly upheld?: boolean; readonly rejected?: boolean },
): Promise<void> {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new UsageError(`'${text}' is no id of an objection`)
  const upheld = flags.upheld ?? false
  if (upheld === (flags.rejected ?? false)) throw new UsageError('decide: --upheld or --rejected')
  const objectionId = BigInt(text)
  const decided = await signedAs(flags, async (connection) => {
    const { receipt } = await transact(connection, dataSharing, 'decideObjection', { objectionId, upheld })
    return eventIn(receipt, dataSharing, 'ObjectionDecided') !== undefined
  }).catch(refused)
  const out = createOutput(flags.json ?? false)
  const said = upheld ? 'upheld' : 'rejected'
  out.line(
    decided
      ? `objection ${text} is ${said}`
      : `your decision (${said}) is on chain; other supervisors have to decide, too`,
  )
  out.result({ objectionId, upheld, decided })
}

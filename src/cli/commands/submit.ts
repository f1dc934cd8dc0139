import { Command } from 'commander'
import { readDeclaration } from '../../agent/declaration.js'
import { EnterpriseProxy, type SubmissionReport } from '../../agent/enterpriseProxy.js'
import { portraitKeysIn } from '../../agent/portraitKeyFile.js'
import { type BulkFlags, submitMany, withBulk } from '../bulk/submitMany.js'
import { type ConnectionFlags, signedIn, withSigner } from '../connection.js'
import { CommandError, UsageError } from '../errors.js'
import { createOutput, formatMs, type Output, short } from '../output.js'

interface SubmitFlags extends ConnectionFlags, BulkFlags {
  readonly portraitKeyFile?: string
  readonly bulk?: string
}

/** `concordat submit`: an enterprise's declaration goes sealed to the departments that supervise its attributes (StoreData). */
export function submitCommand(): Command {
  const command = new Command('submit').argument(
    '[declaration]',
    'declaration: .json, .csv, or a package (folder or .zip)',
  )
  withSigner(command)
    .option('--portrait-key-file <file>', "the enterprise's portrait keys (default: KEY_FILE.portrait.json)")
    .option(
      '--bulk <input>',
      'folder of declarations, list of files (.csv), or table with one enterprise a row (.csv, .xlsx)',
    )
  withBulk(command)
    .addHelpText(
      'after',
      '\nExample:\n  concordat submit declaration.json --network net --key-file enterprise.key\n  concordat submit --bulk dataset.xlsx --keys keys --register --network net',
    )
    .action(async (file: string | undefined, flags: SubmitFlags) => {
      if (flags.bulk !== undefined && file !== undefined)
        throw new UsageError('name one declaration, or many with --bulk')
      if (flags.bulk !== undefined) return submitMany(flags.bulk, flags)
      if (file === undefined) throw new UsageError('name the declaration, or many with --bulk')
      await submitOne(file, flags)
    })
  return command
}

async function submitOne(file: string, flags: SubmitFlags): Promise<void> {
  if (flags.keyFile === undefined) throw new UsageError("name the enterprise's key: --key-file FILE")
  const declaration = await readDeclaration(file)
  const portraitKeys = portraitKeysIn(flags.portraitKeyFile ?? `${flags.keyFile}.portrait.json`)
  const report = await signedIn(flags, 'enterprise', (connection) =>
    new EnterpriseProxy({ portraitKeys }, connection).submit(declaration),
  )
  const out = createOutput(flags.json ?? false)
  showSubmission(out, report)
  out.result(report)
  const open = report.parts.filter((part) => part.status !== 'accepted')
  if (open.length > 0)
    throw new CommandError(
      `${open.map((part) => `${part.department}: ${part.status}`).join(', ')}; see the table above`,
    )
}

/** One row a department. */
export function showSubmission(out: Output, report: SubmissionReport): void {
  out.line(
    `submission ${report.submissionId} of ${report.creditCode}: final in block ${report.height} after ${formatMs(report.finalMs)}, transaction ${short(report.transaction)}`,
  )
  out.table(
    ['department', 'attributes', 'status', 'code'],
    report.parts.map((part) => [
      part.department,
      part.attributes.length,
      part.status,
      part.status === 'pending' ? '-' : part.code,
    ]),
  )
  if (report.acknowledgedMs !== null) out.line(`all departments have answered after ${formatMs(report.acknowledgedMs)}`)
}

/** `concordat submit --bulk`: many enterprises, with progress, a summary and a journal beside the input. */
import path from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { readBulkInput } from '../../agent/bulk/bulkInput.js'
import { openBulkJournal } from '../../agent/bulk/bulkJournal.js'
import type { BulkOutcome, BulkSummary } from '../../agent/bulk/bulkReport.js'
import { type BulkNeeds, bulkSubmit } from '../../agent/bulk/bulkSubmit.js'
import { table2Template } from '../../agent/declaration/table2Template.js'
import { TEXT_ENCODINGS, type TextEncoding } from '../../agent/declaration/text.js'
import { bulkConcurrencyMax } from '../../core/limits.js'
import { batched, type ConnectionFlags } from '../connection.js'
import { CommandError, UsageError } from '../errors.js'
import { createOutput, type Output } from '../output.js'
import { namedTemplate } from './namedTemplate.js'
import { progressLine } from './progressLine.js'

export interface BulkFlags extends ConnectionFlags {
  readonly keys?: string
  readonly register?: boolean
  readonly journal?: string
  readonly concurrency: number
  readonly template?: string
  readonly encoding?: string
}

/** Adds what --bulk takes. */
export function withBulk(command: Command): Command {
  return command
    .option(
      '--keys <folder>',
      'with --bulk: keys of the enterprises, CREDIT_CODE.key (default: `keys` beside the input)',
    )
    .option('--register', 'with --bulk: the operator registers who is no member yet; missing keys are made')
    .option('--journal <file>', 'with --bulk: what is done, to go on after a stop (default: INPUT.bulk.jsonl)')
    .option('--concurrency <n>', 'with --bulk: enterprises submitted at a time', concurrency, 32)
    .option(
      '--template <name>',
      'with --bulk: mapping template whose labels a table may have as headers (default: table2)',
    )
    .option('--encoding <name>', `with --bulk: of a .csv table, ${TEXT_ENCODINGS.join(' or ')} (default: utf-8)`)
}

export async function submitMany(input: string, flags: BulkFlags): Promise<void> {
  const encoding = encodingOf(flags.encoding)
  const template = flags.template === undefined ? table2Template : await namedTemplate(flags.template)
  const file = flags.journal ?? `${path.resolve(input)}.bulk.jsonl`
  const out = createOutput(flags.json ?? false)
  const summary = await batched(flags, flags.register ? 'operator' : null, async (connection) => {
    const journal = await openBulkJournal(file, connection.chainId)
    const progress = progressLine(process.stderr)
    try {
      const items = await readBulkInput(input, { salt: journal.salt, template, ...(encoding && { encoding }) })
      const keysDir = flags.keys ?? path.join(path.dirname(path.resolve(input)), 'keys')
      const onOutcome = (outcome: BulkOutcome) => {
        if (flags.json) process.stdout.write(`${JSON.stringify(outcome, bigintAsString)}\n`)
      }
      const needs: BulkNeeds = { connection, journal, onOutcome, onProgress: progress.show }
      return await bulkSubmit(
        items,
        {
          keysDir,
          register: flags.register ?? false,
          concurrency: flags.concurrency,
          ...(flags.passwordFile !== undefined && { passwordFile: flags.passwordFile }),
        },
        needs,
      )
    } finally {
      progress.end()
      await journal.close()
    }
  })
  if (flags.json) process.stdout.write(`${JSON.stringify({ summary })}\n`)
  showSummary(out, summary, file)
  const open = summary.total - summary.accepted
  if (open > 0)
    throw new CommandError(
      `${open} of ${summary.total} enterprises are not accepted by every department; mend them and run it again`,
    )
}

function showSummary(out: Output, summary: BulkSummary, journal: string): void {
  const { total, accepted, rejected, pending, failed, before, registered, seconds, perSecond, departments, reasons } =
    summary
  const rate = perSecond > 0 ? `, ${perSecond.toFixed(1)} final a second in ${seconds.toFixed(1)} s` : ''
  out.line(
    `${total} enterprises: ${accepted} accepted, ${rejected} rejected, ${pending} pending, ${failed} failed; ${before} were done before, ${registered} registered${rate}`,
  )
  if (departments.length > 0) {
    out.table(
      ['department', 'accepted', 'rejected', 'reasons'],
      departments.map(({ department, accepted, rejected, codes }) => {
        const text = Object.entries(codes).map(([code, count]) => `${code} ${count}`)
        return [department, accepted, rejected, text.join(', ')]
      }),
    )
  }
  if (reasons.length > 0) {
    out.table(
      ['failed for', 'times', 'such as'],
      reasons.map(({ code, count, example }) => [
        code,
        count,
        example.length > 200 ? `${example.slice(0, 200)}…` : example,
      ]),
    )
  }
  out.line(`journal: ${journal}`)
}

function concurrency(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= bulkConcurrencyMax) return value
  throw new InvalidArgumentError(`must be a whole number from 1 to ${bulkConcurrencyMax}`)
}

function encodingOf(text: string | undefined): TextEncoding | undefined {
  const found = TEXT_ENCODINGS.find((one) => one === text)
  if (text !== undefined && found === undefined)
    throw new UsageError(`--encoding must be ${TEXT_ENCODINGS.join(' or ')}`)
  return found
}

const bigintAsString = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)

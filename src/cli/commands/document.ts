import { Command } from 'commander'
import { evidence, view } from '../../agent/contractClient.js'
import { createDirectory } from '../../agent/directory.js'
import { hashDocument } from '../../agent/documentHash.js'
import { idText, textId } from '../../contracts/textId.js'
import { ZERO_HASH } from '../../core/bytes.js'
import { type ConnectionFlags, reading, withNode, withSigner } from '../connection.js'
import { createOutput, type Output, short } from '../output.js'
import { type ActorFlags, act, wordOf } from '../transact.js'

/** `concordat document`: anchors of documents. */
export function documentCommand(): Command {
  const document = new Command('document').addHelpText(
    'after',
    '\nExample:\n  concordat document check report.pdf --network net',
  )
  withSigner(document.command('anchor <file>').description('vouch for exactly these bytes, from now on'))
    .option('--as <name>', 'with --network: whose development key signs')
    .requiredOption('--kind <text>', 'what it is, like audit-report')
    .option('--note <text>', 'a remark that everyone can read', '')
    .addHelpText(
      'after',
      '\nExample:\n  concordat document anchor report.pdf --kind audit-report --network net --as finance',
    )
    .action(anchor)
  withNode(document.command('check <file>').description('who has vouched for these bytes, and when'))
    .addHelpText('after', '\nExample:\n  concordat document check report.pdf --network net')
    .action(check)
  withSigner(document.command('withdraw <file>').description('vouch for it no more; that it once was stays on record'))
    .option('--as <name>', 'with --network: whose development key signs')
    .option('--superseded-by <file>', 'the document that takes its place')
    .addHelpText(
      'after',
      '\nExample:\n  concordat document withdraw report.pdf --superseded-by report2.pdf --network net --as finance',
    )
    .action(withdraw)
  return document
}

async function anchor(file: string, flags: ActorFlags & { readonly kind: string; readonly note: string }) {
  const documentHash = await hashDocument(file)
  const kind = textId(flags.kind, '--kind')
  const done = await act(flags, evidence, 'anchor', () => ({ documentHash, kind, note: flags.note }))
  const out = createOutput(flags.json ?? false)
  out.line(`${file} (SHA-256 ${documentHash}) is anchored in block ${done.block} by ${done.address}`)
  out.result({ documentHash, ...done })
}

async function check(file: string, flags: ConnectionFlags): Promise<void> {
  const documentHash = await hashDocument(file)
  const rows = await reading(flags, async (client) => {
    const directory = createDirectory(client)
    const records = await view(client, evidence, 'anchorsOf', { documentHash })
    return Promise.all(
      records.map(async (record) => ({
        ...record,
        kind: idText(record.kind),
        signerName: (await directory.member(record.signer))?.name ?? record.signer,
        height: Number(record.height),
        time: new Date(Number(record.time) * 1000).toISOString(),
        withdrawnAt: record.withdrawn ? Number(record.withdrawnAt) : null,
        supersededBy: record.supersededBy === ZERO_HASH ? null : record.supersededBy,
      })),
    )
  })
  const out = createOutput(flags.json ?? false)
  const anchored = rows.some(({ withdrawnAt }) => withdrawnAt === null)
  if (rows.length === 0) out.line(`nobody has anchored ${file}: another file, or changed since (${documentHash})`)
  else showAnchors(out, rows)
  if (rows.length > 0 && !anchored) out.line(`nobody vouches for ${file} any more`)
  out.result({ documentHash, anchored, anchors: rows })
  if (!anchored) process.exitCode = 1
}

interface Shown {
  readonly signerName: string
  readonly kind: string
  readonly height: number
  readonly time: string
  readonly note: string
  readonly withdrawnAt: number | null
  readonly supersededBy: string | null
}

function showAnchors(out: Output, rows: readonly Shown[]): void {
  out.table(
    ['vouched for by', 'kind', 'block', 'time', 'note', 'withdrawn'],
    rows.map(({ signerName, kind, height, time, note, withdrawnAt, supersededBy }) => [
      signerName,
      kind,
      height,
      time,
      note,
      withdrawnAt === null ? 'no' : `block ${withdrawnAt}${supersededBy === null ? '' : ` for ${short(supersededBy)}`}`,
    ]),
  )
}

async function withdraw(file: string, flags: ActorFlags & { readonly supersededBy?: string }): Promise<void> {
  const documentHash = await hashDocument(file)
  const next = flags.supersededBy
  const supersededBy =
    next === undefined ? ZERO_HASH : next.startsWith('0x') ? wordOf(next, '--superseded-by') : await hashDocument(next)
  const done = await act(flags, evidence, 'withdraw', () => ({ documentHash, supersededBy }))
  const out = createOutput(flags.json ?? false)
  out.line(`the anchor of ${file} is withdrawn, final in block ${done.block}`)
  out.result({ documentHash, supersededBy, ...done })
}

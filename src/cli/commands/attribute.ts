import { Command } from 'commander'
import type { Connection } from '../../agent/connection.js'
import { ContractRevert, dataPortrait, view } from '../../agent/contractClient.js'
import { createDirectory } from '../../agent/directory.js'
import { textId } from '../../contracts/textId.js'
import type { AttributeEntry } from '../../node/attributeFile.js'
import { act } from '../attribute/act.js'
import { contentRows, describeProfile, namesOf } from '../attribute/describe.js'
import { readEntries, resolveEntry } from '../attribute/files.js'
import {
  type ChangeRow,
  readChange,
  readContent,
  readHistory,
  readOpenChanges,
  readVersionAt,
} from '../attribute/read.js'
import { showChange, showChanges, showHistory, showVersion } from '../attribute/show.js'
import { type ConnectionFlags, reading, withNode, withSigner } from '../connection.js'
import { CommandError, UsageError } from '../errors.js'
import { createOutput, type Output, short } from '../output.js'
import { type ActorFlags, signedAs } from '../transact.js'

interface ProposeFlags extends ActorFlags {
  readonly reason: string
  readonly at?: string
}

/** `concordat attribute`: the data portrait library (which department supervises what, under which rule), and how it changes. */
export function attributeCommand(): Command {
  const attribute = new Command('attribute').addHelpText(
    'after',
    '\nExample:\n  concordat attribute list --network net\n\nStep by step: docs/operations-attributes.md',
  )
  withNode(attribute.command('list').description('all attributes'))
    .addHelpText('after', '\nExample:\n  concordat attribute list --network net')
    .action(list)
  withNode(attribute.command('rule <attribute>').description('schema, sharing rule and terms of one attribute'))
    .addHelpText('after', '\nExample:\n  concordat attribute rule registeredCapital --network net')
    .action(rule)
  addProposals(attribute)
  addDecisions(attribute)
  withNode(attribute.command('changes').description('open and scheduled changes, and who still has to approve them'))
    .addHelpText('after', '\nExample:\n  concordat attribute changes --network net')
    .action(changes)
  withNode(attribute.command('history <attribute>').description('every version, since when, by whom and why'))
    .option('--at <block>', 'the whole version that was in force at this block')
    .addHelpText('after', '\nExample:\n  concordat attribute history registeredCapital --network net --at 120')
    .action(history)
  return attribute
}

/** Options of whoever signs. */
function withActor(command: Command): Command {
  return withSigner(command).option('--as <department>', 'with --network: the department whose key signs')
}

function addProposals(attribute: Command): void {
  const proposing = [
    ['register', 'register attributes from a JSON file (an entry of genesis.json, or a list of them)'],
    ['propose', 'propose changes of attributes from a JSON file with the entries as they shall be'],
  ] as const
  for (const [name, description] of proposing) {
    withActor(attribute.command(`${name} <file>`).description(description))
      .option('--reason <text>', 'kept on chain', '')
      .option('--at <block>', 'in force from this block on (default: as soon as it is approved)')
      .addHelpText(
        'after',
        `\nExample:\n  concordat attribute ${name} attribute.json --network net --as market-regulation --reason 'file 12/2026'`,
      )
      .action(proposeFile)
  }
}

function addDecisions(attribute: Command): void {
  withActor(attribute.command('approve <change>').description('approve a proposed change'))
    .addHelpText('after', '\nExample:\n  concordat attribute approve 3 --network net --as finance')
    .action((id: string, flags: ActorFlags) => decide(id, flags, 'approveChange', {}))
  withActor(
    attribute.command('refuse <change>').description('refuse a change, also an approved one until it is in force'),
  )
    .option('--reason <text>', 'kept on chain', '')
    .addHelpText(
      'after',
      "\nExample:\n  concordat attribute refuse 3 --network net --as finance --reason 'no legal basis'",
    )
    .action((id: string, flags: ActorFlags & { readonly reason: string }) =>
      decide(id, flags, 'refuseChange', { reason: flags.reason }),
    )
  withActor(attribute.command('withdraw <change>').description('take an own proposal back'))
    .addHelpText('after', '\nExample:\n  concordat attribute withdraw 3 --network net --as market-regulation')
    .action((id: string, flags: ActorFlags) => decide(id, flags, 'withdrawChange', {}))
}

async function list(flags: ConnectionFlags): Promise<void> {
  const rows = await reading(flags, async (client) => {
    const directory = createDirectory(client)
    const names = namesOf(directory)
    const profiles = [...(await directory.profiles()).values()]
    return Promise.all(
      profiles.map(async (profile) => ({
        ...describeProfile(profile),
        departments: await Promise.all(profile.supervisors.map(names)),
        keyEpoch: Number(profile.keyEpoch),
        encryptionKey: profile.encryptionKey,
      })),
    )
  })
  const out = createOutput(flags.json ?? false)
  out.table(
    ['attribute', 'type', 'supervised by', 'who may ask', 'key epoch', 'key'],
    rows.map((row) => [
      row.attribute,
      row.type,
      row.departments.join(', '),
      row.askers.join(', '),
      row.keyEpoch,
      short(row.encryptionKey),
    ]),
  )
  out.result(rows)
}

async function rule(name: string, flags: ConnectionFlags): Promise<void> {
  const attribute = textId(name, 'attribute')
  const { content, profile } = await reading(flags, async (client) => ({
    content: await readContent(client, attribute),
    profile: await view(client, dataPortrait, 'dataProfileOf', { attribute }),
  }))
  const out = createOutput(flags.json ?? false)
  out.table(['field', 'value'], contentRows(content))
  out.result({
    ...content,
    schema: profile.schema,
    rule: profile.rule,
    supervisors: profile.supervisors,
    departments: content.supervisors,
  })
}

async function proposeFile(file: string, flags: ProposeFlags): Promise<void> {
  const entries = readEntries(file)
  const effectiveAt = blockOf(flags.at)
  const out = createOutput(flags.json ?? false)
  const done = await signedAs(flags, async (connection) => {
    const rows: ChangeRow[] = []
    for (const entry of entries) {
      const row = await proposeEntry(connection, entry, { reason: flags.reason, effectiveAt }, out)
      if (row !== undefined) rows.push(row)
    }
    return rows
  })
  out.result(done)
}

/** Undefined when the entry says that already. */
async function proposeEntry(
  connection: Connection,
  entry: AttributeEntry,
  wish: { readonly reason: string; readonly effectiveAt: bigint },
  out: Output,
): Promise<ChangeRow | undefined> {
  const { terms, details, ...dataProfile } = await resolveEntry(connection.directory, entry)
  try {
    const { block, changeId } = await act(connection, 'proposeChange', { dataProfile, terms, details, ...wish })
    const row = await readChange(connection.client, changeId!)
    if (row.status === 'settled') out.line(`${entry.attribute} is registered, final in block ${block}`)
    else showChange(out, row, block)
    return row
  } catch (error) {
    if (!(error instanceof ContractRevert && error.error === 'NothingChanges')) throw error
    out.line(`${entry.attribute}: the data portrait says that already`)
    return undefined
  }
}

async function decide(
  text: string,
  flags: ActorFlags,
  action: 'approveChange' | 'refuseChange' | 'withdrawChange',
  more: { readonly reason?: string },
): Promise<void> {
  const id = changeIdOf(text)
  const out = createOutput(flags.json ?? false)
  const row = await signedAs(flags, async (connection) => {
    const args = action === 'refuseChange' ? { id, reason: more.reason ?? '' } : { id }
    const { block } = await act(connection, action, args as { id: bigint; reason: string })
    const row = await readChange(connection.client, id)
    showChange(out, row, block)
    return row
  })
  out.result(row)
}

async function changes(flags: ConnectionFlags): Promise<void> {
  const { rows, height } = await reading(flags, async (client) => ({
    rows: await readOpenChanges(client),
    height: Number(await client.call('eth_blockNumber')),
  }))
  const out = createOutput(flags.json ?? false)
  showChanges(out, rows, height)
  out.result(rows)
}

async function history(name: string, flags: ConnectionFlags & { readonly at?: string }): Promise<void> {
  const attribute = textId(name, 'attribute')
  const out = createOutput(flags.json ?? false)
  if (flags.at !== undefined) {
    const height = blockOf(flags.at)
    const version = await reading(flags, (client) => readVersionAt(client, attribute, height))
    if (version === undefined) {
      throw new CommandError(`${name} had no entry at block ${height} yet: see concordat attribute history ${name}`)
    }
    showVersion(out, version)
    out.result(version)
    return
  }
  const versions = await reading(flags, (client) => readHistory(client, attribute))
  showHistory(out, name, versions)
  out.result(versions)
}

function changeIdOf(text: string): bigint {
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new UsageError(`'${text}' is no number of a change; see concordat attribute changes`)
  return BigInt(text)
}

function blockOf(text: string | undefined): bigint {
  if (text === undefined) return 0n
  if (!/^\d{1,12}$/.test(text)) throw new UsageError(`--at takes the number of a block, not '${text}'`)
  return BigInt(text)
}

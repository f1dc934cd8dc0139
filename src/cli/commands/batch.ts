import { writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { batchHistory } from '../../agent/batchHistory.js'
import { provenance } from '../../agent/contractClient.js'
import { hashDocument } from '../../agent/documentHash.js'
import { textId } from '../../contracts/textId.js'
import { ZERO_ADDRESS, ZERO_HASH } from '../../core/bytes.js'
import { batchPage } from '../batchPage.js'
import { type ConnectionFlags, reading, withNode, withSigner } from '../connection.js'
import { createOutput } from '../output.js'
import { type ActorFlags, act, memberAddress, wordOf } from '../transact.js'

/** `concordat batch`: the way of goods through several institutions. */
export function batchCommand(): Command {
  const batch = new Command('batch').addHelpText(
    'after',
    '\nExample:\n  concordat batch show tea-2026-07 --network net',
  )
  addOpen(batch)
  addSteps(batch)
  addCustody(batch)
  addEnds(batch)
  withNode(batch.command('show <batch>').description('the whole way of a batch; anyone may look'))
    .option('--html <file>', 'write a page for the public')
    .addHelpText('after', '\nExample:\n  concordat batch show tea-2026-07 --network net --html tea.html')
    .action(show)
  return batch
}

const withActor = (command: Command): Command =>
  withSigner(command).option('--as <name>', 'with --network: whose development key signs')

function addOpen(batch: Command): void {
  withActor(batch.command('open <batch>').description('put a new batch on record; you are its origin and custodian'))
    .requiredOption('--product <text>', 'what it is')
    .option('--made-from <batch>', 'a batch that went into it; repeat it for several', collect, [])
    .option('--data <file>', 'a document that describes it; the chain keeps its hash')
    .addHelpText(
      'after',
      "\nExample:\n  concordat batch open tea-2026-07 --product 'Tea, first flush' --network net --key-file farm.key",
    )
    .action(async (id: string, flags: ActorFlags & { product: string; madeFrom: readonly string[]; data?: string }) => {
      const args = {
        batchId: wordOf(id, 'batch'),
        product: flags.product,
        inputs: flags.madeFrom.map((input) => wordOf(input, '--made-from')),
        dataHash: flags.data === undefined ? ZERO_HASH : await hashDocument(flags.data),
      }
      const done = await act(flags, provenance, 'openBatch', () => args)
      report(flags, `${id} is open, final in block ${done.block}`, { batch: id, ...done })
    })
}

function addSteps(batch: Command): void {
  withActor(batch.command('step <batch> <kind>').description('add what was done, like harvested or inspected'))
    .option('--data <file>', 'its record; the chain keeps the hash')
    .option('--note <text>', 'a remark that everyone can read', '')
    .addHelpText(
      'after',
      "\nExample:\n  concordat batch step tea-2026-07 inspected --data lab.pdf --note 'no residue' --network net --as market-regulation",
    )
    .action(async (id: string, kind: string, flags: ActorFlags & { readonly data?: string; readonly note: string }) => {
      const args = {
        batchId: wordOf(id, 'batch'),
        kind: textId(kind, 'kind'),
        dataHash: flags.data === undefined ? ZERO_HASH : await hashDocument(flags.data),
        note: flags.note,
      }
      const done = await act(flags, provenance, 'addStep', () => args)
      report(flags, `${kind} is on record for ${id}, final in block ${done.block}`, { batch: id, kind, ...done })
    })
  withActor(batch.command('allow <batch> <member>').description('let a member add steps'))
    .option('--revoke', 'take that back')
    .addHelpText(
      'after',
      '\nExample:\n  concordat batch allow tea-2026-07 market-regulation --network net --key-file farm.key',
    )
    .action(async (id: string, member: string, flags: ActorFlags & { readonly revoke?: boolean }) => {
      const allowed = flags.revoke !== true
      const done = await act(flags, provenance, 'setParticipant', async (client) => {
        return { batchId: wordOf(id, 'batch'), participant: await memberAddress(flags, client, member), allowed }
      })
      const verb = allowed ? 'may now' : 'may no longer'
      report(flags, `${member} ${verb} add steps to ${id}, final in block ${done.block}`, {
        batch: id,
        member,
        ...done,
      })
    })
}

function addCustody(batch: Command): void {
  withActor(batch.command('hand-over <batch> [member]').description('offer custody; without a member, take it back'))
    .addHelpText(
      'after',
      '\nExample:\n  concordat batch hand-over tea-2026-07 91440300708461136T --network net --key-file farm.key',
    )
    .action(async (id: string, member: string | undefined, flags: ActorFlags) => {
      const done = await act(flags, provenance, 'handOver', async (client) => {
        const to = member === undefined ? ZERO_ADDRESS : await memberAddress(flags, client, member)
        return { batchId: wordOf(id, 'batch'), to }
      })
      const what = member === undefined ? 'is offered to nobody now' : `is offered to ${member}`
      report(flags, `${id} ${what}, final in block ${done.block}`, { batch: id, to: member ?? null, ...done })
    })
  withActor(batch.command('take-over <batch>').description('take custody that was offered'))
    .addHelpText('after', '\nExample:\n  concordat batch take-over tea-2026-07 --network net --key-file shop.key')
    .action(async (id: string, flags: ActorFlags) => {
      const done = await act(flags, provenance, 'takeOver', () => ({ batchId: wordOf(id, 'batch') }))
      report(flags, `${id} is yours, final in block ${done.block}`, { batch: id, ...done })
    })
}

function addEnds(batch: Command): void {
  const ends = [
    ['close', 'closeBatch', 'sold, used up', 'closed'],
    ['recall', 'recall', 'warn of it, and of all that was made from it', 'recalled'],
  ] as const
  for (const [name, call, description, result] of ends) {
    withActor(batch.command(`${name} <batch>`).description(description))
      .requiredOption('--reason <text>', 'everyone can read it')
      .addHelpText(
        'after',
        `\nExample:\n  concordat batch ${name} tea-2026-07 --reason 'lab report 88' --network net --key-file farm.key`,
      )
      .action(async (id: string, flags: ActorFlags & { readonly reason: string }) => {
        const args = { batchId: wordOf(id, 'batch'), reason: flags.reason }
        const done = await act(flags, provenance, call, () => args)
        report(flags, `${id} is ${result}, final in block ${done.block}`, { batch: id, ...done })
      })
  }
}

async function show(id: string, flags: ConnectionFlags & { readonly html?: string }): Promise<void> {
  const history = await reading(flags, (client) => batchHistory(client, wordOf(id, 'batch')))
  if (flags.html !== undefined) writeFileSync(flags.html, batchPage(history))
  const out = createOutput(flags.json ?? false)
  out.line(`${history.product} (${history.batch}): ${history.state}, with ${history.custodian}`)
  if (history.recalled !== null) out.line(`RECALLED: batch ${history.recalled}; ${history.reason}`)
  if (history.inputs.length > 0) out.line(`made from ${history.inputs.join(', ')}`)
  out.table(
    ['block', 'time', 'step', 'by', 'note'],
    history.steps.map(({ block, time, kind, by, note }) => [block, time, kind, by, note]),
  )
  if (flags.html !== undefined) out.line(`page for the public: ${flags.html}`)
  out.result(history)
}

function report(flags: ConnectionFlags, line: string, result: object): void {
  const out = createOutput(flags.json ?? false)
  out.line(line)
  out.result(result)
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]

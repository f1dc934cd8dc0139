import { join } from 'node:path'
import { Command } from 'commander'
import { CHANGE_KIND } from '../../contracts/codes.js'
import { ZERO_ADDRESS } from '../../core/bytes.js'
import { type ConnectionFlags, networkOf, reading, withNode, withSigner } from '../connection.js'
import { CommandError, UsageError } from '../errors.js'
import { createOutput } from '../output.js'
import { type Acted, act, addressOf } from '../sealer/act.js'
import { readChange, readChanges, readSealers } from '../sealer/read.js'
import { showChange, showChanges, showSealers } from '../sealer/show.js'
import { verifyChain } from '../sealer/verify.js'
import type { ActorFlags } from '../transact.js'

interface ProposeFlags extends ActorFlags {
  readonly reason: string
}

/** `concordat sealer`: who seals blocks, and how members change that by vote. */
export function sealerCommand(): Command {
  const sealer = new Command('sealer').addHelpText(
    'after',
    '\nExample:\n  concordat sealer list --network net\n\nStep by step: docs/operations-sealers.md',
  )
  withNode(sealer.command('list').description('the sealers in leader order, with weight and credit'))
    .addHelpText('after', '\nExample:\n  concordat sealer list --network net --json')
    .action(async (flags: ConnectionFlags) => {
      const out = createOutput(flags.json ?? false)
      const report = await readSealers(flags)
      showSealers(out, report)
      out.result(report)
    })
  withNode(sealer.command('changes').description('open changes of the set and who has approved them'))
    .option('--all', 'settled, refused, lapsed and withdrawn ones, too')
    .addHelpText('after', '\nExample:\n  concordat sealer changes --network net --all')
    .action(async (flags: ConnectionFlags & { readonly all?: boolean }) => {
      const out = createOutput(flags.json ?? false)
      const changes = await readChanges(flags, flags.all ?? false)
      showChanges(out, changes)
      out.result(changes)
    })
  addVerify(sealer)
  addVolunteer(sealer)
  addVotes(sealer)
  addOwnSeat(sealer)
  return sealer
}

function addVerify(sealer: Command): void {
  withNode(
    sealer.command('verify').description('prove the chain of a node from genesis on, through every set of sealers'),
  )
    .option('--genesis <file>', 'genesis file (default with --network: its own)')
    .option(
      '--extension <file>',
      'module with the leader schedule that genesis names; repeat it for several',
      collect,
      [],
    )
    .addHelpText('after', '\nExample:\n  concordat sealer verify --rpc http://10.0.0.1:8545 --genesis genesis.json')
    .action(async (flags: ConnectionFlags & { readonly genesis?: string; readonly extension: string[] }) => {
      const genesis = flags.genesis ?? (flags.network === undefined ? undefined : join(flags.network, 'genesis.json'))
      if (genesis === undefined) throw new UsageError('name what is trusted: --genesis FILE')
      const point = await reading(flags, (client) => verifyChain(client, { genesis, extensions: flags.extension }))
      const { height, hash, set } = point
      const out = createOutput(flags.json ?? false)
      out.line(
        `blocks 1 to ${height} are final by their certificates; block ${height} is ${hash}, epoch ${set.epoch} follows it`,
      )
      out.result({ height, hash, epoch: set.epoch, sealers: set.sealers })
    })
}

/** Options of whoever signs. */
function withActor(command: Command): Command {
  return withSigner(command).option('--as <name>', 'with --network: node or department whose development key signs')
}

function addVolunteer(sealer: Command): void {
  withActor(sealer.command('volunteer').description("a node comes forward to seal; signed with that node's own key"))
    .option('--multiaddr <address>', 'where other nodes reach it (default with --network: as network.json says)')
    .addHelpText('after', '\nExample:\n  concordat sealer volunteer --network net --as node5')
    .action(async (flags: ActorFlags & { readonly multiaddr?: string }) => {
      const node = networkOf(flags)?.nodes.find((one) => one.name === flags.as || one.department === flags.as)
      const multiaddr = flags.multiaddr ?? node?.p2p
      if (multiaddr === undefined)
        throw new UsageError('say where other nodes reach this one: --multiaddr /ip4/…/tcp/…/p2p/…')
      const { address, block } = await act(flags, 'volunteer', { multiaddr })
      const out = createOutput(flags.json ?? false)
      out.line(`${address} has come forward in block ${block}; members may now propose it`)
      out.result({ address, multiaddr, block })
    })
}

function addVotes(sealer: Command): void {
  const propose = sealer
    .command('propose')
    .description('propose a change of the sealers; this is also the first approval')
    .addHelpText(
      'after',
      "\nExample:\n  concordat sealer propose add node5 --network net --as finance --reason 'one more'",
    )
  const kinds = [
    ['add', '<sealer>', 'a volunteer joins, last in the order of leaders'],
    ['remove', '<sealer>', 'a sealer leaves'],
    ['replace', '<sealer> <replacement>', 'a volunteer takes the place of a sealer'],
  ] as const
  for (const [kind, args, description] of kinds) {
    withActor(propose.command(`${kind} ${args}`).description(description))
      .option('--reason <text>', 'kept on chain', '')
      .addHelpText(
        'after',
        `\nExample:\n  concordat sealer propose ${kind} ${kind === 'replace' ? 'node4 node5' : 'node5'} --network net --as finance`,
      )
      .action(async (...given: unknown[]) => {
        const flags = given.at(-2) as ProposeFlags
        const [one, other] = given.slice(0, -2) as string[]
        const change = {
          kind: CHANGE_KIND[kind],
          sealer: addressOf(flags, one!),
          replacement: other === undefined ? ZERO_ADDRESS : addressOf(flags, other),
          reason: flags.reason,
        }
        await showOutcome(flags, await act(flags, 'proposeChange', change))
      })
  }
  withActor(sealer.command('approve <id>').description('approve a proposed change'))
    .addHelpText('after', '\nExample:\n  concordat sealer approve 1 --network net --as market-regulation')
    .action(async (text: string, flags: ActorFlags) => {
      const id = idOf(text)
      await showOutcome(flags, await act(flags, 'approveChange', { id }), id)
    })
  withActor(sealer.command('withdraw <id>').description('take an approval back'))
    .addHelpText('after', '\nExample:\n  concordat sealer withdraw 1 --network net --as market-regulation')
    .action(async (text: string, flags: ActorFlags) => {
      const id = idOf(text)
      await showOutcome(flags, await act(flags, 'withdrawApproval', { id }), id)
    })
}

function addOwnSeat(sealer: Command): void {
  withActor(sealer.command('leave').description('a sealer gives its seat up; needs no vote'))
    .addHelpText('after', '\nExample:\n  concordat sealer leave --network net --as node5')
    .action(async (flags: ActorFlags) => showOutcome(flags, await act(flags, 'leave', {})))
  const rotate = sealer
    .command('rotate')
    .description("change a sealer's key: the old key offers its seat, the new key takes it; needs no vote")
    .addHelpText(
      'after',
      '\nExample:\n  concordat sealer rotate offer node5 --network net --as node4\n  concordat sealer rotate take node4 --network net --as node5',
    )
  withActor(rotate.command('offer <successor>').description('signed with the old key'))
    .addHelpText('after', '\nExample:\n  concordat sealer rotate offer node5 --network net --as node4')
    .action(async (to: string, flags: ActorFlags) => {
      const successor = addressOf(flags, to)
      const { address, block } = await act(flags, 'offerSeat', { successor })
      const out = createOutput(flags.json ?? false)
      out.line(
        `${address} offers its seat to ${successor} since block ${block}; the new key takes it with 'rotate take'`,
      )
      out.result({ sealer: address, successor, block })
    })
  withActor(rotate.command('take <predecessor>').description('signed with the new key, whose node runs'))
    .addHelpText('after', '\nExample:\n  concordat sealer rotate take node4 --network net --as node5')
    .action(async (from: string, flags: ActorFlags) =>
      showOutcome(flags, await act(flags, 'takeSeat', { predecessor: addressOf(flags, from) })),
    )
}

/** Shows how the change that was sent or voted on stands then. */
async function showOutcome(flags: ActorFlags, { changeId, block }: Acted, id = changeId): Promise<void> {
  if (id === undefined)
    throw new CommandError('the transaction is final, but names no change; see: concordat sealer changes')
  const change = await readChange(flags, id)
  const out = createOutput(flags.json ?? false)
  showChange(out, change, block)
  out.result({ ...change, block })
}

function collect(value: string, previous: string[]): string[] {
  return [...previous, value]
}

function idOf(text: string): bigint {
  if (!/^\d{1,18}$/.test(text))
    throw new UsageError(`'${text}' is no number of a change; see: concordat sealer changes`)
  return BigInt(text)
}

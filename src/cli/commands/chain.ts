import { Command } from 'commander'
import { asHeight } from '../../core/bytes.js'
import { recentStateBlocks } from '../../core/limits.js'
import { type ExportPlan, exportChain, storeSource } from '../../node/chainFile/export.js'
import { importHistory } from '../../node/chainFile/history.js'
import { importChain, verifyChainFile } from '../../node/chainFile/importer.js'
import { loadExtensions } from '../../node/extensionFiles.js'
import type { RpcClient } from '../../rpc/client.js'
import { ChainStore } from '../../state/chainStore.js'
import {
  existingFolder,
  type FileFlags,
  genesisOf,
  heightArgument,
  trustedHash,
  withTrust,
} from '../chain/arguments.js'
import { chainProgress } from '../chain/progress.js'
import { pruneCommand } from '../chain/prune.js'
import { rpcSource } from '../chain/rpcSource.js'
import { snapshotCommand } from '../chain/snapshot.js'
import { reading } from '../connection.js'
import { UsageError } from '../errors.js'
import { createOutput } from '../output.js'

interface ExportFlags extends FileFlags {
  readonly rpc?: string
  readonly data?: string
  readonly from?: string
  readonly to?: string
}

interface ImportFlags extends FileFlags {
  readonly data: string
  readonly archive?: boolean
  readonly history?: boolean
  readonly recentBlocks?: string
}

/** `concordat chain`: blocks in files, and what a node keeps of the past. */
export function chainCommand(): Command {
  const chain = new Command('chain').addHelpText(
    'after',
    '\nExample:\n  concordat chain export --network net chain.cdcf\n\nFormat, backup, new nodes: docs/chain-files.md',
  )
  addExport(chain)
  addVerify(chain)
  addImport(chain)
  chain.addCommand(snapshotCommand())
  chain.addCommand(pruneCommand())
  return chain
}

function addExport(chain: Command): void {
  chain
    .command('export <file>')
    .description('write final blocks with their certificates to a file')
    .option('--network <dir>', 'a local network: asks its first node, takes its genesis')
    .option('--rpc <url>', 'JSON-RPC endpoint of a node')
    .option('--data <dir>', 'data folder of a node that is stopped')
    .option('--genesis <file>', 'genesis file, which goes into the file (default with --network: its own)')
    .option('--from <height>', 'first block (default: 1)')
    .option('--to <height>', 'last block (default: the last certified one)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  concordat chain export --rpc http://10.0.0.1:8545 --genesis genesis.json chain.cdcf',
    )
    .action(async (path: string, flags: ExportFlags) => {
      const out = createOutput(flags.json ?? false)
      const progress = chainProgress('exported')
      const plan = {
        path,
        genesis: genesisOf(flags),
        ...(flags.from === undefined ? {} : { from: heightArgument('--from', flags.from) }),
        ...(flags.to === undefined ? {} : { to: heightArgument('--to', flags.to) }),
        onProgress: ({ height, last }: { height: number; last: number }) => progress.show(height, last),
      }
      const exported = await (flags.data === undefined
        ? reading(flags, (client) => exportNode(client, plan))
        : exportFolder(flags.data, plan))
      progress.end()
      const { first, last, hash, bytes } = exported
      out.line(`blocks ${first} to ${last} (${hash}) are in ${path}, ${bytes} bytes`)
      out.result({ file: path, ...exported })
    })
}

async function exportNode(client: RpcClient, plan: ExportPlan) {
  const found = await client.call('concordat_genesisHash')
  if (found !== plan.genesis.hash)
    throw new UsageError(`the node is of the chain with genesis ${found}, not ${plan.genesis.hash}: name its genesis`)
  return exportChain(rpcSource(client), plan)
}

async function exportFolder(dir: string, plan: ExportPlan) {
  const store = await ChainStore.open({ dir: existingFolder(dir) })
  try {
    const stored = store.canonicalHash(asHeight(0))
    if (stored !== plan.genesis.hash)
      throw new UsageError(`${dir} holds the chain with genesis ${stored ?? 'none'}, not ${plan.genesis.hash}`)
    return await exportChain(storeSource(store), plan)
  } finally {
    await store.close()
  }
}

function addVerify(chain: Command): void {
  withTrust(
    chain.command('verify <file>').description('check links, seals, leaders, certificates and bodies of a chain file'),
  )
    .addHelpText('after', '\nExample:\n  concordat chain verify chain.cdcf --genesis genesis.json')
    .action(async (path: string, flags: FileFlags) => {
      const progress = chainProgress('verified')
      const report = await verifyChainFile({
        path,
        genesisHash: trustedHash(flags),
        extensions: await loadExtensions(flags.extension),
        onProgress: ({ height, last }) => progress.show(height, last),
      })
      progress.end()
      const out = createOutput(flags.json ?? false)
      const { first, last, hash, epoch } = report
      out.line(`blocks ${first} to ${last} are final by their certificates; block ${last} is ${hash}, epoch ${epoch}`)
      out.result({ file: path, ...report })
    })
}

function addImport(chain: Command): void {
  withTrust(
    chain
      .command('import <file>')
      .description('check and execute the blocks of a file into a data folder; goes on where it broke off'),
  )
    .requiredOption('--data <dir>', 'data folder: empty, or of a node that is stopped')
    .option('--history', 'fill in the blocks below the snapshot from which the folder began, or that were pruned')
    .option('--archive', 'keep all states (state.archive of the node that will use the folder)')
    .option('--recent-blocks <count>', 'states to keep (state.recentBlocks of that node; default 128)')
    .addHelpText('after', '\nExample:\n  concordat chain import chain.cdcf --genesis genesis.json --data node5/data')
    .action(async (path: string, flags: ImportFlags) => {
      const progress = chainProgress('imported')
      const plan = {
        path,
        genesisHash: trustedHash(flags),
        extensions: await loadExtensions(flags.extension),
        dataDir: flags.data,
        onProgress: ({ height, last }: { height: number; last: number }) => progress.show(height, last),
      }
      const out = createOutput(flags.json ?? false)
      if (flags.history === true) {
        const blocks = await importHistory({ ...plan, dataDir: existingFolder(flags.data) })
        progress.end()
        out.line(`${blocks} blocks filled in; the folder has all from block 1 on`)
        out.result({ file: path, data: flags.data, blocks })
        return
      }
      const imported = await importChain({ ...plan, history: historyOf(flags) })
      progress.end()
      const { last, hash, blocks } = imported
      out.line(`${blocks} blocks imported; the folder has block ${last} (${hash}) of the file`)
      out.result({ file: path, data: flags.data, ...imported })
    })
}

function historyOf({ archive = false, recentBlocks }: ImportFlags) {
  if (recentBlocks === undefined) return { recentBlocks: recentStateBlocks, archive }
  if (!/^\d{1,6}$/.test(recentBlocks)) throw new UsageError(`--recent-blocks must be a number, got '${recentBlocks}'`)
  return { recentBlocks: Number(recentBlocks), archive }
}

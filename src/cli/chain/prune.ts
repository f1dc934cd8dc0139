/** `concordat chain prune`: makes room in the folder of a node that is stopped. */
import { Command } from 'commander'
import { asHeight, type Height } from '../../core/bytes.js'
import { verifyChainFile } from '../../node/chainFile/importer.js'
import { loadExtensions } from '../../node/extensionFiles.js'
import { ChainStore } from '../../state/chainStore.js'
import { pruneBlocks, pruneStates } from '../../state/prune.js'
import { openLevelStore } from '../../state/store/level.js'
import { CommandError, UsageError } from '../errors.js'
import { createOutput } from '../output.js'
import { existingFolder, type FileFlags, heightArgument, trustedHash, withTrust } from './arguments.js'

/** Blocks before the head that stay: what peers and agents that were away for a while come back for. */
const BLOCKS_KEPT_MIN = 1_024

interface PruneFlags extends FileFlags {
  readonly data: string
  readonly states?: boolean
  readonly blocksBelow?: string
  readonly exported?: string
}

export function pruneCommand(): Command {
  return withTrust(
    new Command('prune').description('remove past states, or bodies and receipts of old blocks that were exported'),
  )
    .requiredOption('--data <dir>', 'data folder of a node that is stopped')
    .option('--states', 'past states, an archive with them')
    .option('--blocks-below <height>', `bodies and receipts of the blocks below; the last ${BLOCKS_KEPT_MIN} stay`)
    .option('--exported <file>', 'with --blocks-below: chain file that holds these blocks; it is verified first')
    .addHelpText(
      'after',
      '\nExample:\n  concordat chain prune --data node1/data --blocks-below 100000 --exported chain.cdcf --genesis genesis.json',
    )
    .action(prune)
}

async function prune(flags: PruneFlags): Promise<void> {
  const { blocksBelow, exported } = flags
  if (flags.states !== true && blocksBelow === undefined)
    throw new UsageError('say what is to go: --states, or --blocks-below HEIGHT with --exported FILE')
  const end = blocksBelow === undefined ? undefined : heightArgument('--blocks-below', blocksBelow)
  if (end !== undefined && exported === undefined)
    throw new UsageError('what is removed must be in a file: --exported FILE (concordat chain export)')
  const store = await openLevelStore(existingFolder(flags.data))
  const chain = await ChainStore.open({ store })
  try {
    if (end !== undefined) await checkExported(chain, end, exported!, flags)
    const blocks = end === undefined ? 0 : await pruneBlocks(store, chain, end)
    const records = flags.states === true ? await pruneStates(store) : 0
    await store.compact()
    const out = createOutput(flags.json ?? false)
    out.line(
      `removed: ${blocks} blocks, ${records} records of past states; kept are blocks from ${chain.oldestBlock()} on`,
    )
    out.result({ data: flags.data, blocks, records, oldestBlock: chain.oldestBlock() })
  } finally {
    await chain.close()
  }
}

/** What goes is in the file, and the file is of this chain. */
async function checkExported(chain: ChainStore, end: Height, path: string, flags: FileFlags): Promise<void> {
  const head = chain.head()?.height ?? 0
  if (end > head - BLOCKS_KEPT_MIN)
    throw new CommandError(
      `the last ${BLOCKS_KEPT_MIN} blocks stay: --blocks-below may be ${Math.max(0, head - BLOCKS_KEPT_MIN)} at most`,
    )
  const genesisHash = trustedHash(flags)
  if (chain.canonicalHash(asHeight(0)) !== genesisHash)
    throw new CommandError(`the folder is not of the chain with genesis ${genesisHash}`)
  const { first, last, hash } = await verifyChainFile({
    path,
    genesisHash,
    extensions: await loadExtensions(flags.extension),
  })
  if (first > chain.oldestBlock() || last < end - 1)
    throw new CommandError(
      `${path} holds blocks ${first} to ${last}, to be removed are ${chain.oldestBlock()} to ${end - 1}`,
    )
  if (chain.canonicalHash(last) !== hash) throw new CommandError(`block ${last} of ${path} is not that of the folder`)
}

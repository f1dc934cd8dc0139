/** `concordat chain snapshot`: the state of one block as a file, from which a node starts without the blocks before it. */
import { Command } from 'commander'
import { createSnapshot, loadSnapshot } from '../../node/chainFile/snapshot.js'
import { loadExtensions } from '../../node/extensionFiles.js'
import { createOutput } from '../output.js'
import { existingFolder, type FileFlags, genesisOf, trustedHash, withTrust } from './arguments.js'

export function snapshotCommand(): Command {
  const snapshot = new Command('snapshot')
    .description('the state of the last block as a file that proves itself, and a new node from it')
    .addHelpText(
      'after',
      '\nExample:\n  concordat chain snapshot load state.cdcf --genesis genesis.json --data node5/data',
    )
  snapshot
    .command('create <file>')
    .description('write the state of the last block of a node that is stopped')
    .requiredOption('--data <dir>', 'data folder of the node')
    .requiredOption('--genesis <file>', 'genesis file, which goes into the snapshot')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  concordat chain snapshot create state.cdcf --data node1/data --genesis genesis.json',
    )
    .action(
      async (path: string, flags: { readonly data: string; readonly genesis: string; readonly json?: boolean }) => {
        const report = await createSnapshot(existingFolder(flags.data), { path, genesis: genesisOf(flags) })
        const out = createOutput(flags.json ?? false)
        out.line(
          `the state of block ${report.height} (${report.hash}) is in ${path}: ${report.entries} entries, ${report.bytes} bytes`,
        )
        out.result({ file: path, ...report })
      },
    )
  withTrust(snapshot.command('load <file>').description('check a snapshot and fill an empty data folder from it'))
    .requiredOption('--data <dir>', 'new data folder')
    .addHelpText(
      'after',
      '\nExample:\n  concordat chain snapshot load state.cdcf --genesis genesis.json --data node5/data',
    )
    .action(async (path: string, flags: FileFlags & { readonly data: string }) => {
      const report = await loadSnapshot({
        path,
        genesisHash: trustedHash(flags),
        extensions: await loadExtensions(flags.extension),
        dataDir: flags.data,
      })
      const out = createOutput(flags.json ?? false)
      out.line(
        `${flags.data} begins with block ${report.height} (${report.hash}); the state has the root it names, ${report.stateRoot}`,
      )
      out.result({ file: path, data: flags.data, ...report })
    })
  return snapshot
}

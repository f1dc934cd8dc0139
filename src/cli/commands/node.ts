import { Command, Option } from 'commander'
import { stringify } from 'yaml'
import { loadNodeConfig } from '../../node/config.js'
import { runNode } from '../../node/run.js'

interface NodeFlags {
  readonly config: string
  readonly printConfig?: boolean
  readonly logLevel?: string
  readonly rpcPort?: string
  readonly p2pPort?: string
  readonly metricsPort?: string
  readonly acceptLostJournal?: boolean
  readonly json?: boolean
}

/** `concordat node`: one node in the foreground, until SIGINT or SIGTERM. */
export function nodeCommand(): Command {
  return new Command('node')
    .requiredOption('--config <file>', 'configuration file (YAML)')
    .option('--print-config', 'print the effective configuration and exit')
    .addOption(new Option('--log-level <level>', 'fatal, error, warn, info, debug or trace'))
    .option('--rpc-port <port>', 'port of JSON-RPC and WebSocket')
    .option('--p2p-port <port>', 'port of the peer network')
    .option('--metrics-port <port>', 'port of the Prometheus metrics')
    .option(
      '--accept-lost-journal',
      'vote at once although votes of this sealer may be unknown here: you vouch that it signed nothing else',
    )
    .option('--json', 'with --print-config: print JSON')
    .addHelpText('after', '\nExample:\n  concordat node --config network/node1/config.yaml')
    .action(async (flags: NodeFlags) => {
      const overrides: Record<string, string> = {}
      if (flags.logLevel !== undefined) overrides.logLevel = flags.logLevel
      if (flags.rpcPort !== undefined) overrides['rpc.port'] = flags.rpcPort
      if (flags.p2pPort !== undefined) overrides['p2p.port'] = flags.p2pPort
      if (flags.metricsPort !== undefined) overrides['metrics.port'] = flags.metricsPort
      const config = loadNodeConfig(flags.config, process.env, overrides)
      if (flags.printConfig) {
        process.stdout.write(flags.json ? `${JSON.stringify(config, null, 2)}\n` : stringify(config))
        return
      }
      await runNode(config, flags.acceptLostJournal)
    })
}

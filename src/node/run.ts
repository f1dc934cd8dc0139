/** `concordat node` as a process: logs to standard output, stops cleanly on SIGINT and SIGTERM, ends with 1 on what it cannot go on after. */
import { type Logger, pino } from 'pino'
import { readKeyFile } from '../crypto/keyFile.js'
import type { NodeConfig } from './config.js'
import { loadExtensions } from './extensionFiles.js'
import { loadGenesis } from './genesisFile.js'
import { Node } from './node.js'
import { VERSION } from './version.js'

/** Runs until a signal or a fatal fault; resolves once everything is closed. `acceptLostJournal`: see NodeOptions. */
export async function runNode(config: NodeConfig, acceptLostJournal = false): Promise<void> {
  const log = pino({ level: config.logLevel, base: { node: config.name } })
  let end = (_fatal?: unknown) => {}
  const ended = new Promise<unknown>((resolve) => {
    end = resolve
  })
  const node = await Node.open({
    config,
    genesis: loadGenesis(config.genesis),
    extensions: await loadExtensions(config.consensus.extensions),
    privateKey: await readKeyFile(config.keyFile, config.passwordFile),
    clientVersion: `concordat/v${VERSION}/${process.platform}-${process.arch}/node${process.versions.node}`,
    log,
    acceptLostJournal,
    onFatal: end,
  })
  const stop = (signal: NodeJS.Signals) => {
    log.info({ signal }, 'stopping')
    end()
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  process.once('uncaughtException', end)
  // Without such files a hang-up ends the process, as it always does.
  if (config.rpc.tls ?? config.rpc.auth.secretFile ?? config.rpc.auth.publicKeysFile) {
    process.on('SIGHUP', () => void reload(node, log))
  }
  try {
    await node.start()
    log.info(
      { address: node.address, genesis: node.genesisHash, rpc: node.rpcUrl, height: node.view.head().header.number },
      'node is up',
    )
    const fatal = await ended
    if (fatal !== undefined) {
      log.fatal({ err: fatal }, 'the node stops: it cannot be sure of its state any more')
      process.exitCode = 1
    }
  } finally {
    await node.stop()
  }
}

async function reload(node: Node, log: Logger): Promise<void> {
  try {
    await node.reloadSecrets()
    log.info('secrets, public keys and certificates of RPC are read again')
  } catch (error) {
    log.error({ err: error }, 'after SIGHUP the old secrets, public keys and certificates of RPC stay in use')
  }
}

/** One geth process that seals with Clique. */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandError } from '../../src/cli/errors.js'
import type { StartedProcess } from '../../src/cli/network/processes.js'
import { encryptKeystore } from '../../src/crypto/keystore.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import type { RpcClient } from '../../src/rpc/client.js'
import { runGeth } from './geth.js'

export interface GethNode {
  readonly dataDir: string
  readonly logFile: string
  /** secp256k1, 32 bytes: of the account that seals. */
  readonly key: Uint8Array
  readonly chainId: number
  readonly gasLimit: bigint
  /** HTTP and WebSocket. */
  readonly rpcPort: number
  readonly p2pPort: number
  /** Of the interface for consensus clients, which nobody uses here. */
  readonly authPort: number
}

/** Protects a key that is made for one measurement and lies beside it. */
const PASSWORD = 'bench'
const APIS = 'eth,net,web3,txpool,admin,miner'
const SWITCHES = ['http', 'ws', 'nodiscover', 'ipcdisable', 'allow-insecure-unlock']

/** Writes the key and block 0 into the node's folder. Throws CommandError, or the signal's reason. */
export async function initialiseNode(
  { dataDir, key }: GethNode,
  genesisFile: string,
  signal: AbortSignal,
): Promise<void> {
  const keystore = join(dataDir, 'keystore')
  mkdirSync(keystore, { recursive: true, mode: 0o700 })
  const sealed = await encryptKeystore(key, PASSWORD, { scryptN: 4_096 })
  writeFileSync(join(keystore, 'sealer.json'), JSON.stringify(sealed), { mode: 0o600 })
  writeFileSync(join(dataDir, 'password'), PASSWORD, { mode: 0o600 })
  await runGeth(['--datadir', dataDir, '--verbosity', '1', 'init', genesisFile], signal)
}

/** Everything that is not a port or a key is geth's default, but for the least fee: 1 wei, the smallest that its pool takes. */
export function startNode(node: GethNode): StartedProcess {
  const sealer = privateKeyToAddress(node.key)
  const flags = {
    datadir: node.dataDir,
    networkid: node.chainId,
    syncmode: 'full',
    port: node.p2pPort,
    nat: 'none',
    netrestrict: '127.0.0.0/8',
    'authrpc.port': node.authPort,
    'http.port': node.rpcPort,
    'http.api': APIS,
    'ws.port': node.rpcPort,
    'ws.api': APIS,
    unlock: sealer,
    password: join(node.dataDir, 'password'),
    'miner.etherbase': sealer,
    'miner.gaslimit': node.gasLimit,
    'miner.gasprice': 1,
    'txpool.pricelimit': 1,
  }
  const values = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)])
  return startGeth([...SWITCHES.map((name) => `--${name}`), ...values], node.logFile)
}

/** Has the nodes seal, or stop it. */
export async function setSealing(clients: readonly RpcClient[], sealing: boolean): Promise<void> {
  await Promise.all(clients.map((client) => client.request(sealing ? 'miner_start' : 'miner_stop')))
}

function startGeth(args: readonly string[], logFile: string): StartedProcess {
  mkdirSync(join(logFile, '..'), { recursive: true })
  const log = openSync(logFile, 'a')
  const child = spawn('geth', args, { stdio: ['ignore', log, log], detached: true })
  closeSync(log)
  child.unref()
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code))
    child.once('error', () => resolve(1))
  })
  if (child.pid === undefined) throw new CommandError('could not start geth')
  // It never says so to its parent: whoever waits asks its RPC.
  return { pid: child.pid, logFile, exited, ready: new Promise(() => {}) }
}

/** How commands reach a node and whose key they sign with: --network DIR, or --rpc URL with --key-file FILE. */
import { type Command } from 'commander'
import { followHeads, type Heads } from '../agent/heads.js'
import { createSender, type TransactionSender } from '../agent/sender.js'
import { fromHex } from '../core/bytes.js'
import { readKeyFile } from '../crypto/keyFile.js'
import { createRpcClient, type RpcClient } from '../rpc/client.js'
import { UsageError } from './errors.js'
import { type NetworkFile, readNetwork } from './network/file.js'

export interface ConnectionFlags {
  readonly network?: string
  readonly rpc?: string
  readonly keyFile?: string
  readonly passwordFile?: string
  readonly json?: boolean
}

export interface Connection {
  readonly client: RpcClient
  readonly heads: Heads
  readonly chainId: number
  readonly network: NetworkFile | undefined
  close(): void
}

/** Adds the options that `connect` reads. */
export function withConnection(command: Command): Command {
  return command
    .option('--network <dir>', 'a local network made by `concordat network create`')
    .option('--rpc <url>', 'JSON-RPC endpoint of a node (default: the first node of --network)')
    .option('--key-file <file>', 'private key to sign with: hex of mode 0600, or keystore V3')
    .option('--password-file <file>', 'password of the keystore')
    .option('--json', 'print JSON')
}

/** Connects to the node that the flags name. Throws UsageError or RpcClientError. */
export async function connect(flags: ConnectionFlags, nodeName?: string): Promise<Connection> {
  const network = flags.network === undefined ? undefined : readNetwork(flags.network)
  const node = network?.nodes.find((one) => one.name === nodeName || one.department === nodeName) ?? network?.nodes[0]
  const url = flags.rpc ?? node?.rpc
  if (url === undefined) throw new UsageError('say which node to ask: --network DIR, or --rpc http://host:port')
  const client = createRpcClient({ url })
  try {
    const chainId = Number(await client.call('eth_chainId'))
    const heads = followHeads(client)
    const close = () => {
      heads.stop()
      client.close()
    }
    return { client, heads, chainId, network, close }
  } catch (error) {
    client.close()
    throw error
  }
}

/** The signer that --key-file names, or the development account `account` of the network. Throws UsageError or KeyFileError. */
export async function privateKeyOf(flags: ConnectionFlags, connection: Connection, account: string): Promise<Uint8Array> {
  if (flags.keyFile !== undefined) return readKeyFile(flags.keyFile, flags.passwordFile)
  const known = connection.network?.accounts[account]
  if (known === undefined) throw new UsageError(`name the key of ${account}: --key-file FILE`)
  return fromHex(known.privateKey)
}

export async function senderOf(flags: ConnectionFlags, connection: Connection, account: string): Promise<TransactionSender> {
  const { client, heads, chainId } = connection
  return createSender({ chainId, privateKey: await privateKeyOf(flags, connection, account) }, { client, heads })
}

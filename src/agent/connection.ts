/** A member's link to the chain through one node: what proxies and agents share. */
import { createRpcClient, type RpcClient, type RpcClientOptions } from '../rpc/client.js'
import { AgentError } from './agentError.js'
import { createDirectory, type Directory } from './directory.js'
import { followHeads, type Heads } from './heads.js'
import { createSender, type TransactionSender } from './sender.js'

export interface ConnectionOptions {
  readonly rpc: RpcClientOptions
  /** secp256k1 private key of the member's account, 32 bytes. */
  readonly privateKey: Uint8Array
  /** When given, the node has to be on this chain. */
  readonly chainId?: number
  /** How long a transaction may take to become final; default 30,000. */
  readonly finalTimeoutMs?: number
}

export interface Connection {
  readonly client: RpcClient
  readonly heads: Heads
  readonly directory: Directory
  readonly sender: TransactionSender
  readonly chainId: number
  close(): void
}

/** Asks the node for its chain id and subscribes to final blocks. Throws AgentError WRONG_CHAIN, RpcError or RpcClientError. */
export async function connect(options: ConnectionOptions): Promise<Connection> {
  const client = createRpcClient(options.rpc)
  try {
    const chainId = Number(await client.call('eth_chainId'))
    if (options.chainId !== undefined && options.chainId !== chainId) {
      const message = `${client.url} is on chain ${chainId}, not ${options.chainId}: name another node`
      throw new AgentError('WRONG_CHAIN', message)
    }
    return connectionOn(client, chainId, options)
  } catch (error) {
    client.close()
    throw error
  }
}

/** The same over a client that is there already. */
export function connectionOn(
  client: RpcClient,
  chainId: number,
  options: Pick<ConnectionOptions, 'privateKey' | 'finalTimeoutMs'>,
): Connection {
  const { privateKey, finalTimeoutMs } = options
  const heads = followHeads(client)
  const directory = createDirectory(client)
  const watch = directory.watch(heads)
  const sender = createSender({ chainId, privateKey, ...(finalTimeoutMs && { finalTimeoutMs }) }, { client, heads })
  return {
    client,
    heads,
    directory,
    sender,
    chainId,
    close() {
      heads.stop()
      watch.close()
      client.close()
    },
  }
}

/** A member's link to the chain through one node: what proxies and agents share. */
import type { Address } from '../core/bytes.js'
import { createRpcClient, type RpcClient, type RpcClientOptions } from '../rpc/client.js'
import { AgentError } from './agentError.js'
import type { Deliveries } from './delivery/delivery.js'
import type { Directory } from './directory.js'
import type { Heads } from './heads.js'
import type { TransactionSender } from './sender.js'
import { type SignedConnectionOptions, signedConnection } from './signedConnection.js'
import { keySigner } from './signer.js'

export interface ConnectionOptions extends Omit<SignedConnectionOptions, 'signer'> {
  readonly rpc: RpcClientOptions
  /** secp256k1 private key of the member, 32 bytes: its account's, or another that acts for it. */
  readonly privateKey: Uint8Array
  /** When given, the node has to be on this chain. */
  readonly chainId?: number
}

export interface Connection {
  readonly client: RpcClient
  readonly heads: Heads
  readonly directory: Directory
  readonly sender: TransactionSender
  readonly deliveries: Deliveries
  readonly chainId: number
  /**
   * Account of the member for which the key acts: what others know it by, and what is addressed to it names. The key's own
   * address while it acts for nobody. Rejects with RpcError or RpcClientError.
   */
  account(): Promise<Address>
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
  options: Pick<ConnectionOptions, 'privateKey' | 'finalTimeoutMs' | 'delivery'>,
): Connection {
  const { privateKey, ...others } = options
  return signedConnection(client, chainId, { signer: keySigner(privateKey), ...others })
}

/** A member's link to the chain through one node: what proxies and agents share. */
import type { Address } from '../core/bytes.js'
import { createRpcClient, type RpcClient, type RpcClientOptions } from '../rpc/client.js'
import { AgentError } from './agentError.js'
import { ContractRevert, members, view } from './contractClient.js'
import { Deliveries } from './delivery/delivery.js'
import { createDirectDelivery, type DirectDeliveryOptions } from './delivery/direct.js'
import { createDirectory, type Directory } from './directory.js'
import { followHeads, type Heads } from './heads.js'
import { createSender, type TransactionSender } from './sender.js'

export interface ConnectionOptions {
  readonly rpc: RpcClientOptions
  /** secp256k1 private key of the member, 32 bytes: its account's, or another that acts for it. */
  readonly privateKey: Uint8Array
  /** When given, the node has to be on this chain. */
  readonly chainId?: number
  /** How long a transaction may take to become final; default 30,000. */
  readonly finalTimeoutMs?: number
  /** Of envelopes that travel directly. */
  readonly delivery?: DirectDeliveryOptions
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
  const { privateKey, finalTimeoutMs } = options
  const heads = followHeads(client)
  const directory = createDirectory(client)
  const watch = directory.watch(heads)
  const sender = createSender({ chainId, privateKey, ...(finalTimeoutMs && { finalTimeoutMs }) }, { client, heads })
  const sign = (digest: Uint8Array) => sender.sign(digest)
  const direct = createDirectDelivery(options.delivery ?? {}, { client, chainId, sign })
  return {
    client,
    heads,
    directory,
    sender,
    deliveries: new Deliveries(direct),
    chainId,
    account: memberAccount(client, sender.address),
    close() {
      heads.stop()
      watch.close()
      client.close()
    },
  }
}

/** Asked once: a key acts for one member only, for ever. Who is not registered yet may be soon. */
function memberAccount(client: RpcClient, signer: Address): () => Promise<Address> {
  let known: Address | undefined
  return async () => {
    known ??= await view(client, members, 'getMember', { account: signer }).then(
      ({ account }) => account,
      (error: unknown) => {
        if (error instanceof ContractRevert && error.error === 'UnknownMember') return undefined
        throw error
      },
    )
    return known ?? signer
  }
}

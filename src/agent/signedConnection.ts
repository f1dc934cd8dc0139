/** A member's link to the chain over any JSON-RPC client; runs in browsers too. */
import type { Address } from '../core/bytes.js'
import type { RpcClient } from '../rpc/client.js'
import type { Connection } from './connection.js'
import { ContractRevert, members, view } from './contractClient.js'
import { Deliveries } from './delivery/delivery.js'
import { createDirectDelivery, type DirectDeliveryOptions } from './delivery/direct.js'
import { createDirectory } from './directory.js'
import { followHeads } from './heads.js'
import { createSender } from './sender.js'
import type { Signer } from './signer.js'

export interface SignedConnectionOptions {
  readonly signer: Signer
  /** How long a transaction may take to become final; default 30,000. */
  readonly finalTimeoutMs?: number
  /** Of envelopes that travel directly. */
  readonly delivery?: DirectDeliveryOptions
}

/** Who only reads has no account. */
export type ReadConnection = Pick<Connection, 'client' | 'chainId' | 'heads' | 'directory' | 'close'>

export function readConnection(client: RpcClient, chainId: number): ReadConnection {
  const heads = followHeads(client)
  const directory = createDirectory(client)
  const watch = directory.watch(heads)
  return {
    client,
    chainId,
    heads,
    directory,
    close() {
      heads.stop()
      watch.close()
      client.close()
    },
  }
}

export function signedConnection(client: RpcClient, chainId: number, options: SignedConnectionOptions): Connection {
  const { signer, finalTimeoutMs } = options
  const reading = readConnection(client, chainId)
  const { heads } = reading
  const sender = createSender({ chainId, signer, ...(finalTimeoutMs && { finalTimeoutMs }) }, { client, heads })
  const direct = createDirectDelivery(options.delivery ?? {}, { client, chainId, sign: signer.sign })
  const account = memberAccount(client, sender.address)
  return { ...reading, sender, deliveries: new Deliveries(direct), account }
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

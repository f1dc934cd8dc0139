/** A link to a chain over any transport of viem. */
import { type Client, createClient, type Transport } from 'viem'
import type { Connection } from '../agent/connection.js'
import type { DirectDeliveryOptions } from '../agent/delivery/direct.js'
import { type ReadConnection, readConnection, signedConnection } from '../agent/signedConnection.js'
import { ClientError } from './clientError.js'
import { rpcOverViem } from './viemRpc.js'
import { type MemberAccount, viemSigner } from './viemSigner.js'

interface CommonOptions {
  /** When given, the node has to be on this chain. */
  readonly chainId?: number
  /** How long a transaction may take to become final; default 30,000. */
  readonly finalTimeoutMs?: number
  /** Between two looks at the newest block while something is done; default 250. Transports that push are not polled for. */
  readonly pollMs?: number
  /** Of envelopes that travel directly. */
  readonly delivery?: DirectDeliveryOptions
}

/** `transport`: http(url), webSocket(url), custom(window.ethereum) of viem; or `client`: a client that is there already. */
export type ReadOptions = CommonOptions &
  ({ readonly transport: Transport; readonly client?: never } | { readonly client: Client; readonly transport?: never })

export type MemberOptions = ReadOptions & {
  /** Acts for the member: its key, or a wallet that has it. */
  readonly account: MemberAccount
}

/** Who only reads. `viem`: the client of viem below, for everything that has no function here. */
export interface Reader extends ReadConnection {
  readonly viem: Client
}

/** A member: it reads, signs and sends. */
export interface Member extends Connection {
  readonly viem: Client
}

/** Throws ClientError WRONG_CHAIN, RpcError or RpcClientError. */
export function connect(options: MemberOptions): Promise<Member>
export function connect(options: ReadOptions): Promise<Reader>
export async function connect(options: MemberOptions | ReadOptions): Promise<Member | Reader> {
  const { chainId: wanted, finalTimeoutMs, pollMs = 250, delivery } = options
  const viem = options.client ?? createClient({ transport: options.transport })
  const client = rpcOverViem(viem as Client<Transport>, { pollMs })
  const chainId = Number(await client.call('eth_chainId'))
  if (wanted !== undefined && wanted !== chainId) {
    throw new ClientError('WRONG_CHAIN', `${client.url} is on chain ${chainId}, not ${wanted}: name another node`)
  }
  const common = { viem }
  if (!('account' in options)) return { ...readConnection(client, chainId), ...common }
  const signer = viemSigner(options.account)
  const times = { ...(finalTimeoutMs && { finalTimeoutMs }), ...(delivery && { delivery }) }
  return { ...signedConnection(client, chainId, { signer, ...times }), ...common }
}

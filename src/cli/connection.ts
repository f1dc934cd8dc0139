/** How commands reach a node and whose key they sign with: --network DIR, or --rpc URL with --key-file and --token-file. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { batchingClient } from '../agent/bulk/batchingClient.js'
import { type Connection, connect as connectAgent, connectionOn } from '../agent/connection.js'
import { fromHex } from '../core/bytes.js'
import { readKeyFile } from '../crypto/keyFile.js'
import { createRpcClient, type RpcClient, type RpcClientOptions } from '../rpc/client.js'
import type { ConnectionFlags } from './connectionFlags.js'
import { UsageError } from './errors.js'
import { type NetworkFile, type NetworkNode, readNetwork } from './network/file.js'
import { rpcOf } from './rpcAccess.js'

export { type ConnectionFlags, withNode, withSigner } from './connectionFlags.js'

/**
 * Runs `use` with a client of the node that the flags name, or of that of `account`. Throws UsageError, RpcClientError and
 * what `use` throws.
 */
export async function reading<T>(
  flags: ConnectionFlags,
  use: (client: RpcClient) => Promise<T>,
  account?: string,
): Promise<T> {
  const client = createRpcClient(endpointOf(flags, account))
  try {
    return await use(client)
  } finally {
    client.close()
  }
}

/** Runs `use` signed in with the key that --key-file names, or with the development account `account` of the network. */
export async function signedIn<T>(
  flags: ConnectionFlags,
  account: string,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const privateKey = await privateKeyOf(flags, account)
  const connection = await connectAgent({ rpc: endpointOf(flags, account), privateKey })
  try {
    return await use(connection)
  } finally {
    connection.close()
  }
}

/**
 * As `signedIn`, over a client whose calls travel in batches, for commands that do thousands of things at a time. `account` null: what signs has keys
 * of its own, the connection signs nothing.
 */
export async function batched<T>(
  flags: ConnectionFlags,
  account: string | null,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const privateKey = account === null ? new Uint8Array(randomBytes(32)) : await privateKeyOf(flags, account)
  const client = batchingClient(createRpcClient({ ...endpointOf(flags), timeoutMs: BATCH_TIMEOUT_MS }))
  let connection: Connection | undefined
  try {
    connection = connectionOn(client, Number(await client.call('eth_chainId')), { privateKey })
    return await use(connection)
  } finally {
    connection?.close()
    client.close()
  }
}

/** A batch of estimates on a busy node takes longer than one call. */
const BATCH_TIMEOUT_MS = 60_000

/** The node's folder of a department of the local network; throws UsageError when there is none. */
export function departmentNode(
  flags: ConnectionFlags,
  department: string,
): { readonly node: NetworkNode; readonly dir: string } {
  const network = networkOf(flags)
  const node = network?.nodes.find((one) => one.department === department)
  if (flags.network === undefined || network === undefined || node === undefined) {
    const known = network?.nodes.flatMap((one) => one.department ?? []).join(', ')
    throw new UsageError(
      `there is no department '${department}'${known ? `; this network has ${known}` : ': name the network with --network DIR'}`,
    )
  }
  return { node, dir: join(flags.network, node.name) }
}

/** The local network that the flags name, if they do. */
export function networkOf(flags: ConnectionFlags): NetworkFile | undefined {
  return flags.network === undefined ? undefined : readNetwork(flags.network)
}

function endpointOf(flags: ConnectionFlags, account?: string): RpcClientOptions {
  if (flags.rpc !== undefined) return rpcOf(flags.rpc, flags)
  const network = networkOf(flags)
  const own = account === undefined ? undefined : network?.nodes.find((one) => isOf(one, account))
  const node = own ?? network?.nodes[0]
  if (node === undefined) throw new UsageError('say which node to ask: --network DIR, or --rpc http://host:port')
  return rpcOf(node.rpc, flags, node.rpcToken)
}

const isOf = (node: NetworkNode, account: string): boolean => node.department === account || node.name === account

/** The key that the flags name. Throws UsageError. */
export async function privateKeyOf(flags: ConnectionFlags, account: string): Promise<Uint8Array> {
  if (flags.keyFile !== undefined) return readKeyFile(flags.keyFile, flags.passwordFile)
  const network = networkOf(flags)
  const department = network?.nodes.find((one) => one.name === account)?.department
  const known = network?.accounts[department ?? account]
  if (known === undefined) throw new UsageError(`name the key of ${account}: --key-file FILE`)
  return fromHex(known.privateKey)
}

/** What commands that send one transaction share: who signs, whom names stand for. */
import type { Connection } from '../agent/connection.js'
import { type Contract, members, view } from '../agent/contractClient.js'
import { transact } from '../agent/transact.js'
import { textId } from '../contracts/textId.js'
import type { Address, Hash } from '../core/bytes.js'
import type { RpcClient } from '../rpc/client.js'
import type { FunctionArgs, FunctionName, HumanAbi } from '../vm/abiTypes.js'
import { type ConnectionFlags, networkOf, signedIn } from './connection.js'
import { UsageError } from './errors.js'
import { addressArgument, hashArgument } from './hexArgument.js'

export interface ActorFlags extends ConnectionFlags {
  /** Name of the node, department or account of --network whose development key signs. */
  readonly as?: string
}

/** Runs `use` signed in as the flags say. Throws UsageError where they do not, and what `use` throws. */
export async function signedAs<T>(flags: ActorFlags, use: (connection: Connection) => Promise<T>): Promise<T> {
  if (flags.as === undefined && flags.keyFile === undefined)
    throw new UsageError('say who signs: --as NAME with --network, or --key-file FILE')
  return signedIn(flags, flags.as ?? '', use)
}

export interface Acted {
  /** That signed. */
  readonly address: Address
  readonly transaction: Hash
  readonly block: number
}

/** Sends one call, its arguments made with the node at hand, and waits until it is final. Throws UsageError and what `transact` throws. */
export function act<H extends HumanAbi, N extends FunctionName<H>>(
  flags: ActorFlags,
  contract: Contract<H>,
  name: N,
  args: (client: RpcClient) => Promise<FunctionArgs<H, N>> | FunctionArgs<H, N>,
): Promise<Acted> {
  return signedAs(flags, async (connection) => {
    const { transaction, block } = await transact(connection, contract, name, await args(connection.client))
    return { address: connection.sender.address, transaction, block }
  })
}

/** An address, the name of a node, department or account of --network, or the id of any member. */
export async function memberAddress(flags: ConnectionFlags, client: RpcClient, text: string): Promise<Address> {
  if (text.startsWith('0x')) return addressArgument(text)
  const network = networkOf(flags)
  const node = network?.nodes.find((one) => one.name === text || one.department === text)
  const known = node?.address ?? network?.accounts[text]?.address
  if (known !== undefined) return known
  return (await view(client, members, 'memberById', { id: textId(text, 'member id') })).account
}

/** A 32-byte word: 0x and 64 hex digits, or a short text. */
export function wordOf(text: string, title: string): Hash {
  return text.startsWith('0x') ? hashArgument(text, title) : textId(text, title)
}

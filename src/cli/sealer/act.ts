/** Transactions of `concordat sealer`: signed, final, and what they began. */

import { sealers } from '../../agent/contractClient.js'
import { eventIn, transact } from '../../agent/transact.js'
import type { sealersAbi } from '../../contracts/sealers.abi.js'
import type { Address } from '../../core/bytes.js'
import type { FunctionArgs } from '../../vm/abiTypes.js'
import { type ConnectionFlags, networkOf } from '../connection.js'
import { UsageError } from '../errors.js'
import { addressArgument } from '../hexArgument.js'
import { type ActorFlags, signedAs } from '../transact.js'

export interface Acted {
  readonly address: Address
  readonly block: number
  /** The change that the transaction proposed, if it did. */
  readonly changeId: bigint | undefined
}

type Action = 'volunteer' | 'proposeChange' | 'approveChange' | 'withdrawApproval' | 'leave' | 'offerSeat' | 'takeSeat'

/** Sends one transaction and waits until it is final. Throws UsageError and what `transact` throws. */
export function act<N extends Action>(
  flags: ActorFlags,
  name: N,
  args: FunctionArgs<typeof sealersAbi, N>,
): Promise<Acted> {
  return signedAs(flags, async (connection) => {
    const { block, receipt } = await transact(connection, sealers, name, args)
    return { address: connection.sender.address, block, changeId: eventIn(receipt, sealers, 'ChangeProposed')?.id }
  })
}

/** An address, or the name of a node or department of --network. */
export function addressOf(flags: ConnectionFlags, text: string): Address {
  if (text.startsWith('0x')) return addressArgument(text)
  const nodes = networkOf(flags)?.nodes ?? []
  const node = nodes.find((one) => one.name === text || one.department === text)
  if (node !== undefined) return node.address
  const known = nodes.map((one) => one.name).join(', ')
  throw new UsageError(`'${text}' is no address${known === '' ? '' : ` and none of ${known}`}`)
}

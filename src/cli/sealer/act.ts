/** Transactions of `concordat sealer`: signed, final, and what they began. */

import { sealers } from '../../agent/contractClient.js'
import type { sealersAbi } from '../../contracts/sealers.abi.js'
import { type Address, fromHex } from '../../core/bytes.js'
import type { RpcReceipt } from '../../rpc/wire.js'
import type { FunctionArgs } from '../../vm/abiTypes.js'
import { type ConnectionFlags, networkOf, signedIn } from '../connection.js'
import { CommandError, UsageError } from '../errors.js'
import { addressArgument } from '../hexArgument.js'

export interface ActFlags extends ConnectionFlags {
  /** Name of the node or department whose development key signs. */
  readonly as?: string
}

export interface Acted {
  readonly address: Address
  readonly block: number
  /** The change that the transaction proposed, if it did. */
  readonly changeId: bigint | undefined
}

type Action = 'volunteer' | 'proposeChange' | 'approveChange' | 'withdrawApproval' | 'leave' | 'offerSeat' | 'takeSeat'

/** Sends one transaction and waits until it is final. Throws ContractRevert with the contract's reason, or CommandError. */
export function act<N extends Action>(
  flags: ActFlags,
  name: N,
  args: FunctionArgs<typeof sealersAbi, N>,
): Promise<Acted> {
  if (flags.as === undefined && flags.keyFile === undefined)
    throw new UsageError('say who signs: --as NAME with --network, or --key-file FILE')
  return signedIn(flags, flags.as ?? '', async ({ sender }) => {
    const hash = await sender.send(sealers, name, args)
    const receipt = await sender.final(hash)
    if (receipt.status !== '0x1')
      throw new CommandError(`the chain has refused it meanwhile (transaction ${hash}); try again`)
    return { address: sender.address, block: Number(receipt.blockNumber), changeId: proposedIn(receipt) }
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

function proposedIn(receipt: RpcReceipt): bigint | undefined {
  for (const { address, topics, data } of receipt.logs) {
    if (address !== sealers.address) continue
    const event = sealers.abi.decodeEvent('ChangeProposed', { topics, data: fromHex(data) })
    if (event !== undefined) return event.id
  }
  return undefined
}

/** Transactions of `concordat attribute`: signed, final, and the change that they began. */
import type { Connection } from '../../agent/connection.js'
import { dataPortrait } from '../../agent/contractClient.js'
import { transact } from '../../agent/transact.js'
import type { dataPortraitAbi } from '../../contracts/dataPortrait.abi.js'
import { fromHex } from '../../core/bytes.js'
import type { RpcReceipt } from '../../rpc/wire.js'
import type { FunctionArgs } from '../../vm/abiTypes.js'
import { type ConnectionFlags, signedIn } from '../connection.js'
import { UsageError } from '../errors.js'

export interface ActFlags extends ConnectionFlags {
  /** Department whose key signs. */
  readonly as?: string
}

export interface Acted {
  readonly block: number
  /** The change that the transaction proposed, if it did. */
  readonly changeId: bigint | undefined
}

type Action = 'proposeChange' | 'approveChange' | 'refuseChange' | 'withdrawChange'

/** Runs `use` signed in as the flags say. Throws UsageError when they do not. */
export function signing<T>(flags: ActFlags, use: (connection: Connection) => Promise<T>): Promise<T> {
  if (flags.as === undefined && flags.keyFile === undefined)
    throw new UsageError('say who signs: --as DEPARTMENT with --network, or --key-file FILE')
  return signedIn(flags, flags.as ?? '', use)
}

/** Sends one transaction and waits until it is final. Throws ContractRevert with the contract's reason, or AgentError. */
export async function act<N extends Action>(
  connection: Connection,
  name: N,
  args: FunctionArgs<typeof dataPortraitAbi, N>,
): Promise<Acted> {
  const { block, receipt } = await transact(connection, dataPortrait, name, args)
  return { block, changeId: proposedIn(receipt) }
}

function proposedIn(receipt: RpcReceipt): bigint | undefined {
  for (const { address, topics, data } of receipt.logs) {
    if (address !== dataPortrait.address) continue
    const event = dataPortrait.abi.decodeEvent('ChangeProposed', { topics, data: fromHex(data) })
    if (event !== undefined) return event.id
  }
  return undefined
}

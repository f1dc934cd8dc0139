/** Transactions of `concordat attribute`: signed, final, and the change that they began. */
import type { Connection } from '../../agent/connection.js'
import { dataPortrait } from '../../agent/contractClient.js'
import { eventIn, transact } from '../../agent/transact.js'
import type { dataPortraitAbi } from '../../contracts/dataPortrait.abi.js'
import type { FunctionArgs } from '../../vm/abiTypes.js'

export interface Acted {
  readonly block: number
  /** The change that the transaction proposed, if it did. */
  readonly changeId: bigint | undefined
}

type Action = 'proposeChange' | 'approveChange' | 'refuseChange' | 'withdrawChange'

/** Sends one transaction and waits until it is final. Throws ContractRevert with the contract's reason, or AgentError. */
export async function act<N extends Action>(
  connection: Connection,
  name: N,
  args: FunctionArgs<typeof dataPortraitAbi, N>,
): Promise<Acted> {
  const { block, receipt } = await transact(connection, dataPortrait, name, args)
  return { block, changeId: eventIn(receipt, dataPortrait, 'ChangeProposed')?.id }
}

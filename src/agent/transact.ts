/** One call of a contract, final and in effect. */
import { fromHex, type Hash } from '../core/bytes.js'
import type { RpcReceipt } from '../rpc/wire.js'
import type { EventArgs, EventName, FunctionArgs, FunctionName, HumanAbi } from '../vm/abiTypes.js'
import { AgentError } from './agentError.js'
import type { Connection } from './connection.js'
import type { Contract } from './contractClient.js'
import { WaitError } from './heads.js'
import type { TransactionSender } from './sender.js'

export interface Transacted {
  readonly transaction: Hash
  readonly block: number
  readonly receipt: RpcReceipt
}

/**
 * Sends a call and waits until it is final. Throws ContractRevert with the contract's reason, AgentError TRANSACTION_FAILED
 * when the state changed between the node's estimate and the block, WaitError, RpcError or RpcClientError.
 */
export async function transact<H extends HumanAbi, N extends FunctionName<H>>(
  { sender }: Pick<Connection, 'sender'>,
  contract: Contract<H>,
  name: N,
  args: FunctionArgs<H, N>,
): Promise<Transacted> {
  const { transaction, receipt } = await sendOnce(sender, contract, name, args)
  if (receipt.status !== '0x1') {
    const message = `${contract.name}.${name} had no effect: the chain has refused it meanwhile (transaction ${transaction}); try again`
    throw new AgentError('TRANSACTION_FAILED', message)
  }
  return { transaction, block: Number(receipt.blockNumber), receipt }
}

/** The first event of this name that the contract has emitted in a transaction. */
export function eventIn<H extends HumanAbi, N extends EventName<H>>(
  { logs }: RpcReceipt,
  contract: Contract<H>,
  name: N,
): EventArgs<H, N> | undefined {
  for (const { address, topics, data } of logs) {
    if (address !== contract.address) continue
    const event = contract.abi.decodeEvent(name, { topics, data: fromHex(data) })
    if (event !== undefined) return event
  }
  return undefined
}

/** Other processes with the same key take nonces at other nodes; hardly ever twice for one call. */
const TRIES = 3

/** What was overtaken had no effect, so it takes effect once. */
async function sendOnce<H extends HumanAbi, N extends FunctionName<H>>(
  sender: TransactionSender,
  contract: Contract<H>,
  name: N,
  args: FunctionArgs<H, N>,
): Promise<Pick<Transacted, 'transaction' | 'receipt'>> {
  for (let tries = 1; ; tries++) {
    const transaction = await sender.send(contract, name, args)
    try {
      return { transaction, receipt: await sender.final(transaction) }
    } catch (error) {
      if (tries === TRIES || !(error instanceof WaitError && error.code === 'OVERTAKEN')) throw error
    }
  }
}

/** What a chain wants for gas: nothing on a concordat chain, something where another node speaks the same protocol. */
import type { RpcClient } from '../rpc/client.js'

/** In wei for each unit of gas. */
export interface Fee {
  /** Most that is paid in all: maxFeePerGas of EIP-1559. */
  readonly gasPrice: bigint
  readonly maxPriorityFeePerGas: bigint
}

/** Asks the node. The price may double before a transaction waits; what is not needed is not taken. Throws RpcError or RpcClientError. */
export async function readFee(client: RpcClient): Promise<Fee> {
  const [gasPrice, tip] = await Promise.all([client.call('eth_gasPrice'), client.call('eth_maxPriorityFeePerGas')])
  return { gasPrice: 2n * BigInt(gasPrice), maxPriorityFeePerGas: BigInt(tip) }
}

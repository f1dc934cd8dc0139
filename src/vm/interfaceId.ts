/** ERC-165: a contract says which interface it has. */
import { type Hex, toHex } from '../core/bytes.js'
import { ContractAbi } from './abi.js'
import type { HumanAbi } from './abiTypes.js'

/** What every contract answers besides its own functions. */
export const erc165Abi = ['function supportsInterface(bytes4 interfaceId) view returns (bool supported)'] as const

export const erc165Interface = new ContractAbi(erc165Abi)

/** Interface id: the selectors of all functions, by exclusive or. */
export function interfaceId<const H extends HumanAbi>(abi: ContractAbi<H>): Hex {
  const id = new Uint8Array(4)
  for (const name of abi.functionNames()) {
    const { selector } = abi.functionCodec(name)
    for (let i = 0; i < id.length; i++) id[i]! ^= selector[i]!
  }
  return toHex(id)
}

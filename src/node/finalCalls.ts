/** Calls of this node itself against the last final block. */
import { type Address, type Hash, ZERO_ADDRESS } from '../core/bytes.js'
import type { Header } from '../core/header.js'
import type { ContractAbi } from '../vm/abi.js'
import type { FunctionArgs, FunctionName, FunctionResult, HumanAbi } from '../vm/abiTypes.js'
import { type CallRequest, type CallResult, callContract } from '../vm/call.js'
import type { BlockContext, ContractRegistry } from '../vm/contract.js'
import type { FinalChain } from './finalChain.js'

export interface FinalCallsNeeds {
  readonly chainId: number
  readonly genesisHash: Hash
  readonly chain: FinalChain
  readonly registry: ContractRegistry
}

export class FinalCalls {
  readonly #needs: FinalCallsNeeds

  constructor(needs: FinalCallsNeeds) {
    this.#needs = needs
  }

  /** A final block as contracts see it, by default the last one. */
  context(header: Header = this.#needs.chain.head().header): BlockContext {
    const { chainId, genesisHash } = this.#needs
    const { number, timestamp, miner, gasLimit } = header
    return { number, timestamp, chainId: BigInt(chainId), genesisHash, sealer: miner, gasLimit }
  }

  call(request: CallRequest): CallResult {
    return callContract(this.#needs.chain.ground().state, this.context(), request, this.#needs.registry)
  }

  /** Answer of a contract's view; undefined when it reverts. */
  view<H extends HumanAbi, N extends FunctionName<H>>(
    contract: Address,
    abi: ContractAbi<H>,
    name: N,
    args: FunctionArgs<H, N>,
  ): FunctionResult<H, N> | undefined {
    const data = abi.encodeCall(name, args)
    const outcome = this.call({ from: ZERO_ADDRESS, to: contract, data, value: 0n, gas: undefined })
    return outcome.ok ? abi.decodeResult(name, outcome.returnData) : undefined
  }
}

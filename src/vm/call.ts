/** Calls that are not transactions (eth_call, eth_estimateGas): executed on a scratch state, nothing is kept. */
import type { Address } from '../core/bytes.js'
import type { StateReader } from '../state/reader.js'
import type { BlockContext, ContractRegistry } from './contract.js'
import { executeMessage } from './executeTransaction.js'
import { intrinsicGas } from './gas.js'
import { ScratchState } from './scratchState.js'

export interface CallRequest {
  readonly from: Address
  /** null asks for contract creation, which this chain does not have. */
  readonly to: Address | null
  readonly data: Uint8Array
  /** In wei. */
  readonly value: bigint
  /** undefined: the block's gas limit, which is also the cap. */
  readonly gas: bigint | undefined
}

export type CallResult =
  | { readonly ok: true; readonly returnData: Uint8Array; readonly gasUsed: bigint }
  /** `returnData` is the ABI-encoded error. */
  | { readonly ok: false; readonly code: 'REVERTED'; readonly returnData: Uint8Array }
  | { readonly ok: false; readonly code: 'FAILED'; readonly message: string }

export type GasEstimate = { readonly ok: true; readonly gas: bigint } | Extract<CallResult, { ok: false }>

const NO_ACCESS_LIST = [] as const

export function callContract(
  state: StateReader,
  block: BlockContext,
  request: CallRequest,
  registry: ContractRegistry,
): CallResult {
  const { from, to, data, value } = request
  if (to === null) return failed('contract creation is not supported, this chain has system contracts only')
  const gas = request.gas === undefined || request.gas > block.gasLimit ? block.gasLimit : request.gas
  const intrinsic = intrinsicGas({ data, accessList: NO_ACCESS_LIST })
  if (gas < intrinsic) return failed(`intrinsic gas too low: have ${gas}, want ${intrinsic}`)
  if (value > (value === 0n ? 0n : (state.account(from)?.balance ?? 0n))) {
    return failed(`insufficient funds for transfer: address ${from}`)
  }
  const message = { from, to, data, value, gas: Number(gas), intrinsic: Number(intrinsic) }
  const outcome = executeMessage(new ScratchState(state), block, registry, message)
  if (outcome.error === 'OUT_OF_GAS') return failed(`out of gas: the limit was ${gas}`)
  if (outcome.revertData !== undefined) return { ok: false, code: 'REVERTED', returnData: outcome.revertData }
  return { ok: true, returnData: outcome.returnData, gasUsed: outcome.gasUsed }
}

/**
 * The least gas limit with which the request succeeds on this state. One execution finds it: gas used does not depend on
 * the limit (no refunds, no share held back from calls, see gas.ts).
 */
export function estimateGas(
  state: StateReader,
  block: BlockContext,
  request: CallRequest,
  registry: ContractRegistry,
): GasEstimate {
  const result = callContract(state, block, request, registry)
  return result.ok ? { ok: true, gas: result.gasUsed } : result
}

function failed(message: string): CallResult & { ok: false } {
  return { ok: false, code: 'FAILED', message }
}

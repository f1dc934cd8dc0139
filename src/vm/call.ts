/** Calls that are not transactions (eth_call, eth_estimateGas): executed on a scratch state, nothing is kept. */
import type { Address } from '../core/bytes.js'
import type { AccessListEntry } from '../core/transaction.js'
import type { StateReader } from '../state/reader.js'
import type { BlockContext, ContractRegistry } from './contract.js'
import { executeMessage, type TransactionOutcome } from './executeTransaction.js'
import { intrinsicGas } from './gas.js'
import { ScratchState } from './scratchState.js'
import { TouchedState } from './touchedState.js'

export interface CallRequest {
  readonly from: Address
  /** null asks for contract creation, which this chain does not have. */
  readonly to: Address | null
  readonly data: Uint8Array
  /** In wei. */
  readonly value: bigint
  /** undefined: the block's gas limit, which is also the cap. */
  readonly gas: bigint | undefined
  /** Costs gas as in a transaction. */
  readonly accessList?: readonly AccessListEntry[]
}

export type CallResult =
  | { readonly ok: true; readonly returnData: Uint8Array; readonly gasUsed: bigint }
  /** `returnData` is the ABI-encoded error. */
  | { readonly ok: false; readonly code: 'REVERTED'; readonly returnData: Uint8Array }
  | { readonly ok: false; readonly code: 'FAILED'; readonly message: string }

export type GasEstimate = { readonly ok: true; readonly gas: bigint } | Extract<CallResult, { ok: false }>

/** What a call touches; `fault` when it does not succeed, with the list and the gas up to there. */
export type AccessListResult =
  | {
      readonly ok: true
      readonly accessList: readonly AccessListEntry[]
      readonly gasUsed: bigint
      readonly fault?: 'REVERTED' | 'OUT_OF_GAS'
    }
  | Extract<CallResult, { code: 'FAILED' }>

const NO_ACCESS_LIST: readonly AccessListEntry[] = []

export function callContract(
  state: StateReader,
  block: BlockContext,
  request: CallRequest,
  registry: ContractRegistry,
): CallResult {
  const ran = run(new ScratchState(state), block, request, registry)
  if (!ran.ok) return ran
  const { outcome, gas } = ran
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
  const ran = run(new ScratchState(state), block, request, registry)
  if (!ran.ok) return ran
  const { outcome, gas } = ran
  if (outcome.error === 'OUT_OF_GAS') return failed(`gas required exceeds allowance (${gas})`)
  if (outcome.revertData !== undefined) return { ok: false, code: 'REVERTED', returnData: outcome.revertData }
  return { ok: true, gas: outcome.gasUsed }
}

/**
 * EIP-2930 list of what the request touches, on top of its own list. Storage costs the same with and without a list here (gas.ts),
 * so the gas, which is that of the request with the list, is never less than without.
 */
export function accessListOf(
  state: StateReader,
  block: BlockContext,
  request: CallRequest,
  registry: ContractRegistry,
): AccessListResult {
  const touched = new TouchedState(state)
  const ran = run(touched, block, request, registry)
  if (!ran.ok) return ran
  const accessList = touched.accessList(request.accessList ?? NO_ACCESS_LIST)
  const again = run(new ScratchState(state), block, { ...request, accessList }, registry)
  if (!again.ok) return again
  const { gasUsed, error } = again.outcome
  return { ok: true, accessList, gasUsed, ...(error && { fault: error }) }
}

type Ran = { readonly ok: true; readonly outcome: TransactionOutcome; readonly gas: bigint }

function run(
  state: ScratchState,
  block: BlockContext,
  request: CallRequest,
  registry: ContractRegistry,
): Ran | Extract<CallResult, { code: 'FAILED' }> {
  const { from, to, data, value, accessList = NO_ACCESS_LIST } = request
  if (to === null) return failed('contract creation is not supported, this chain has system contracts only')
  const gas = request.gas === undefined || request.gas > block.gasLimit ? block.gasLimit : request.gas
  const intrinsic = intrinsicGas({ data, accessList })
  if (gas < intrinsic) return failed(`intrinsic gas too low: have ${gas}, want ${intrinsic}`)
  if (value > (value === 0n ? 0n : (state.account(from)?.balance ?? 0n))) {
    return failed(`insufficient funds for transfer: address ${from}`)
  }
  const message = { from, to, data, value, gas: Number(gas), intrinsic: Number(intrinsic) }
  return { ok: true, outcome: executeMessage(state, block, registry, message), gas }
}

function failed(message: string): Extract<CallResult, { code: 'FAILED' }> {
  return { ok: false, code: 'FAILED', message }
}

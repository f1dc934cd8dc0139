/** Changes of the sealer set, as transactions of the simulated chain. */
import type { SignedVote } from '../consensus/types.js'
import type { Address } from '../core/bytes.js'
import { addressNumber, numberedAddress } from './keys.js'

export type Operation =
  | { readonly kind: 'add'; readonly sealer: Address }
  | { readonly kind: 'remove'; readonly sealer: Address }
  /** `by` takes the seat of `sealer`: another machine, or the same one with its next key. */
  | { readonly kind: 'replace'; readonly sealer: Address; readonly by: Address }
  /** Weights are taken anew. */
  | { readonly kind: 'reweigh' }

/** An operation that is sent at `atMs`. */
export interface PlannedOperation {
  readonly atMs: number
  readonly operation: Operation
}

/** Transactions are numbers; those from here on are operations, by their index in the scenario. */
export const operationTx = 1_000_000

/** Transactions from here on are evidence: sealer and view are in the number, so that all nodes make the same one. */
export const evidenceTx = 2 ** 40
const viewsMax = 2 ** 32

export function evidenceTxOf({ signer, view }: SignedVote): number {
  return evidenceTx + addressNumber(signer) * viewsMax + view
}

/** The sealer against which `tx` is evidence; null for other transactions. */
export function accusedBy(tx: number): Address | null {
  return tx < evidenceTx ? null : numberedAddress(Math.floor((tx - evidenceTx) / viewsMax))
}

/** The sealers after `operation`, in leader order; null when it does not apply to them. */
export function applyOperation(sealers: readonly Address[], operation: Operation): readonly Address[] | null {
  if (operation.kind === 'reweigh') return sealers
  const { sealer } = operation
  const seat = sealers.indexOf(sealer)
  if (operation.kind === 'add') return seat < 0 ? [...sealers, sealer] : null
  if (seat < 0) return null
  if (operation.kind === 'remove') return sealers.length > 1 ? sealers.filter((address) => address !== sealer) : null
  return sealers.includes(operation.by) ? null : sealers.with(seat, operation.by)
}

export function describeOperation(operation: Operation): string {
  if (operation.kind === 'reweigh') return 'reweigh'
  const name = addressNumber
  return operation.kind === 'replace'
    ? `replace ${name(operation.sealer)} by ${name(operation.by)}`
    : `${operation.kind} ${name(operation.sealer)}`
}

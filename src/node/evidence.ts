/**
 * R13 on chain: two conflicting votes of a sealer become one transaction that every node makes alike, so that gossip and
 * pools know it as the same one. Its key is derived from the evidence and worth nothing: the votes prove themselves.
 */
import type { Logger } from 'pino'
import type { SignedVote } from '../consensus/types.js'
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import { creditInterface } from '../contracts/creditStorage.js'
import { type Address, concatBytes, utf8 } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { type CarriedVote, decodeSignedVote, encodeSignedVote } from '../core/vote.js'
import { keccak256 } from '../crypto/keccak.js'
import { type RecoveredTransaction, signTransaction } from '../crypto/transaction.js'
import type { SubmitResult } from '../rpc/chainApi.js'
import type { CallResult } from '../vm/call.js'
import type { FinalCalls } from './finalCalls.js'
import { EVIDENCE_OPEN_MAX } from './limits.js'

const DOMAIN = utf8('concordat evidence v1')
/** Two recovered signatures and a handful of words; a tenth of it is used. */
const GAS_LIMIT = 1_000_000n
/** The contract's refusals after which there is nothing left to report. */
const SETTLED: ReadonlySet<string | undefined> = new Set(['AlreadyReported', 'TooManyReports', 'NeverSealed'])

/**
 * The transaction that puts two conflicting votes on chain, whichever of them comes first. `nonce`: 0 unless somebody has
 * used the derived account before.
 */
export function evidenceTransaction(
  first: CarriedVote,
  second: CarriedVote,
  chainId: number,
  nonce = 0n,
): RecoveredTransaction {
  const votes = [encodeSignedVote(first), encodeSignedVote(second)].sort(Buffer.compare)
  const [lower, higher] = votes as [Uint8Array, Uint8Array]
  const data = creditInterface.encodeCall('reportEquivocation', { first: lower, second: higher })
  const call = { to: CONTRACT_ADDRESSES.credit, value: 0n, data, accessList: [] }
  const fee = { gasPrice: 0n, maxPriorityFeePerGas: 0n, gasLimit: GAS_LIMIT }
  const key = keccak256(concatBytes(DOMAIN, lower, higher))
  return signTransaction({ type: 2, chainId: BigInt(chainId), nonce, ...fee, ...call }, key)
}

/** Whether `tx` is what every node makes of the votes in it; whether these prove anything is the contract's to say. */
export function isEvidenceTransaction(tx: RecoveredTransaction, chainId: number): boolean {
  if (tx.to !== CONTRACT_ADDRESSES.credit) return false
  try {
    const { first, second } = creditInterface.decodeCall('reportEquivocation', tx.data)
    return evidenceTransaction(decodeSignedVote(first), decodeSignedVote(second), chainId, tx.nonce).hash === tx.hash
  } catch (error) {
    if (error instanceof CodedError) return false
    throw error
  }
}

export interface EvidenceNeeds {
  readonly chainId: number
  readonly calls: Pick<FinalCalls, 'call'>
  /** Next nonce of an account by the final state. */
  readonly nonce: (address: Address) => bigint
  /** Pools a transaction and passes it on. */
  readonly submit: (raw: Uint8Array) => SubmitResult
  /** For metrics. */
  readonly onEvidence: () => void
  readonly log: Logger
}

interface Evidence {
  readonly first: SignedVote
  readonly second: SignedVote
}

/** Says it until it is on chain. A node that ends before leaves it to those who heard of it. */
export class EvidenceReporter {
  readonly #needs: EvidenceNeeds
  readonly #open = new Map<string, Evidence>()

  constructor(needs: EvidenceNeeds) {
    this.#needs = needs
  }

  /** Takes two conflicting votes of one sealer. */
  report(first: SignedVote, second: SignedVote): void {
    const { signer, epoch, view } = first
    this.#needs.onEvidence()
    this.#needs.log.error({ sealer: signer, view, epoch }, 'a sealer signed two conflicting votes')
    const key = `${signer}/${epoch}/${view}`
    if (this.#open.has(key) || this.#open.size >= EVIDENCE_OPEN_MAX) return
    this.#open.set(key, { first, second })
    this.#settle(key, { first, second })
  }

  /** A block became final. */
  advanced(): void {
    for (const [key, evidence] of this.#open) this.#settle(key, evidence)
  }

  /** Whether the pool takes `tx` although its sender is nobody: it proves something that the chain does not know yet. */
  isNews(tx: RecoveredTransaction): boolean {
    return isEvidenceTransaction(tx, this.#needs.chainId) && this.#try(tx).ok
  }

  #settle(key: string, { first, second }: Evidence): void {
    const { chainId, submit, nonce, log } = this.#needs
    const plain = evidenceTransaction(first, second, chainId)
    const used = nonce(plain.sender)
    const tx = used === 0n ? plain : evidenceTransaction(first, second, chainId, used)
    const outcome = this.#try(tx)
    if (!outcome.ok && SETTLED.has(refusalOf(outcome))) {
      this.#open.delete(key)
      log.info({ sealer: first.signer, view: first.view, epoch: first.epoch }, 'the evidence is on chain')
    } else if (outcome.ok) submit(tx.raw)
  }

  #try({ sender: from, to, data, value, gasLimit: gas }: RecoveredTransaction): CallResult {
    return this.#needs.calls.call({ from, to, data, value, gas })
  }
}

function refusalOf(outcome: Exclude<CallResult, { ok: true }>): string | undefined {
  return outcome.code === 'REVERTED' ? creditInterface.decodeError(outcome.returnData)?.name : undefined
}

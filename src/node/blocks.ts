/**
 * Builds blocks on the tip and executes the blocks of others. What is not final lives here in memory: a candidate holds
 * everything that committing it needs, so that each node executes a block once.
 */
import type { Effect, LeaderSchedule, SealedBlock, SealerSet, Verdict } from '../consensus/types.js'
import type { Turn } from '../contracts/epoch.js'
import { type Block, encodeBlock } from '../core/block.js'
import { type Address, asEpoch, equalBytes, type Hash, type Height, ZERO_HASH } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { EMPTY_OMMERS_HASH, type Header } from '../core/header.js'
import { encodeReceipt, type Receipt } from '../core/receipt.js'
import {
  extraDataSealerSet,
  headerWithoutSeal,
  readVanity,
  sealBytes,
  unsealedExtraData,
  type Vanity,
} from '../core/seal.js'
import { hashHeader, sealHeader } from '../crypto/header.js'
import type { RecoveredTransaction } from '../crypto/transaction.js'
import { StateError } from '../state/errors.js'
import type { StateLayer } from '../state/layer.js'
import { orderedRoot } from '../state/orderedTrie.js'
import { StateOverlay } from '../state/overlay.js'
import { StoreError } from '../state/store/keyValueStore.js'
import type { BlockContext, ContractRegistry } from '../vm/contract.js'
import { BlockExecution, type SkipReason } from '../vm/executeBlock.js'
import type { MutableState } from '../vm/state.js'
import { readBody } from './sealedBlock.js'
import { turnOf } from './turn.js'

/** A block that was executed here: proposed or notarized, perhaps final, not yet in the database. */
export interface Candidate {
  readonly sealed: SealedBlock
  readonly block: Block<RecoveredTransaction>
  readonly receipts: readonly Receipt[]
  readonly overlay: StateOverlay
  /** Sealers of the block after this one. */
  readonly set: SealerSet
  /** The same where this block closes its epoch (R8), else null. */
  readonly nextSet: SealerSet | null
}

/** A block on which another one can stand. */
export interface Ground {
  readonly hash: Hash
  readonly header: Header
  readonly state: StateLayer
  /** Sealers of the block on it. */
  readonly set: SealerSet
}

export interface BlocksNeeds {
  readonly chainId: number
  readonly genesisHash: Hash
  readonly gasLimit: bigint
  readonly clockDriftMs: number
  readonly registry: ContractRegistry
  readonly schedule: LeaderSchedule
  /** What every block does after its transactions: the next epoch's set where it closes its epoch, else null. */
  readonly endBlock: (state: MutableState, block: BlockContext, turn: Turn) => SealerSet | null
  /** The last final block that is in the database. */
  readonly head: () => Ground
  /** Whether the database has this block. */
  readonly isFinal: (hash: Hash) => boolean
  readonly now: () => number
  /** Recovers raw transactions, known ones from the pool. */
  readonly recover: (raw: Uint8Array) => RecoveredTransaction
  /** Transactions for a block in order of service. */
  readonly select: (nonceOf: (sender: Address) => bigint) => Iterable<RecoveredTransaction>
  /** A pool transaction that can never be included: drop it. */
  readonly discard: (tx: RecoveredTransaction) => void
  readonly privateKey: Uint8Array
  readonly self: Address
}

/** Difficulty of every block: there is no fork choice that would weigh it. */
const DIFFICULTY = 1n
const ZERO_NONCE = new Uint8Array(8)
const MAY_FIT_LATER: ReadonlySet<SkipReason> = new Set(['BLOCK_GAS', 'BLOCK_BYTES', 'NONCE_TOO_HIGH', 'NONCE_TOO_LOW'])

export class Blocks {
  readonly #needs: BlocksNeeds
  readonly #candidates = new Map<Hash, Candidate>()

  constructor(needs: BlocksNeeds) {
    this.#needs = needs
  }

  candidate(hash: Hash): Candidate | undefined {
    return this.#candidates.get(hash)
  }

  /** Final blocks up to `height` are in the database: candidates at or below it are forgotten. */
  prune(height: Height): void {
    for (const [hash, { sealed }] of this.#candidates) if (sealed.height <= height) this.#candidates.delete(hash)
  }

  /** Hashes of the transactions in blocks between the final head and `tip`, the tip included. */
  unfinal(tip: Hash): ReadonlySet<Hash> {
    const hashes = new Set<Hash>()
    for (let at = this.#candidates.get(tip); at !== undefined; at = this.#candidates.get(at.sealed.parent)) {
      for (const tx of at.block.transactions) hashes.add(tx.hash)
    }
    return hashes
  }

  /** The block `hash` and the state after it; undefined when neither final head nor candidate. */
  ground(hash: Hash): Ground | undefined {
    const candidate = this.#candidates.get(hash)
    if (candidate !== undefined)
      return { hash, header: candidate.block.header, state: candidate.overlay, set: candidate.set }
    const head = this.#needs.head()
    return head.hash === hash ? head : undefined
  }

  /** Builds and seals a block; null when there is nothing to put into it and it must not be empty. */
  build(effect: Extract<Effect, { type: 'build' }>): Candidate | null {
    const parent = this.ground(effect.parent)
    if (parent === undefined) return null
    const { now, gasLimit, self } = this.#needs
    const timeMs = Math.max(now(), parent.header.timestamp * 1_000 + readVanity(parent.header.extraData).ms)
    const timestamp = Math.floor(timeMs / 1_000)
    const overlay = new StateOverlay(parent.state)
    const context = this.#context(effect.height, timestamp, self, gasLimit)
    const execution = new BlockExecution(overlay, context, this.#needs.registry)
    this.#fill(execution)
    if (execution.transactions.length === 0 && !effect.mayBeEmpty) return null
    const nextSet = this.#needs.endBlock(overlay, context, turnOf(parent, effect.view, this.#needs.schedule))
    const vanity = { epoch: effect.epoch, view: effect.view, ms: timeMs % 1_000 }
    const extraData = unsealedExtraData(vanity, nextSet?.sealers)
    const header = this.#header(effect, execution, { stateRoot: overlay.root(), timestamp, extraData })
    const sealedHeader = sealHeader(header, this.#needs.chainId, this.#needs.privateKey)
    const block = { header: sealedHeader, transactions: execution.transactions }
    const sealed: SealedBlock = {
      hash: hashHeader(sealedHeader),
      parent: effect.parent,
      height: effect.height,
      epoch: effect.epoch,
      view: effect.view,
      leader: self,
      payload: encodeBlock(block),
    }
    const { receipts } = execution.result()
    return this.#keep({ sealed, block, receipts, overlay, set: nextSet ?? parent.set, nextSet })
  }

  /** Executes a block on its parent and checks everything its header claims. `certified`: a quorum vouches for its time. */
  verify(sealed: SealedBlock, certified: boolean): Verdict {
    const known = this.#candidates.get(sealed.hash)
    if (known !== undefined) return verdictOf(known)
    // Range sync may be ahead of the core: what is final was executed, though its parent is not at hand any more.
    if (this.#needs.isFinal(sealed.hash)) return finalVerdict(sealed)
    const parent = this.ground(sealed.parent)
    if (parent === undefined) return { ok: false, reason: `parent ${sealed.parent} is not known here` }
    try {
      const executed = this.#execute(sealed, parent, certified)
      return typeof executed === 'string' ? { ok: false, reason: executed } : verdictOf(executed)
    } catch (error) {
      // A fault of this node's own storage says nothing about the block.
      if (!(error instanceof CodedError) || error instanceof StateError || error instanceof StoreError) throw error
      return { ok: false, reason: `${error.code}: ${error.message}` }
    }
  }

  /** The executed block, or what its header claims falsely. */
  #execute(sealed: SealedBlock, parent: Ground, certified: boolean): Candidate | string {
    const raw = readBody(sealed.payload)
    const { header } = raw
    const vanity = readVanity(header.extraData)
    const fault = this.#checkHeader(header, vanity, parent, certified)
    if (fault !== undefined) return fault
    const overlay = new StateOverlay(parent.state)
    const context = this.#context(header.number, header.timestamp, header.miner, header.gasLimit)
    const execution = new BlockExecution(overlay, context, this.#needs.registry)
    for (const [index, bytes] of raw.transactions.entries()) {
      const attempt = execution.tryTransaction(this.#needs.recover(bytes))
      if (!attempt.ok) return `transaction ${index} cannot be included: ${attempt.skip}`
    }
    const nextSet = this.#needs.endBlock(overlay, context, turnOf(parent, vanity.view, this.#needs.schedule))
    const mismatch = checkResult(header, vanity, execution, overlay.root(), nextSet)
    if (mismatch !== undefined) return mismatch
    const { receipts } = execution.result()
    const block = { header, transactions: execution.transactions }
    return this.#keep({ sealed, block, receipts, overlay, set: nextSet ?? parent.set, nextSet })
  }

  #checkHeader(header: Header, vanity: Vanity, parent: Ground, certified: boolean): string | undefined {
    const { now, clockDriftMs, gasLimit } = this.#needs
    const timeMs = header.timestamp * 1_000 + vanity.ms
    const parentMs = parent.header.timestamp * 1_000 + readVanity(parent.header.extraData).ms
    if (header.parentHash !== parent.hash) return 'parentHash is not the parent'
    if (header.number !== parent.header.number + 1) return `number is ${header.number} after ${parent.header.number}`
    if (timeMs < parentMs) return 'timestamp is before that of the parent'
    if (!certified && timeMs > now() + clockDriftMs)
      return `timestamp is ${timeMs - now()} ms ahead of this node's clock`
    if (header.gasLimit !== gasLimit) return `gasLimit is ${header.gasLimit}, the chain's is ${gasLimit}`
    if (vanity.epoch !== parent.set.epoch)
      return `epoch is ${vanity.epoch}, the sealers are those of ${parent.set.epoch}`
    if (header.ommersHash !== EMPTY_OMMERS_HASH) return 'there are no ommers on this chain'
    if (header.difficulty !== DIFFICULTY) return `difficulty is ${header.difficulty}, must be ${DIFFICULTY}`
    if (header.baseFeePerGas !== 0n) return 'baseFeePerGas must be 0'
    if (header.mixHash !== ZERO_HASH || Buffer.compare(header.nonce, ZERO_NONCE) !== 0)
      return 'mixHash and nonce must be zero'
    return undefined
  }

  #fill(execution: BlockExecution): void {
    for (const tx of this.#needs.select((sender) => execution.state.account(sender)?.nonce ?? 0n)) {
      if (execution.full) return
      const attempt = execution.tryTransaction(tx)
      if (!attempt.ok && !MAY_FIT_LATER.has(attempt.skip)) this.#needs.discard(tx)
    }
  }

  #header(
    effect: Extract<Effect, { type: 'build' }>,
    execution: BlockExecution,
    { stateRoot, timestamp, extraData }: { stateRoot: Hash; timestamp: number; extraData: Uint8Array },
  ): Header {
    const result = execution.result()
    return {
      parentHash: effect.parent,
      ommersHash: EMPTY_OMMERS_HASH,
      miner: this.#needs.self,
      stateRoot,
      transactionsRoot: orderedRoot(execution.transactions.map((tx) => tx.raw)),
      receiptsRoot: orderedRoot(result.receipts.map(encodeReceipt)),
      logsBloom: result.logsBloom,
      difficulty: DIFFICULTY,
      number: effect.height,
      gasLimit: this.#needs.gasLimit,
      gasUsed: result.gasUsed,
      timestamp,
      extraData,
      mixHash: ZERO_HASH,
      nonce: ZERO_NONCE,
      baseFeePerGas: 0n,
    }
  }

  #context(number: Height, timestamp: number, sealer: Address, gasLimit: bigint): BlockContext {
    const { chainId, genesisHash } = this.#needs
    return { number, timestamp, sealer, gasLimit, chainId: BigInt(chainId), genesisHash }
  }

  #keep(candidate: Candidate): Candidate {
    this.#candidates.set(candidate.sealed.hash, candidate)
    return candidate
  }
}

/** What the core is told of a block that was executed here. */
export const verdictOf = ({ nextSet }: Candidate): Verdict => (nextSet === null ? { ok: true } : { ok: true, nextSet })

/** Of a block that is final: what its header lists was checked when it was executed. */
function finalVerdict({ payload, epoch }: SealedBlock): Verdict {
  const sealers = extraDataSealerSet(readBody(payload).header.extraData)
  return sealers === null ? { ok: true } : { ok: true, nextSet: { epoch: asEpoch(epoch + 1), sealers } }
}

/** What the header claims of the execution, against what it gave. */
function checkResult(
  header: Header,
  vanity: Vanity,
  execution: BlockExecution,
  stateRoot: Hash,
  nextSet: SealerSet | null,
): string | undefined {
  const result = execution.result()
  if (result.gasUsed !== header.gasUsed) return `gasUsed is ${header.gasUsed}, execution used ${result.gasUsed}`
  if (!equalBytes(result.logsBloom, header.logsBloom)) return 'logsBloom does not match the logs'
  if (orderedRoot(result.receipts.map(encodeReceipt)) !== header.receiptsRoot)
    return 'receiptsRoot does not match the receipts'
  if (stateRoot !== header.stateRoot) return `stateRoot is ${header.stateRoot}, execution gives ${stateRoot}`
  return equalBytes(headerWithoutSeal(header).extraData, unsealedFront(vanity, nextSet))
    ? undefined
    : 'extraData must be vanity, the sealers of the next epoch where the block closes its own, and seal'
}

function unsealedFront(vanity: Vanity, nextSet: SealerSet | null): Uint8Array {
  const extraData = unsealedExtraData(vanity, nextSet?.sealers)
  return extraData.subarray(0, extraData.length - sealBytes)
}

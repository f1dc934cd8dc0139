/**
 * The way of a transaction into the pool: decoded and recovered once, checked against the final state, pooled, passed on.
 * From RPC it is answered at once; from peers it is worked through in slices so that consensus never waits behind a flood.
 * Sealers are all connected, so what came from one of them is not passed on; what came from an observer is, once.
 */
import type { Address, Hash } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { txBytesMax } from '../core/limits.js'
import { rlpDecode, rlpEncode } from '../core/rlp.js'
import { decodeTransaction, TransactionError } from '../core/transaction.js'
import { keccakHash } from '../crypto/keccak.js'
import { type RecoveredTransaction, recoverTransaction } from '../crypto/transaction.js'
import { CHANNEL, type Network } from '../p2p/network.js'
import type { SubmitFault, SubmitResult } from '../rpc/chainApi.js'
import { intrinsicGas } from '../vm/gas.js'
import {
  GOSSIP_FRAME_BYTES_MAX,
  GOSSIP_FRAME_COUNT_MAX,
  INGEST_BYTES_MAX,
  INGEST_OVERHEAD_BYTES,
  INGEST_SLICE_MS,
  LATE_COUNT_MAX,
  LATE_TRIES_MAX,
  RECOVERED_CACHE_BYTES_MAX,
  RECOVERED_CACHE_MAX,
} from './limits.js'
import { LruMap } from './lru.js'
import type { Mempool, MempoolRefusal } from './mempool.js'

const REFUSALS: Record<MempoolRefusal, SubmitFault> = {
  ALREADY_KNOWN: 'ALREADY_KNOWN',
  NONCE_TOO_LOW: 'NONCE_TOO_LOW',
  NONCE_TOO_FAR: 'NONCE_TOO_HIGH',
  NONCE_TAKEN: 'REPLACEMENT_UNDERPRICED',
  POOL_FULL: 'POOL_FULL',
  SENDER_FULL: 'SENDER_LIMIT',
}

const DECODE_FAULTS = new Map<string, SubmitFault>([
  ['UNSUPPORTED_TYPE', 'UNSUPPORTED_TYPE'],
  ['TOO_LARGE', 'OVERSIZED'],
  ['HIGH_S', 'INVALID_SIGNATURE'],
  ['BAD_SIGNATURE', 'INVALID_SIGNATURE'],
  ['FEE_ORDER', 'TIP_ABOVE_FEE_CAP'],
])

/** Faults that no state excuses: an honest peer has checked for them before it passed the transaction on. */
const PEER_FAULTS: ReadonlySet<SubmitFault> = new Set([
  'MALFORMED',
  'UNSUPPORTED_TYPE',
  'OVERSIZED',
  'INVALID_SIGNATURE',
  'TIP_ABOVE_FEE_CAP',
  'NOT_REPLAY_PROTECTED',
  'WRONG_CHAIN_ID',
  'CONTRACT_CREATION',
  'GAS_LIMIT_TOO_HIGH',
  'INTRINSIC_GAS_TOO_LOW',
])

/** Faults of a state that this node may not have reached yet, while the peer has: tried again after the next final blocks. */
const PASSING_FAULTS: ReadonlySet<SubmitFault> = new Set([
  'SENDER_NOT_PERMITTED',
  'INSUFFICIENT_FUNDS',
  'NONCE_TOO_HIGH',
])

/** A peer's transaction that waits for ingestion. */
interface Inbound {
  readonly from: Address
  readonly raw: Uint8Array
  /** Final blocks for which it may be tried again. */
  readonly tries: number
}

/** What admission reads of the final chain. */
export interface AdmissionState {
  nonce(address: Address): bigint
  balance(address: Address): bigint
  /** Only active members and accounts with a balance may send. */
  maySend(address: Address): boolean
  /** But what proves a sealer's double signing counts from whomever it comes. */
  isEvidence(tx: RecoveredTransaction): boolean
}

export interface TransactionsNeeds {
  readonly chainId: bigint
  readonly blockGasLimit: bigint
  readonly pool: Mempool
  readonly network: Network
  readonly state: AdmissionState
  readonly now: () => number
  /** Whether what comes from this peer is passed on: an observer may reach no sealer but through this node. */
  readonly relays: (peer: Address) => boolean
  /** The set of executable transactions grew. */
  readonly onPooled: (tx: RecoveredTransaction) => void
  /** Bytes of transactions that may wait for ingestion. */
  readonly ingestBytesMax?: number
}

export class Transactions {
  readonly #needs: TransactionsNeeds
  readonly #recovered = new LruMap<Hash, RecoveredTransaction>(
    RECOVERED_CACHE_MAX,
    RECOVERED_CACHE_BYTES_MAX,
    (tx) => tx.raw.length,
  )
  #inbound: Inbound[] = []
  /** Refused for a state that may only be late; at most LATE_COUNT_MAX. */
  #late: Inbound[] = []
  #inboundBytes = 0
  #ingesting = false
  #outbound: Uint8Array[] = []
  #outboundBytes = 0
  #flushing = false

  constructor(needs: TransactionsNeeds) {
    this.#needs = needs
  }

  /** The recovered form of a raw transaction, from the pool or the cache where it is known. Throws TransactionError. */
  recover(raw: Uint8Array): RecoveredTransaction {
    const hash = keccakHash(raw)
    const known = this.#needs.pool.get(hash) ?? this.#recovered.get(hash)
    if (known !== undefined) return known
    // A copy of its own: the argument may be a view into a whole frame or block.
    const tx = recoverTransaction(decodeTransaction(raw.slice()))
    this.#recovered.set(tx.hash, tx)
    return tx
  }

  /** A transaction from RPC: pooled and passed on to all peers, or refused with the reason. */
  submit(raw: Uint8Array): SubmitResult {
    const result = this.#admit(raw)
    if (result.ok) this.#gossip(raw)
    return result
  }

  /** A frame of the transactions channel. Returns false when it is malformed (a fault of the peer). */
  receive(from: Address, frame: Uint8Array): boolean {
    let items: ReturnType<typeof rlpDecode>
    try {
      items = rlpDecode(frame, { depthMax: 1, itemsMax: 1 + GOSSIP_FRAME_COUNT_MAX })
    } catch {
      return false
    }
    if (!Array.isArray(items)) return false
    const batch = items as readonly Uint8Array[]
    if (batch.some((raw) => raw.length > txBytesMax)) return false
    for (const raw of batch) {
      const bytes = raw.length + INGEST_OVERHEAD_BYTES
      if (this.#inboundBytes + bytes > (this.#needs.ingestBytesMax ?? INGEST_BYTES_MAX)) break
      this.#inbound.push({ from, raw, tries: LATE_TRIES_MAX })
      this.#inboundBytes += bytes
    }
    this.#ingest()
    return true
  }

  /** A block became final: what was refused for this node's state gets another try. */
  advanced(): void {
    if (this.#late.length === 0) return
    for (const one of this.#late) {
      this.#inbound.push(one)
      this.#inboundBytes += one.raw.length + INGEST_OVERHEAD_BYTES
    }
    this.#late = []
    this.#ingest()
  }

  /** Hands pending transactions to a peer that has just connected and may lack them. */
  greet(peer: Address): void {
    let batch: Uint8Array[] = []
    let bytes = 0
    const flush = () => {
      const taken = batch.length === 0 || this.#needs.network.send(peer, CHANNEL.transactions, rlpEncode(batch))
      batch = []
      bytes = 0
      return taken
    }
    for (const { tx } of this.#needs.pool.all()) {
      batch.push(tx.raw)
      bytes += tx.raw.length
      // Beyond what its queue takes it has to hear of them from blocks.
      if (bytes > GOSSIP_FRAME_BYTES_MAX && !flush()) return
    }
    flush()
  }

  /**
   * One frame of transactions that could run, to all peers. What was lost on the way (a full queue, a connection that broke)
   * would otherwise wait for this node's own turn to lead.
   */
  remind(): void {
    const batch: Uint8Array[] = []
    let bytes = 0
    for (const { tx, executable } of this.#needs.pool.all()) {
      if (!executable) continue
      batch.push(tx.raw)
      bytes += tx.raw.length
      if (bytes > GOSSIP_FRAME_BYTES_MAX) break
    }
    if (batch.length > 0) this.#needs.network.broadcast(CHANNEL.transactions, rlpEncode(batch))
  }

  #ingest(): void {
    if (this.#ingesting) return
    this.#ingesting = true
    setImmediate(() => {
      this.#ingesting = false
      const until = this.#needs.now() + INGEST_SLICE_MS
      let done = 0
      while (done < this.#inbound.length && this.#needs.now() < until) {
        const one = this.#inbound[done++]!
        this.#inboundBytes -= one.raw.length + INGEST_OVERHEAD_BYTES
        const result = this.#admit(one.raw)
        if (!result.ok) this.#refused(one, result)
        else if (this.#needs.relays(one.from)) this.#gossip(one.raw.slice())
      }
      this.#inbound.splice(0, done)
      if (this.#inbound.length > 0) this.#ingest()
    })
  }

  #refused(one: Inbound, { code, detail }: Extract<SubmitResult, { ok: false }>): void {
    if (PEER_FAULTS.has(code)) this.#needs.network.penalize(one.from, `${code}: ${detail ?? 'transaction'}`)
    if (!PASSING_FAULTS.has(code) || one.tries === 0 || this.#late.length >= LATE_COUNT_MAX) return
    // A copy: the argument is a view into a whole frame.
    this.#late.push({ ...one, raw: one.raw.slice(), tries: one.tries - 1 })
  }

  #admit(raw: Uint8Array): SubmitResult {
    const { pool, state } = this.#needs
    if (raw.length > txBytesMax)
      return { ok: false, code: 'OVERSIZED', detail: `${raw.length} bytes, at most ${txBytesMax}` }
    let tx: RecoveredTransaction
    try {
      tx = this.recover(raw)
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      const code = error instanceof TransactionError ? (DECODE_FAULTS.get(error.code) ?? 'MALFORMED') : 'MALFORMED'
      return { ok: false, code, detail: error.message }
    }
    const fault = this.#check(tx)
    if (fault !== undefined) return fault
    const refusal = pool.add(tx, state.nonce(tx.sender))
    if (refusal !== undefined)
      return { ok: false, code: REFUSALS[refusal], detail: `nonce ${tx.nonce}, next ${state.nonce(tx.sender)}` }
    this.#needs.onPooled(tx)
    return { ok: true, hash: tx.hash }
  }

  #check(tx: RecoveredTransaction): Extract<SubmitResult, { ok: false }> | undefined {
    const { chainId, blockGasLimit, state } = this.#needs
    if (tx.chainId === null) return { ok: false, code: 'NOT_REPLAY_PROTECTED' }
    if (tx.chainId !== chainId)
      return { ok: false, code: 'WRONG_CHAIN_ID', detail: `${tx.chainId}, this chain is ${chainId}` }
    if (tx.to === null) return { ok: false, code: 'CONTRACT_CREATION' }
    if (tx.gasLimit > blockGasLimit)
      return { ok: false, code: 'GAS_LIMIT_TOO_HIGH', detail: `${tx.gasLimit}, block ${blockGasLimit}` }
    const gas = intrinsicGas(tx)
    if (tx.gasLimit < gas)
      return { ok: false, code: 'INTRINSIC_GAS_TOO_LOW', detail: `have ${tx.gasLimit}, want ${gas}` }
    if (tx.value > 0n && state.balance(tx.sender) < tx.value) return { ok: false, code: 'INSUFFICIENT_FUNDS' }
    if (!state.maySend(tx.sender) && !state.isEvidence(tx))
      return { ok: false, code: 'SENDER_NOT_PERMITTED', detail: tx.sender }
    return undefined
  }

  #gossip(raw: Uint8Array): void {
    this.#outbound.push(raw)
    this.#outboundBytes += raw.length
    if (this.#outboundBytes > GOSSIP_FRAME_BYTES_MAX) this.#flush()
    if (this.#flushing || this.#outbound.length === 0) return
    this.#flushing = true
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    this.#flushing = false
    if (this.#outbound.length === 0) return
    this.#needs.network.broadcast(CHANNEL.transactions, rlpEncode(this.#outbound))
    this.#outbound = []
    this.#outboundBytes = 0
  }
}

/** Puts the head of this node's read log on chain now and then, so that what was anchored cannot be changed unseen. */
import type { Logger } from 'pino'
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import { auditInterface, readAnchor } from '../contracts/auditStorage.js'
import type { Address } from '../core/bytes.js'
import { signTransaction } from '../crypto/transaction.js'
import type { SubmitResult } from '../rpc/chainApi.js'
import type { StateReader } from '../state/reader.js'
import { readHost } from '../vm/host.js'
import type { ReadLogHead } from './readLogFiles.js'

export interface AnchorOptions {
  readonly chainId: number
  readonly self: Address
  /** The node's own key. */
  readonly privateKey: Uint8Array
  /** New entries after which the head is anchored. */
  readonly anchorEntries: number
  /** Time after which it is anchored if there is anything new, in ms. */
  readonly anchorMs: number
}

export interface AnchorNeeds {
  readonly head: () => ReadLogHead
  readonly state: () => StateReader
  /** Only members' nodes anchor. */
  readonly isMember: () => boolean
  readonly nonce: (address: Address) => bigint
  readonly submit: (raw: Uint8Array) => SubmitResult
  readonly log: Logger
}

/** Far above what it costs; nothing is paid for it. */
const GAS_LIMIT = 500_000n
/** How often it is looked whether an anchor is due. */
const LOOK_MS = 1_000
/** An anchor that is not final after this was lost. */
const LOST_MS = 60_000

/** Last anchor of a node in the final state; sequence 0: none. */
export function finalAnchor(state: StateReader, node: Address): ReadLogHead {
  const { sequence, hash } = readAnchor(readHost(state, CONTRACT_ADDRESSES.audit), node)
  return { sequence: Number(sequence), hash }
}

export class ReadLogAnchors {
  readonly #options: AnchorOptions
  readonly #needs: AnchorNeeds
  #timer: NodeJS.Timeout | undefined
  #lastMs = performance.now()
  /** Sent and not seen final yet. */
  #sent: { readonly sequence: number; readonly atMs: number } | undefined

  constructor(options: AnchorOptions, needs: AnchorNeeds) {
    this.#options = options
    this.#needs = needs
  }

  start(): void {
    this.#timer = setInterval(() => this.look(performance.now()), Math.min(LOOK_MS, this.#options.anchorMs))
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Anchors what is on disk, if it is due. `nowMs`: monotonic. */
  look(nowMs: number): void {
    const { head, state, isMember } = this.#needs
    const { sequence, hash } = head()
    if (sequence === 0) return
    const anchored = finalAnchor(state(), this.#options.self).sequence
    if (this.#sent !== undefined && (anchored >= this.#sent.sequence || nowMs - this.#sent.atMs > LOST_MS)) {
      this.#sent = undefined
    }
    const fresh = sequence - anchored
    const due = fresh >= this.#options.anchorEntries || nowMs - this.#lastMs >= this.#options.anchorMs
    if (fresh <= 0 || !due || this.#sent !== undefined || !isMember()) return
    this.#lastMs = nowMs
    this.#send({ sequence, hash }, nowMs)
  }

  #send({ sequence, hash }: ReadLogHead, atMs: number): void {
    const { chainId, self, privateKey } = this.#options
    const data = auditInterface.encodeCall('anchorReadLog', { sequence: BigInt(sequence), hash })
    const call = { to: CONTRACT_ADDRESSES.audit, value: 0n, data, accessList: [] }
    const fee = { gasPrice: 0n, maxPriorityFeePerGas: 0n, gasLimit: GAS_LIMIT }
    const nonce = this.#needs.nonce(self)
    const { raw } = signTransaction({ type: 2, chainId: BigInt(chainId), nonce, ...fee, ...call }, privateKey)
    const result = this.#needs.submit(raw)
    if (result.ok) this.#sent = { sequence, atMs }
    else this.#needs.log.warn({ code: result.code, sequence }, 'the head of the read log could not be anchored')
  }
}

/** Follows the chain: erases what its owner wants erased, what has expired and what no transaction refers to. */
import { CONTRACT_ADDRESSES } from '../../contracts/addresses.js'
import { deliveryInterface } from '../../contracts/deliveryStorage.js'
import type { Address } from '../../core/bytes.js'
import type { Log } from '../../core/receipt.js'
import type { DeliveryChain } from './deliveryChain.js'
import type { EnvelopeStore } from './envelopeStore.js'
import type { DropReason, EnvelopeId, HeldEnvelope } from './records.js'

export interface ErasuresNeeds {
  /** The member for whom this node holds envelopes. */
  readonly member: Address
  readonly store: EnvelopeStore
  readonly chain: DeliveryChain
  /** Blocks after which an envelope that nothing refers to is dropped. */
  readonly orphanBlocks: number
  /** Puts this member's confirmation on chain. */
  readonly confirm: (id: EnvelopeId) => void
  readonly onDrop: (held: HeldEnvelope, reason: DropReason) => void
  /** Monotonic, in ms. */
  readonly now: () => number
}

/** A confirmation that is not on chain by then is sent again. */
const CONFIRM_MS = 5_000
/** Blocks without an event of ours after which the height is stored anyway. */
const SCANNED_BLOCKS = 1_000

export class Erasures {
  readonly #needs: ErasuresNeeds
  #scanned: number
  /** Height at which the next one expires or is an orphan; nothing is looked for before. */
  #sweepAt = 0
  #confirmedAt = Number.NEGATIVE_INFINITY

  constructor(needs: ErasuresNeeds) {
    this.#needs = needs
    this.#scanned = needs.store.scanned
  }

  /** First block that was not read. */
  get next(): number {
    return this.#scanned + 1
  }

  /** Reads the logs of final block `height`, the next one. Resolves when what they want is done and durable. */
  async block(height: number, logs: Iterable<Log>): Promise<void> {
    let touched = false
    for (const log of logs) {
      if (log.address !== CONTRACT_ADDRESSES.delivery) continue
      touched = true
      const announced = deliveryInterface.decodeEvent('EnvelopeAnnounced', log)
      if (announced !== undefined) await this.#announced(announced)
      const wanted = deliveryInterface.decodeEvent('ErasureRequested', log)
      if (wanted !== undefined) await this.#erase(wanted)
      const confirmed = deliveryInterface.decodeEvent('ErasureConfirmed', log)
      if (confirmed?.holder === this.#needs.member) await this.#needs.store.settle(confirmed)
    }
    this.#scanned = height
    await this.#sweep(height)
    if (touched || height - this.#needs.store.scanned >= SCANNED_BLOCKS) await this.#needs.store.advance(height)
  }

  /** Says again what the chain does not have. */
  remind(): void {
    const { store, now, confirm } = this.#needs
    const owed = store.owed()
    if (owed.length === 0 || now() - this.#confirmedAt < CONFIRM_MS) return
    this.#confirmedAt = now()
    for (const id of owed) confirm(id)
  }

  async #announced(id: EnvelopeId): Promise<void> {
    const { store } = this.#needs
    if (store.get(id)?.announced === false) await store.update(id, (held) => ({ ...held, announced: true }))
  }

  async #erase({ sender, hash }: EnvelopeId): Promise<void> {
    const id = { sender, hash }
    const { chain, member } = this.#needs
    const envelope = chain.announced(id)
    if (envelope === undefined) return
    const isHolder = envelope.recipient === member || envelope.carrier === member
    if (!isHolder && this.#needs.store.get(id) === undefined) return
    const owe = isHolder && !envelope.confirmedBy.includes(member)
    await this.#drop(id, 'erased', envelope.expiresAt, owe)
    if (!owe) return
    this.#confirmedAt = this.#needs.now()
    this.#needs.confirm(id)
  }

  /** An envelope was stored or its record has changed. */
  noted(held: HeldEnvelope): void {
    this.#sweepAt = Math.min(this.#sweepAt, this.#dueAt(held))
  }

  #dueAt({ slip, announced, storedAt }: HeldEnvelope): number {
    return announced ? slip.expiresAt + 1 : Math.min(slip.expiresAt, storedAt + this.#needs.orphanBlocks) + 1
  }

  async #sweep(height: number): Promise<void> {
    if (height < this.#sweepAt) return
    const { store, chain, orphanBlocks } = this.#needs
    for (const held of store.all()) {
      const { expiresAt } = held.slip
      if (expiresAt < height) await this.#drop(held, 'expired', expiresAt, false)
      else if (!held.announced && held.storedAt + orphanBlocks < height) {
        // The event may be in a block that was read before the envelope came.
        if (chain.announced(held) === undefined) await this.#drop(held, 'orphaned', expiresAt, false)
        else await this.#announced(held)
      }
    }
    this.#sweepAt = store.all().reduce((least, held) => Math.min(least, this.#dueAt(held)), Number.POSITIVE_INFINITY)
  }

  async #drop(id: EnvelopeId, reason: DropReason, expiresAt: number, owe: boolean): Promise<void> {
    const { sender, hash } = id
    const held = this.#needs.store.get(id)
    await this.#needs.store.drop({ sender, hash }, reason, expiresAt, owe)
    if (held !== undefined) this.#needs.onDrop(held, reason)
  }
}

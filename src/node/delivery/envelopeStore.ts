/**
 * Envelopes on one node's disk: bodies as files, what is known of them in an index that is also kept in memory. Nothing
 * resolves before it is durable; what was dropped leaves a tombstone. After a fault of the disk nothing is read or written any more.
 */
import { type Address, bytesToNumber, uintToBytes } from '../../core/bytes.js'
import { storedEnvelopeOverheadBytes } from '../../core/limits.js'
import { envelopeHash } from '../../crypto/envelopeSlip.js'
import type { KeyValueStore, WriteOperation } from '../../state/store/keyValueStore.js'
import { Bodies } from './bodies.js'
import { DeliveryError, EnvelopeDiskError } from './deliveryError.js'
import {
  type DropReason,
  decodeHeld,
  decodeTombstone,
  type EnvelopeId,
  encodeHeld,
  encodeTombstone,
  type HeldEnvelope,
  idOfKey,
  idText,
  recordKey,
  SCANNED_KEY,
  TABLE,
  type Tombstone,
} from './records.js'

export interface EnvelopeStoreOptions {
  /** Folder of the bodies. */
  readonly dir: string
  readonly bytesMax: number
  readonly senderBytesMax: number
}

const sizeOf = (lengthBytes: number): number => lengthBytes + storedEnvelopeOverheadBytes

export class EnvelopeStore {
  readonly #options: EnvelopeStoreOptions
  readonly #index: KeyValueStore
  readonly #bodies: Bodies
  readonly #held = new Map<string, HeldEnvelope>()
  readonly #tombstones = new Map<string, Tombstone>()
  readonly #owed = new Map<string, EnvelopeId>()
  readonly #bytesOf = new Map<Address, number>()
  /** The last change of each envelope that is under way: the next one waits for it. */
  readonly #changes = new Map<string, Promise<unknown>>()
  #bytes = 0
  #scanned = 0
  #fault: EnvelopeDiskError | undefined
  #onFault: (error: EnvelopeDiskError) => void = () => {}

  /** Throws StoreError, or CodecError when the index is damaged. */
  static async open(options: EnvelopeStoreOptions, index: KeyValueStore): Promise<EnvelopeStore> {
    const store = new EnvelopeStore(options, index)
    await store.#load()
    return store
  }

  private constructor(options: EnvelopeStoreOptions, index: KeyValueStore) {
    this.#options = options
    this.#index = index
    this.#bodies = new Bodies(options.dir)
  }

  /** Calls back with the first fault of the disk; everything rejects with it from then on. */
  onFault(listener: (error: EnvelopeDiskError) => void): void {
    this.#onFault = listener
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Height up to which this node has acted on the chain's events. */
  get scanned(): number {
    return this.#scanned
  }

  all(): readonly HeldEnvelope[] {
    return [...this.#held.values()]
  }

  get(id: EnvelopeId): HeldEnvelope | undefined {
    return this.#held.get(idText(id))
  }

  tombstone(id: EnvelopeId): Tombstone | undefined {
    return this.#tombstones.get(idText(id))
  }

  owed(): readonly EnvelopeId[] {
    return [...this.#owed.values()]
  }

  /** The envelope's bytes; undefined when the disk has lost or changed them. */
  async body(held: HeldEnvelope): Promise<Uint8Array | undefined> {
    const bytes = await this.#disk(() => this.#bodies.read(idText(held)))
    return bytes !== undefined && envelopeHash(bytes) === held.hash ? bytes : undefined
  }

  /** Stores an envelope that is not here; of one that is, bytes that the disk has lost. Throws DeliveryError OVER_BUDGET or ERASED. */
  put(held: HeldEnvelope, body: Uint8Array): Promise<void> {
    return this.#change(held, async () => {
      const before = this.get(held)
      if (before !== undefined) {
        if ((await this.body(before)) === undefined) await this.#disk(() => this.#bodies.write(idText(held), body))
        return
      }
      if (this.#tombstones.has(idText(held)))
        throw new DeliveryError('ERASED', `envelope ${held.hash} was dropped here`)
      this.#reserve(held.sender, sizeOf(body.length))
      try {
        await this.#disk(() => this.#bodies.write(idText(held), body))
        await this.#write([put(TABLE.held, held, encodeHeld(held))])
      } catch (error) {
        this.#reserve(held.sender, -sizeOf(body.length))
        throw error
      }
      this.#held.set(idText(held), held)
    })
  }

  /** Changes the record of an envelope that is still here. */
  update(id: EnvelopeId, change: (held: HeldEnvelope) => HeldEnvelope): Promise<void> {
    return this.#change(id, async () => {
      const held = this.get(id)
      if (held === undefined) return
      const next = change(held)
      await this.#write([put(TABLE.held, id, encodeHeld(next))])
      this.#held.set(idText(id), next)
    })
  }

  /** Drops an envelope, or keeps one out that is not here; with `owe` it is to be confirmed on chain. Its bytes are gone then. */
  drop(id: EnvelopeId, reason: DropReason, expiresAt: number, owe: boolean): Promise<void> {
    return this.#change(id, async () => {
      const tombstone = { ...id, reason, expiresAt }
      const operations = [del(TABLE.held, id), put(TABLE.tombstone, id, encodeTombstone(tombstone))]
      if (owe) operations.push(put(TABLE.owed, id, Uint8Array.of(1)))
      // First the record: a crash leaves a file without one, which the next start removes before anything is confirmed.
      await this.#write(operations)
      const held = this.get(id)
      this.#held.delete(idText(id))
      this.#tombstones.set(idText(id), tombstone)
      await this.#disk(() => this.#bodies.erase(idText(id)))
      if (held !== undefined) this.#reserve(id.sender, -sizeOf(held.slip.lengthBytes))
      if (owe) this.#owed.set(idText(id), id)
    })
  }

  /** The chain has this node's confirmation, or does not want it. */
  settle(id: EnvelopeId): Promise<void> {
    return this.#change(id, async () => {
      if (!this.#owed.delete(idText(id))) return
      await this.#write([del(TABLE.owed, id)])
    })
  }

  /** Notes how far the chain was read, and forgets tombstones of what no node would take any more. */
  async advance(height: number): Promise<void> {
    const past = [...this.#tombstones.values()].filter(({ expiresAt }) => expiresAt < height)
    const scanned = { type: 'put', key: SCANNED_KEY, value: uintToBytes(height) } as const
    await this.#write([scanned, ...past.map((id) => del(TABLE.tombstone, id))])
    for (const id of past) this.#tombstones.delete(idText(id))
    this.#scanned = height
  }

  /** After the changes under way. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#changes.values())
    await this.#index.close()
  }

  #reserve(sender: Address, bytes: number): void {
    const own = (this.#bytesOf.get(sender) ?? 0) + bytes
    const { bytesMax, senderBytesMax } = this.#options
    if (bytes > 0 && (own > senderBytesMax || this.#bytes + bytes > bytesMax)) {
      const whose = own > senderBytesMax ? `${sender} has as much here as one sender may` : 'the store is full'
      throw new DeliveryError('OVER_BUDGET', `no room for the envelope: ${whose}; send it later or by another node`)
    }
    this.#bytes += bytes
    if (own > 0) this.#bytesOf.set(sender, own)
    else this.#bytesOf.delete(sender)
  }

  #write(operations: readonly WriteOperation[]): Promise<void> {
    return this.#disk(() => this.#index.batch(operations, { sync: true }))
  }

  async #disk<T>(work: () => Promise<T>): Promise<T> {
    if (this.#fault !== undefined) throw this.#fault
    try {
      return await work()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      const fault = new EnvelopeDiskError('IO', `envelopes cannot be kept (${reason}): check the disk, then restart`)
      if (this.#fault === undefined) {
        this.#fault = fault
        this.#onFault(fault)
      }
      throw fault
    }
  }

  #change(id: EnvelopeId, run: () => Promise<void>): Promise<void> {
    const key = idText(id)
    const before = this.#changes.get(key) ?? Promise.resolve()
    const change = before.then(run, run)
    this.#changes.set(key, change)
    const clear = () => {
      if (this.#changes.get(key) === change) this.#changes.delete(key)
    }
    change.then(clear, clear)
    return change
  }

  async #load(): Promise<void> {
    for await (const [key, value] of this.#index.range({})) {
      const table = key[0]
      if (table === TABLE.meta) this.#scanned = bytesToNumber(value)
      else this.#loadRecord(table, idOfKey(key), value)
    }
    // A file without a record: of an envelope that was being stored or dropped.
    for (const name of await this.#bodies.names()) if (!this.#held.has(name)) await this.#bodies.erase(name)
  }

  #loadRecord(table: number | undefined, id: EnvelopeId, value: Uint8Array): void {
    if (table === TABLE.owed) this.#owed.set(idText(id), id)
    else if (table === TABLE.tombstone) this.#tombstones.set(idText(id), decodeTombstone(id, value))
    else {
      const held = decodeHeld(id, value)
      this.#held.set(idText(id), held)
      const size = sizeOf(held.slip.lengthBytes)
      this.#bytes += size
      this.#bytesOf.set(id.sender, (this.#bytesOf.get(id.sender) ?? 0) + size)
    }
  }
}

const put = (table: number, id: EnvelopeId, value: Uint8Array): WriteOperation => {
  return { type: 'put', key: recordKey(table, id), value }
}
const del = (table: number, id: EnvelopeId): WriteOperation => ({ type: 'del', key: recordKey(table, id) })

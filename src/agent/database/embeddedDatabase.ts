/**
 * A department's database in one local folder or in memory. Layout (one-letter key prefix, then the key):
 * r + id -> record; c + credit code -> id; n + company name -> id; o + sequence -> unconfirmed message;
 * k + enterprise id + portrait version -> portrait key; s + name -> secret; m + name -> counters and cursor.
 */
import { assert } from '../../core/assert.js'
import { bytesToNumber, concatBytes, fromHex, type Hash, utf8 } from '../../core/bytes.js'
import { bytesField, listField } from '../../core/codec.js'
import { bulkLoadBatchRecords, outboxItemBytesMax, recordNameBytesMax } from '../../core/limits.js'
import { rlpDecode, rlpEncode } from '../../core/rlp.js'
import {
  type KeyValueReader,
  type KeyValueStore,
  StoreError,
  type WriteOperation,
} from '../../state/store/keyValueStore.js'
import {
  type BulkLoadOptions,
  type Cursor,
  checkSecret,
  type DatabaseChange,
  DatabaseError,
  type DepartmentDatabase,
  type EnterpriseLocator,
  type EnterpriseRecord,
  type NamedSecret,
  type OutboxItem,
  type PortraitKeyEntry,
  type RecordWrite,
} from './departmentDatabase.js'
import { decodeRecord, encodeRecord } from './recordCodec.js'

const FORMAT = 1
const META = {
  format: utf8('mformat'),
  cursor: utf8('mcursor'),
  nextId: utf8('mnextId'),
  nextSequence: utf8('mnextSequence'),
}

const word = (value: number, bytes = 6): Uint8Array => {
  const out = new Uint8Array(bytes)
  for (let i = bytes - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) out[i] = rest % 256
  return out
}
const keyOf = (prefix: string, rest: Uint8Array | string): Uint8Array =>
  concatBytes(utf8(prefix), typeof rest === 'string' ? utf8(rest) : rest)
const portraitKeyKey = (enterpriseId: Hash, version: number): Uint8Array =>
  concatBytes(utf8('k'), fromHex(enterpriseId), word(version))

/** Puts and deletes of one atomic write, readable before they are written. */
class Draft implements KeyValueReader {
  readonly #store: KeyValueStore
  readonly #changes = new Map<string, readonly [key: Uint8Array, value: Uint8Array | null]>()

  constructor(store: KeyValueStore) {
    this.#store = store
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    const changed = this.#changes.get(mapKey(key))
    return changed ? (changed[1] ?? undefined) : this.#store.getSync(key)
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#changes.set(mapKey(key), [key, value])
  }

  delete(key: Uint8Array): void {
    this.#changes.set(mapKey(key), [key, null])
  }

  number(key: Uint8Array): number {
    return bytesToNumber(this.getSync(key) ?? new Uint8Array(0))
  }

  async write(): Promise<void> {
    const operations: WriteOperation[] = []
    for (const [key, value] of this.#changes.values()) {
      operations.push(value ? { type: 'put', key, value } : { type: 'del', key })
    }
    await writeBatch(this.#store, operations)
  }
}

async function writeBatch(store: KeyValueStore, operations: readonly WriteOperation[]): Promise<void> {
  try {
    await store.batch(operations, { sync: true })
  } catch (cause) {
    if (!(cause instanceof StoreError)) throw cause
    throw new DatabaseError('FAILED', `department database: ${cause.message}`, { cause })
  }
}

const mapKey = (key: Uint8Array): string => Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')

/** Opens the embedded database on `store`, which it then owns. Throws DatabaseError CORRUPT for a store of another kind. */
export async function openEmbeddedDatabase(store: KeyValueStore): Promise<DepartmentDatabase> {
  const format = store.getSync(META.format)
  if (!format) await writeBatch(store, [{ type: 'put', key: META.format, value: word(FORMAT, 1) }])
  else if (format[0] !== FORMAT) {
    throw new DatabaseError('CORRUPT', `department database has layout ${format[0]}, this version reads ${FORMAT}`)
  }
  const outbox = new Map<string, { readonly sequence: number; readonly payload: Uint8Array }>()
  for await (const [key, value] of store.range({ gte: utf8('o'), lt: utf8('p') })) {
    const item = decodeOutboxItem(value)
    outbox.set(item.key, { sequence: bytesToNumber(key.subarray(1)), payload: item.payload })
  }
  return new EmbeddedDatabase(store, outbox)
}

type Outbox = Map<string, { readonly sequence: number; readonly payload: Uint8Array }>

class EmbeddedDatabase implements DepartmentDatabase {
  readonly #store: KeyValueStore
  /** What the store holds under `o`, in order. */
  readonly #outbox: Outbox
  #tail: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(store: KeyValueStore, outbox: Outbox) {
    this.#store = store
    this.#outbox = outbox
  }

  async find(locator: EnterpriseLocator): Promise<EnterpriseRecord | null> {
    return findRecord(this.#store, locator)?.record ?? null
  }

  async cursor(): Promise<Cursor | null> {
    const bytes = this.#store.getSync(META.cursor)
    if (!bytes) return null
    assert(bytes.length === 12, 'the cursor has 12 bytes')
    return { height: bytesToNumber(bytes.subarray(0, 6)), logIndex: bytesToNumber(bytes.subarray(6)) }
  }

  async outbox(): Promise<OutboxItem[]> {
    return [...this.#outbox].map(([key, { payload }]) => ({ key, payload }))
  }

  async portraitKey(enterpriseId: Hash, portraitVersion: number): Promise<Uint8Array | null> {
    return this.#store.getSync(portraitKeyKey(enterpriseId, portraitVersion)) ?? null
  }

  async secret(name: string): Promise<Uint8Array | null> {
    return this.#store.getSync(keyOf('s', name)) ?? null
  }

  async count(): Promise<number> {
    return new Draft(this.#store).number(META.nextId)
  }

  apply(change: DatabaseChange): Promise<void> {
    return this.#exclusive(async () => {
      const draft = new Draft(this.#store)
      for (const write of change.writes ?? []) writeRecord(draft, write)
      for (const entry of change.portraitKeys ?? []) putPortraitKey(draft, entry)
      for (const secret of change.secrets ?? []) putSecret(draft, secret)
      const added = this.#draftOutbox(draft, change)
      const { cursor } = change
      if (cursor) draft.put(META.cursor, concatBytes(word(cursor.height), word(cursor.logIndex)))
      await draft.write()
      for (const key of change.outboxDelete ?? []) this.#outbox.delete(key)
      for (const [key, entry] of added) this.#outbox.set(key, entry)
    })
  }

  bulkLoad(records: Iterable<RecordWrite>, options: BulkLoadOptions = {}): Promise<number> {
    return this.#exclusive(async () => {
      const total = options.total ?? null
      let loaded = 0
      let draft = new Draft(this.#store)
      const flush = async () => {
        await draft.write()
        draft = new Draft(this.#store)
        options.onProgress?.({ loaded, total })
      }
      for (const record of records) {
        writeRecord(draft, record)
        loaded++
        if (loaded % bulkLoadBatchRecords === 0) await flush()
      }
      if (loaded % bulkLoadBatchRecords !== 0) await flush()
      return loaded
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    await this.#tail.catch(() => {})
    this.#closed = true
    await this.#store.close()
  }

  #draftOutbox(draft: Draft, { outboxPut = [], outboxDelete = [] }: DatabaseChange): Outbox {
    const added: Outbox = new Map()
    for (const key of outboxDelete) {
      const entry = this.#outbox.get(key)
      if (entry) draft.delete(keyOf('o', word(entry.sequence)))
    }
    for (const { key, payload } of outboxPut) {
      const old = outboxDelete.includes(key) ? undefined : this.#outbox.get(key)
      const sequence = old?.sequence ?? draft.number(META.nextSequence)
      if (!old) draft.put(META.nextSequence, word(sequence + 1))
      draft.put(keyOf('o', word(sequence)), encodeOutboxItem({ key, payload }))
      added.set(key, { sequence, payload })
    }
    return added
  }

  /** One write at a time: each reads what the one before has written. */
  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#tail.then(() => {
      if (this.#closed) throw new DatabaseError('FAILED', 'the department database is closed')
      return work()
    })
    this.#tail = run.catch(() => {})
    return run
  }
}

/** A name matches only a record that has no other credit code: two enterprises may have one name. */
function findRecord(reader: KeyValueReader, { companyName, creditCode }: EnterpriseLocator) {
  const byCode = creditCode === '' ? undefined : readRecord(reader, keyOf('c', creditCode))
  if (byCode) return byCode
  const byName = companyName === '' ? undefined : readRecord(reader, keyOf('n', companyName))
  if (byName && creditCode !== '' && byName.record.creditCode !== '') return undefined
  return byName
}

function readRecord(reader: KeyValueReader, indexKey: Uint8Array) {
  const id = reader.getSync(indexKey)
  const bytes = id && reader.getSync(keyOf('r', id))
  return id && bytes ? { id, record: decodeRecord(bytes) } : undefined
}

function writeRecord(draft: Draft, { locator, values }: RecordWrite): void {
  checkLocator(locator)
  const found = findRecord(draft, locator)
  const old = found?.record
  const record: EnterpriseRecord = {
    companyName: locator.companyName || (old?.companyName ?? ''),
    creditCode: locator.creditCode || (old?.creditCode ?? ''),
    values: new Map([...(old?.values ?? []), ...values]),
  }
  const id = found?.id ?? nextId(draft)
  draft.put(keyOf('r', id), encodeRecord(record))
  if (record.creditCode !== '') draft.put(keyOf('c', record.creditCode), id)
  if (old && old.companyName !== record.companyName) releaseName(draft, old.companyName, id)
  if (record.companyName !== '' && !draft.getSync(keyOf('n', record.companyName))) {
    draft.put(keyOf('n', record.companyName), id)
  }
}

function nextId(draft: Draft): Uint8Array {
  const id = draft.number(META.nextId)
  draft.put(META.nextId, word(id + 1))
  return word(id)
}

function releaseName(draft: Draft, companyName: string, id: Uint8Array): void {
  const key = keyOf('n', companyName)
  const holder = draft.getSync(key)
  if (holder && mapKey(holder) === mapKey(id)) draft.delete(key)
}

function checkLocator({ companyName, creditCode }: EnterpriseLocator): void {
  if (companyName === '' && creditCode === '') {
    throw new DatabaseError('INVALID_RECORD', 'a record needs a company name or a credit code')
  }
}

function putPortraitKey(draft: Draft, { enterpriseId, portraitVersion, key }: PortraitKeyEntry): void {
  assert(key.length === 32, 'a portrait key has 32 bytes')
  draft.put(portraitKeyKey(enterpriseId, portraitVersion), key)
}

function putSecret(draft: Draft, secret: NamedSecret): void {
  checkSecret(secret)
  const key = keyOf('s', secret.name)
  if (secret.value) draft.put(key, secret.value)
  else draft.delete(key)
}

function encodeOutboxItem({ key, payload }: OutboxItem): Uint8Array {
  const name = utf8(key)
  assert(name.length <= recordNameBytesMax && payload.length <= outboxItemBytesMax, 'outbox item within its bounds')
  return rlpEncode([name, payload])
}

function decodeOutboxItem(bytes: Uint8Array): OutboxItem {
  const [key, payload] = listField(rlpDecode(bytes), 'outbox item', 2)
  return {
    key: new TextDecoder().decode(bytesField(key, 'key', recordNameBytesMax)),
    payload: bytesField(payload, 'payload', outboxItemBytesMax),
  }
}

/**
 * A department's database in PostgreSQL: the department's own tables, read as a mapping says, and a schema of the agent's own
 * for what submissions wrote, messages, cursor and keys. Both may be of one server or of two.
 */
import type { ClientBase } from 'pg'
import type { Hash } from '../../../core/bytes.js'
import { bulkLoadBatchRecords } from '../../../core/limits.js'
import {
  type BulkLoadOptions,
  type Cursor,
  type DatabaseChange,
  DatabaseError,
  type DepartmentDatabase,
  type EnterpriseLocator,
  type EnterpriseRecord,
  type OutboxItem,
  type RecordWrite,
} from '../departmentDatabase.js'
import type { MappedTables, MappedValue } from './mappedTables.js'
import type { MappedUpdates } from './mappedUpdate.js'
import { type AcceptedValue, type OwnSchemaReader, writeBookkeeping } from './ownSchema.js'
import type { Reader } from './reader.js'
import { checkWrite, writeRecords } from './recordWrites.js'
import type { WritingSession } from './session.js'
import { quoted, storable } from './sql.js'

export interface PostgresParts {
  readonly schema: string
  readonly session: WritingSession
  readonly own: OwnSchemaReader
  readonly mapped: MappedTables
  readonly updates: MappedUpdates
  /** Attributes whose accepted values nobody keeps. */
  readonly dropped: ReadonlySet<string>
  readonly readers: readonly Reader[]
}

export class PostgresDatabase implements DepartmentDatabase {
  readonly #parts: PostgresParts
  #tail: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(parts: PostgresParts) {
    this.#parts = parts
  }

  async find(locator: EnterpriseLocator, wanted?: readonly string[]): Promise<EnterpriseRecord | null> {
    const { own, mapped } = this.#parts
    const [accepted, table] = await Promise.all([own.find(locator, wanted), mapped.find(locator, wanted)])
    if (!accepted && table.size === 0) return null
    return {
      companyName: accepted?.companyName || locator.companyName,
      creditCode: accepted?.creditCode || locator.creditCode,
      values: merged(table, accepted?.values ?? new Map()),
    }
  }

  cursor(): Promise<Cursor | null> {
    return this.#parts.own.cursor()
  }

  outbox(): Promise<OutboxItem[]> {
    return this.#parts.own.outbox()
  }

  portraitKey(enterpriseId: Hash, portraitVersion: number): Promise<Uint8Array | null> {
    return this.#parts.own.portraitKey(enterpriseId, portraitVersion)
  }

  secret(name: string): Promise<Uint8Array | null> {
    return this.#parts.own.secret(name)
  }

  /** Enterprises of which the agent's own schema has a record; those of mapped tables are not counted. */
  count(): Promise<number> {
    return this.#parts.own.count()
  }

  apply(change: DatabaseChange): Promise<void> {
    return this.#exclusive(() => {
      return this.#parts.session.transaction(async (client) => {
        await this.#write(client, change.writes ?? [])
        await writeBookkeeping(client, this.#parts.schema, change)
      })
    })
  }

  bulkLoad(records: Iterable<RecordWrite>, options: BulkLoadOptions = {}): Promise<number> {
    return this.#exclusive(async () => {
      const total = options.total ?? null
      let loaded = 0
      let batch: RecordWrite[] = []
      const flush = async () => {
        await this.#parts.session.transaction((client) => this.#write(client, batch))
        loaded += batch.length
        batch = []
        options.onProgress?.({ loaded, total })
      }
      for (const record of records) {
        batch.push(record)
        if (batch.length === bulkLoadBatchRecords) await flush()
      }
      if (batch.length > 0) await flush()
      return loaded
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    await this.#tail.catch(() => {})
    this.#closed = true
    await this.#parts.session.close()
    await Promise.all(this.#parts.readers.map((reader) => reader.close()))
  }

  async #write(client: ClientBase, writes: readonly RecordWrite[]): Promise<void> {
    const { updates, dropped, schema } = this.#parts
    const own: RecordWrite[] = []
    for (const write of writes) {
      checkWrite(write)
      const kept = { ...write, values: new Map([...write.values].filter(([name]) => !dropped.has(name))) }
      const left = await updates.take(client, kept)
      if (left.values.size < kept.values.size) await forget(client, schema, kept, left)
      if (left.values.size > 0 || write.values.size === 0) own.push(left)
    }
    await writeRecords(client, schema, own)
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

/** Values that went into the department's table have no older twin in the agent's schema. */
async function forget(client: ClientBase, schema: string, all: RecordWrite, left: RecordWrite): Promise<void> {
  const taken = [...all.values.keys()].filter((attribute) => !left.values.has(attribute))
  await client.query(
    `delete from ${quoted(schema)}.record_value where attribute = any($1::text[]) and record_id in
       (select id from ${quoted(schema)}.record where credit_code = $2 or (company_name = $3 and ($2 = '' or credit_code is null)))`,
    [taken, storable(all.locator.creditCode), storable(all.locator.companyName)],
  )
}

/**
 * The department's table is the authority: an accepted submission is checked in form only. It stands in where the table has
 * nothing, and where the mapping tells the table's age and the submission is younger.
 */
function merged(
  table: ReadonlyMap<string, MappedValue>,
  accepted: ReadonlyMap<string, AcceptedValue>,
): ReadonlyMap<string, string> {
  const values = new Map([...table].map(([name, { value }]) => [name, value]))
  for (const [name, { value, acceptedAt }] of accepted) {
    const held = table.get(name)
    const older = held && held.changedAt !== null && held.changedAt < acceptedAt
    if (!held || held.value.trim() === '' || older) values.set(name, value)
  }
  return values
}

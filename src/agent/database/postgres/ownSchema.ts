/** Reading and writing the agent's own tables. */
import type { ClientBase } from 'pg'
import { assert } from '../../../core/assert.js'
import { fromHex, type Hash, utf8 } from '../../../core/bytes.js'
import { outboxItemBytesMax, recordNameBytesMax } from '../../../core/limits.js'
import {
  type Cursor,
  checkSecret,
  type DatabaseChange,
  type EnterpriseLocator,
  type NamedSecret,
  type OutboxItem,
  type PortraitKeyEntry,
} from '../departmentDatabase.js'
import type { Read, Row } from './reader.js'
import { quoted, storable } from './sql.js'

/** A record of accepted submissions. */
export interface AcceptedRecord extends EnterpriseLocator {
  readonly values: ReadonlyMap<string, AcceptedValue>
}

export interface AcceptedValue {
  readonly value: string
  /** Seconds since 1970. */
  readonly acceptedAt: number
}

export class OwnSchemaReader {
  readonly #read: Read
  readonly #schema: string

  constructor(read: Read, schema: string) {
    this.#read = read
    this.#schema = quoted(schema)
  }

  /** By credit code, else by name where the record has no other code; with the values of `wanted` or all. */
  async find(
    { creditCode, companyName }: EnterpriseLocator,
    wanted?: readonly string[],
  ): Promise<AcceptedRecord | null> {
    const rows = await this.#read(
      `with found as (
         select id, credit_code, company_name, 0 as rank from ${this.#schema}.record where credit_code = $1
         union all
         select id, credit_code, company_name, id as rank from ${this.#schema}.record
         where company_name = $2 and ($1 = '' or credit_code is null)
         order by rank limit 1
       )
       select credit_code, company_name, attribute, value, extract(epoch from accepted_at) as accepted_at
       from found left join ${this.#schema}.record_value on record_id = id and ($3::text[] is null or attribute = any($3))`,
      [storable(creditCode), storable(companyName), wanted?.map(storable) ?? null],
    )
    const [first] = rows
    if (!first) return null
    const values = rows.flatMap(({ attribute, value, accepted_at }) =>
      attribute === null
        ? []
        : [[String(attribute), { value: String(value), acceptedAt: Number(accepted_at) }] as const],
    )
    const text = (value: unknown) => (value === null ? '' : String(value))
    return { companyName: text(first.company_name), creditCode: text(first.credit_code), values: new Map(values) }
  }

  async cursor(): Promise<Cursor | null> {
    const [row] = await this.#read(`select cursor_height, cursor_log_index from ${this.#schema}.state`)
    if (!row || row.cursor_height === null) return null
    return { height: Number(row.cursor_height), logIndex: Number(row.cursor_log_index) }
  }

  async outbox(): Promise<OutboxItem[]> {
    const rows = await this.#read(`select key, payload from ${this.#schema}.outbox order by sequence`)
    return rows.map((row) => ({ key: String(row.key), payload: bytesOf(row, 'payload') }))
  }

  async portraitKey(enterpriseId: Hash, portraitVersion: number): Promise<Uint8Array | null> {
    const [row] = await this.#read(
      `select key from ${this.#schema}.portrait_key where enterprise_id = $1 and portrait_version = $2`,
      [Buffer.from(fromHex(enterpriseId)), portraitVersion],
    )
    return row ? bytesOf(row, 'key') : null
  }

  async secret(name: string): Promise<Uint8Array | null> {
    const [row] = await this.#read(`select value from ${this.#schema}.secret where name = $1`, [storable(name)])
    return row ? bytesOf(row, 'value') : null
  }

  async count(): Promise<number> {
    const [row] = await this.#read(`select count(*) as records from ${this.#schema}.record`)
    return Number(row?.records)
  }
}

/** All of a change but its records, within the caller's transaction. */
export async function writeBookkeeping(client: ClientBase, schema: string, change: DatabaseChange): Promise<void> {
  const name = quoted(schema)
  await deleteMessages(client, name, change.outboxDelete ?? [])
  await putMessages(client, name, change.outboxPut ?? [])
  await putPortraitKeys(client, name, change.portraitKeys ?? [])
  await putSecrets(client, name, change.secrets ?? [])
  const { cursor } = change
  if (!cursor) return
  const text = `update ${name}.state set cursor_height = $1, cursor_log_index = $2`
  await client.query(text, [cursor.height, cursor.logIndex])
}

async function deleteMessages(client: ClientBase, schema: string, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return
  await client.query(`delete from ${schema}.outbox where key = any($1::text[])`, [keys.map(storable)])
}

/** Those that are new come last; one that is there keeps its place. */
async function putMessages(client: ClientBase, schema: string, items: readonly OutboxItem[]): Promise<void> {
  if (items.length === 0) return
  const payloads = new Map<string, Uint8Array>()
  for (const { key, payload } of items) {
    const fits = utf8(key).length <= recordNameBytesMax && payload.length <= outboxItemBytesMax
    assert(fits, 'outbox item within its bounds')
    payloads.set(storable(key), payload)
  }
  await client.query(
    `insert into ${schema}.outbox (key, sequence, payload)
     select key, (select coalesce(max(sequence), 0) from ${schema}.outbox) + place, payload
     from unnest($1::text[], $2::bytea[]) with ordinality as given(key, payload, place)
     on conflict (key) do update set payload = excluded.payload`,
    [[...payloads.keys()], [...payloads.values()].map((payload) => Buffer.from(payload))],
  )
}

async function putPortraitKeys(client: ClientBase, schema: string, keys: readonly PortraitKeyEntry[]): Promise<void> {
  for (const { enterpriseId, portraitVersion, key } of keys) {
    assert(key.length === 32, 'a portrait key has 32 bytes')
    await client.query(
      `insert into ${schema}.portrait_key (enterprise_id, portrait_version, key) values ($1, $2, $3)
       on conflict (enterprise_id, portrait_version) do update set key = excluded.key`,
      [Buffer.from(fromHex(enterpriseId)), portraitVersion, Buffer.from(key)],
    )
  }
}

async function putSecrets(client: ClientBase, schema: string, secrets: readonly NamedSecret[]): Promise<void> {
  for (const secret of secrets) {
    checkSecret(secret)
    const name = storable(secret.name)
    if (secret.value === null) await client.query(`delete from ${schema}.secret where name = $1`, [name])
    else {
      await client.query(
        `insert into ${schema}.secret (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value`,
        [name, Buffer.from(secret.value)],
      )
    }
  }
}

function bytesOf(row: Row, column: string): Uint8Array {
  const bytes = row[column]
  assert(Buffer.isBuffer(bytes), `${column} is bytes`)
  return Uint8Array.from(bytes)
}

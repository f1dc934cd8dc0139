/**
 * Accepted values on their way into the agent's own schema: the records that a batch touches are read once, the batch is
 * merged in memory by the rules of `DepartmentDatabase.find`, and each table is written with one statement.
 */
import type { ClientBase } from 'pg'
import { recordAttributesMax } from '../../../core/limits.js'
import { DatabaseError, type EnterpriseLocator, type RecordWrite } from '../departmentDatabase.js'
import { encodeRecord } from '../recordCodec.js'
import { quoted, storable } from './sql.js'

interface OwnRecord {
  readonly id: bigint
  companyName: string
  creditCode: string
  /** To be written. */
  readonly values: Map<string, string>
  changed: boolean
}

/** Writes all of them, within the caller's transaction. Throws DatabaseError INVALID_RECORD. */
export async function writeRecords(client: ClientBase, schema: string, writes: readonly RecordWrite[]): Promise<void> {
  if (writes.length === 0) return
  for (const write of writes) checkWrite(write)
  const batch = await Batch.read(client, schema, writes)
  for (const write of writes) batch.merge(write)
  await batch.write(client)
}

/** Throws DatabaseError INVALID_RECORD. */
export function checkWrite({ locator, values }: RecordWrite): void {
  if (locator.companyName === '' && locator.creditCode === '') {
    throw new DatabaseError('INVALID_RECORD', 'a record needs a company name or a credit code')
  }
  // Kept in another form here; the bounds are the same.
  encodeRecord({ ...locator, values })
}

class Batch {
  readonly #schema: string
  readonly #byCode = new Map<string, OwnRecord>()
  readonly #byName = new Map<string, OwnRecord[]>()
  readonly #touched = new Set<OwnRecord>()
  #lastId: bigint

  private constructor(schema: string, lastId: bigint) {
    this.#schema = quoted(schema)
    this.#lastId = lastId
  }

  static async read(client: ClientBase, schema: string, writes: readonly RecordWrite[]): Promise<Batch> {
    const name = quoted(schema)
    const last = await client.query(`select coalesce(max(id), 0) as last from ${name}.record`)
    const batch = new Batch(schema, BigInt(last.rows[0]?.last))
    const { rows } = await client.query(
      `select id, credit_code, company_name from ${name}.record
       where credit_code = any($1::text[]) or company_name = any($2::text[]) order by id`,
      [texts(writes.map(({ locator }) => locator.creditCode)), texts(writes.map(({ locator }) => locator.companyName))],
    )
    for (const { id, credit_code, company_name } of rows) {
      const record = { id: BigInt(id), creditCode: credit_code ?? '', companyName: company_name ?? '' }
      batch.#index({ ...record, values: new Map(), changed: false })
    }
    return batch
  }

  merge({ locator, values }: RecordWrite): void {
    const creditCode = storable(locator.creditCode)
    const companyName = storable(locator.companyName)
    const record = this.#find({ creditCode, companyName }) ?? this.#insert()
    this.#rename(record, companyName || record.companyName, creditCode || record.creditCode)
    for (const [attribute, value] of values) record.values.set(storable(attribute), storable(value))
    this.#touched.add(record)
  }

  async write(client: ClientBase): Promise<void> {
    const changed = [...this.#touched].filter((record) => record.changed)
    if (changed.length > 0) {
      await client.query(
        `insert into ${this.#schema}.record (id, credit_code, company_name)
         select id, nullif(code, ''), nullif(name, '') from unnest($1::bigint[], $2::text[], $3::text[]) as given(id, code, name)
         on conflict (id) do update set credit_code = excluded.credit_code, company_name = excluded.company_name`,
        [changed.map(({ id }) => id), changed.map((r) => r.creditCode), changed.map((r) => r.companyName)],
      )
    }
    const cells = [...this.#touched].flatMap(({ id, values }) => [...values].map(([name, value]) => [id, name, value]))
    if (cells.length === 0) return
    await client.query(
      `insert into ${this.#schema}.record_value (record_id, attribute, value)
       select * from unnest($1::bigint[], $2::text[], $3::text[])
       on conflict (record_id, attribute) do update set value = excluded.value, accepted_at = excluded.accepted_at`,
      [0, 1, 2].map((column) => cells.map((cell) => cell[column])),
    )
    await this.#checkSizes(client)
  }

  async #checkSizes(client: ClientBase): Promise<void> {
    const { rows } = await client.query(
      `select 1 from ${this.#schema}.record_value where record_id = any($1::bigint[])
       group by record_id having count(*) > $2 limit 1`,
      [[...this.#touched].map(({ id }) => id), recordAttributesMax],
    )
    if (rows.length === 0) return
    throw new DatabaseError('INVALID_RECORD', `a record has at most ${recordAttributesMax} attributes`)
  }

  /** A name matches only a record that has no other credit code: two enterprises may have one name. */
  #find({ creditCode, companyName }: EnterpriseLocator): OwnRecord | undefined {
    const byCode = creditCode === '' ? undefined : this.#byCode.get(creditCode)
    if (byCode) return byCode
    const named = companyName === '' ? [] : (this.#byName.get(companyName) ?? [])
    return named.find((record) => creditCode === '' || record.creditCode === '')
  }

  #insert(): OwnRecord {
    this.#lastId++
    return { id: this.#lastId, companyName: '', creditCode: '', values: new Map(), changed: false }
  }

  #rename(record: OwnRecord, companyName: string, creditCode: string): void {
    if (record.companyName === companyName && record.creditCode === creditCode) return
    const former = this.#byName.get(record.companyName)
    if (former)
      this.#byName.set(
        record.companyName,
        former.filter((other) => other !== record),
      )
    record.companyName = companyName
    record.creditCode = creditCode
    record.changed = true
    this.#index(record)
  }

  #index(record: OwnRecord): void {
    if (record.creditCode !== '') this.#byCode.set(record.creditCode, record)
    const named = this.#byName.get(record.companyName) ?? []
    if (!named.includes(record)) this.#byName.set(record.companyName, [...named, record])
  }
}

const texts = (all: readonly string[]): string[] => [...new Set(all.filter((text) => text !== '').map(storable))]

/**
 * The agent's own schema: what submissions wrote, messages, cursor, keys. Steps are numbered and each runs once, so that a
 * schema of any earlier version is brought up to this one.
 */
import type { ClientBase } from 'pg'
import { DatabaseError } from '../departmentDatabase.js'
import { sqlState } from './faults.js'
import type { Read } from './reader.js'
import { quoted } from './sql.js'

/** Each entry leads from the version of its index to the next; entries of released versions never change. */
const STEPS: readonly ((schema: string) => string)[] = [
  (schema) => `
create table ${schema}.state (
  only_row boolean primary key default true check (only_row),
  owner text not null,
  change bigint not null,
  cursor_height bigint,
  cursor_log_index bigint
);
comment on table ${schema}.state is 'which agent owns the schema, its last change, the first log of the chain that it has not handled';
insert into ${schema}.state (owner, change) values ('', 0);

create table ${schema}.record (
  id bigint primary key,
  credit_code text collate "C" unique,
  company_name text collate "C"
);
comment on table ${schema}.record is 'enterprises of which submissions were accepted';
create index record_company_name on ${schema}.record (company_name);

create table ${schema}.record_value (
  record_id bigint not null references ${schema}.record on delete cascade,
  attribute text collate "C" not null,
  value text not null,
  accepted_at timestamptz not null default now(),
  primary key (record_id, attribute)
);
comment on table ${schema}.record_value is 'accepted values; an empty one is a vacant field';

create table ${schema}.outbox (
  key text collate "C" primary key,
  sequence bigint not null unique,
  payload bytea not null
);
comment on table ${schema}.outbox is 'messages that the chain has not confirmed yet';

create table ${schema}.portrait_key (
  enterprise_id bytea not null,
  portrait_version bigint not null,
  key bytea not null,
  primary key (enterprise_id, portrait_version)
);
comment on table ${schema}.portrait_key is 'secret: keys with which declared values are digested';

create table ${schema}.secret (
  name text collate "C" primary key,
  value bytea not null
);
comment on table ${schema}.secret is 'secret: keys and protocol state of the agent';
`,
]

export const schemaVersion = STEPS.length

/**
 * What a database administrator runs where the agent's role may not create the schema itself; running it again changes
 * nothing, after an update of the program it adds what is new.
 */
export function schemaSql(schema: string, role: string): string {
  const name = quoted(schema)
  return [
    'begin;',
    `create schema if not exists ${name};`,
    versionTable(name),
    ...STEPS.map((_, i) => onceSql(name, i + 1)),
    `grant usage on schema ${name} to ${quoted(role)};`,
    `grant select, insert, update, delete on all tables in schema ${name} to ${quoted(role)};`,
    'commit;',
    '',
  ].join('\n')
}

/** Makes or completes the schema, within the caller's transaction. Throws DatabaseError MISCONFIGURED or CORRUPT. */
export async function migrate(client: ClientBase, schema: string, user: string): Promise<void> {
  const name = quoted(schema)
  const from = await schemaVersionOf(
    async (text, values) => (await client.query(text, [...(values ?? [])])).rows,
    schema,
  )
  if (from > schemaVersion) {
    const text = `schema ${schema} has layout ${from}, this version reads up to ${schemaVersion}`
    throw new DatabaseError('CORRUPT', `department database: ${text}; use the program that wrote it, or a newer one`)
  }
  if (from === schemaVersion) return
  try {
    if (from === 0) {
      const { rows } = await client.query('select 1 from pg_namespace where nspname = $1', [schema])
      if (rows.length === 0) await client.query(`create schema ${name}`)
      await client.query(versionTable(name))
    }
    for (let version = from + 1; version <= schemaVersion; version++) await client.query(stepSql(name, version))
  } catch (cause) {
    if (sqlState(cause) !== '42501') throw cause
    const text = `${user} may not create schema ${schema} and its tables`
    throw new DatabaseError('MISCONFIGURED', `department database: ${text}; ${LET_INIT}`)
  }
}

export const LET_INIT = 'let the administrator run what `concordat department init-schema --config FILE` prints'

/** 0: there is none yet. */
export async function schemaVersionOf(read: Read, schema: string): Promise<number> {
  const [found] = await read(
    `select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = 'version'`,
    [schema],
  )
  if (!found) return 0
  const [row] = await read(`select coalesce(max(version), 0)::int as version from ${quoted(schema)}.version`)
  return Number(row?.version)
}

const versionTable = (schema: string): string =>
  `create table if not exists ${schema}.version (version int primary key, made_at timestamptz not null default now());`

const stepSql = (schema: string, version: number): string =>
  `${STEPS[version - 1]?.(schema)}insert into ${schema}.version (version) values (${version});`

const onceSql = (schema: string, version: number): string =>
  `do $step$ begin
if not exists (select from ${schema}.version where version = ${version}) then
${stepSql(schema, version)}
end if;
end $step$;`

/** A real PostgreSQL server for tests: the one of CONCORDAT_TEST_POSTGRES_URL (a role that may create databases and roles). */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Test } from 'tap'
import type { ConnectionSettings } from '../../src/agent/database/postgres/connection.js'

export const POSTGRES_URL = process.env.CONCORDAT_TEST_POSTGRES_URL ?? ''

/** For tap's `skip`. */
export const withoutPostgres =
  POSTGRES_URL === ''
    ? 'skipped: set CONCORDAT_TEST_POSTGRES_URL (postgresql://user@host:port/postgres; test/support/postgresCluster.sh starts a server)'
    : false

export interface TestDatabase {
  readonly settings: ConnectionSettings
  /** Another role of the same database. */
  as(user: string, password?: string): ConnectionSettings
  /** As the administrator. */
  sql(text: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>
}

/** A new database, dropped with everything in it when `t` ends. */
export async function testDatabase(t: Test, url = POSTGRES_URL): Promise<TestDatabase> {
  const name = `concordat_test_${randomBytes(6).toString('hex')}`
  await once(url, `create database ${name} encoding 'UTF8' lc_collate 'C' lc_ctype 'C' template template0`)
  const here = new URL(url)
  here.pathname = `/${name}`
  const pool = new pg.Pool({ connectionString: here.href, max: 2 })
  pool.on('error', () => {})
  t.teardown(async () => {
    await pool.end()
    await once(url, `drop database ${name} with (force)`)
  })
  return {
    settings: { url: here.href },
    as(user, password = '') {
      const other = new URL(here)
      other.username = user
      other.password = password
      return { url: other.href }
    },
    sql: async (text, values = []) => (await pool.query(text, [...values])).rows,
  }
}

/** A login role without any right, dropped when `t` ends; call before `testDatabase`, whose objects go first. */
export async function testRole(t: Test, password: string): Promise<string> {
  const name = `concordat_role_${randomBytes(6).toString('hex')}`
  await once(POSTGRES_URL, `create role ${name} login password '${password}'`)
  t.teardown(() => once(POSTGRES_URL, `drop role ${name}`))
  return name
}

async function once(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(text).finally(() => client.end())
}

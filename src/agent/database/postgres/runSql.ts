import pg from 'pg'
import { type ConnectionSettings, clientConfig, endpointOf, endpointText } from './connection.js'
import { asDatabaseError } from './faults.js'

const TUNING = { connectTimeoutMs: 5_000, statementTimeoutMs: 60_000, lockTimeoutMs: 5_000 }

/** Runs a script of an administrator's. Throws DatabaseError. */
export async function runSql(script: string, settings: ConnectionSettings): Promise<void> {
  const endpoint = endpointOf(settings, 'of the administrator')
  const client = new pg.Client(clientConfig(endpoint, TUNING, false))
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(script)
  } catch (error) {
    throw asDatabaseError(error, endpointText(endpoint))
  } finally {
    await client.end().catch(() => {})
  }
}

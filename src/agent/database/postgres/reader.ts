/** Bounded reading connections to one database. A reading that a lost connection interrupts is tried again: it has changed nothing. */
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { clientConfig, type Endpoint, endpointText, type Tuning } from './connection.js'
import { asDatabaseError, faultKind } from './faults.js'

export type Row = Readonly<Record<string, unknown>>

/** Rows of one statement. Rejects with DatabaseError, UNAVAILABLE where waiting helps. */
export type Read = (text: string, values?: readonly unknown[]) => Promise<readonly Row[]>

const TRIES = 3
const PAUSE_MS = 50
const IDLE_MS = 60_000

export class Reader {
  readonly where: string
  readonly #pool: pg.Pool

  constructor(endpoint: Endpoint, tuning: Tuning, connectionsMax: number) {
    this.where = endpointText(endpoint)
    this.#pool = new pg.Pool({
      ...clientConfig(endpoint, tuning, true),
      max: connectionsMax,
      idleTimeoutMillis: IDLE_MS,
      allowExitOnIdle: true,
    })
    // A connection that dies while nobody uses it is replaced by the next reading.
    this.#pool.on('error', () => {})
  }

  read: Read = async (text, values = []) => {
    for (let attempt = 1; ; attempt++) {
      try {
        const { rows } = await this.#pool.query<Row>(text, [...values])
        return rows
      } catch (error) {
        if (attempt === TRIES || faultKind(error) !== 'lost') throw asDatabaseError(error, this.where)
        await pause(PAUSE_MS * attempt)
      }
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}

/**
 * The one session that writes to the agent's own schema. It holds an advisory lock, so that a second agent is refused; what it
 * writes goes through the session that holds the lock, and each transaction checks that no other agent has owned the schema
 * since. A change whose commit a lost connection left in doubt is looked up by its number before it is tried again.
 */
import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { DatabaseError } from '../departmentDatabase.js'
import { clientConfig, type Endpoint, endpointText, type Tuning } from './connection.js'
import { asDatabaseError, faultKind, faultText } from './faults.js'
import { migrate } from './schema.js'
import { quoted } from './sql.js'

export interface SessionOptions {
  readonly endpoint: Endpoint
  readonly schema: string
  readonly tuning: Tuning
  /** How long the lock of an agent that has just ended is waited for. */
  readonly lockWaitMs: number
}

/** Tries of one transaction, the last about three seconds after the first. */
const TRIES = 6
const pauseMs = (attempt: number): number => Math.min(100 * 2 ** attempt, 1_000)
const LOCK_POLL_MS = 100
const END_MS = 2_000

interface Live {
  readonly client: pg.Client
  /** False after the connection was lost. */
  alive: boolean
}

export class WritingSession {
  readonly #options: SessionOptions
  readonly #notice: (text: string) => void
  readonly #where: string
  readonly #state: string
  readonly #owner = randomUUID()
  #live: Live | undefined
  /** Number of the last change that is known to be durable. */
  #change = 0n
  #owns = false

  constructor(options: SessionOptions, notice: (text: string) => void) {
    this.#options = options
    this.#notice = notice
    this.#where = endpointText(options.endpoint)
    this.#state = `${quoted(options.schema)}.state`
  }

  /** Connects, takes the lock, brings the schema up to date and owns it. Throws DatabaseError. */
  async open(): Promise<void> {
    await this.#connected()
  }

  /** Runs `work` in one transaction, once. Throws DatabaseError; after UNAVAILABLE the change may have happened. */
  async transaction(work: (client: pg.Client) => Promise<void>): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const before = this.#change
      let committing = false
      try {
        const { client } = await this.#connected()
        // A new connection tells: the commit that was in doubt had happened.
        if (attempt > 0 && this.#change > before) return
        await client.query('begin')
        await this.#claimChange(client)
        await work(client)
        committing = true
        await client.query('commit')
        this.#change++
        return
      } catch (error) {
        await this.#settle(error, committing)
        if (!isPassing(error) || attempt === TRIES - 1) throw asDatabaseError(error, this.#where)
        await pause(pauseMs(attempt))
      }
    }
  }

  async close(): Promise<void> {
    const live = this.#live
    this.#live = undefined
    if (live) await ended(live.client)
  }

  async #claimChange(client: pg.Client): Promise<void> {
    const text = `update ${this.#state} set change = change + 1 where owner = $1`
    if ((await client.query(text, [this.#owner])).rowCount !== 1) throw this.#locked('was taken over by another agent')
  }

  /** After a fault: the session is ready for the next transaction, or given up. */
  async #settle(error: unknown, committing: boolean): Promise<void> {
    const live = this.#live
    if (!live) return
    const usable = live.alive && !committing && (error instanceof DatabaseError || faultKind(error) !== 'lost')
    if (usable && (await rolledBack(live.client))) return
    this.#live = undefined
    this.#notice(`the database connection to ${this.#where} is lost: ${faultText(error)}`)
    void ended(live.client)
  }

  async #connected(): Promise<Live> {
    if (this.#live?.alive) return this.#live
    this.#live = undefined
    const live = await this.#connect()
    try {
      await this.#prepare(live.client)
    } catch (error) {
      void ended(live.client)
      throw error
    }
    this.#live = live
    return live
  }

  async #connect(): Promise<Live> {
    const { endpoint, tuning } = this.#options
    const client = new pg.Client(clientConfig(endpoint, tuning, false))
    const live: Live = { client, alive: true }
    const lost = () => {
      live.alive = false
    }
    client.on('error', lost)
    client.on('end', lost)
    await client.connect()
    return live
  }

  async #prepare(client: pg.Client): Promise<void> {
    await this.#lock(client)
    const { rows } = await client.query(
      "select current_setting('server_encoding') as encoding, current_setting('synchronous_commit') as durable",
    )
    if (rows[0]?.encoding !== 'UTF8') {
      const text = `the database of schema ${this.#options.schema} has encoding ${rows[0]?.encoding}`
      throw new DatabaseError('MISCONFIGURED', `department database: ${text}; create one with encoding UTF8 as store`)
    }
    // What is told to the chain has to be durable first, whatever the server's default is.
    if (rows[0]?.durable === 'off') await client.query('set synchronous_commit = on')
    if (!this.#owns) await this.#own(client)
    else await this.#stillOwn(client)
  }

  async #lock(client: pg.Client): Promise<void> {
    const key = lockKey(this.#options.schema)
    const until = Date.now() + this.#options.lockWaitMs
    for (;;) {
      const { rows } = await client.query('select pg_try_advisory_lock($1) as locked', [key])
      if (rows[0]?.locked) return
      if (Date.now() >= until) break
      await pause(LOCK_POLL_MS)
    }
    // An own session that the server still believes alive holds it too: then waiting helps.
    if (this.#owns) throw new DatabaseError('UNAVAILABLE', `PostgreSQL ${this.#where}: the lock of the schema is held`)
    throw this.#locked('is in use by another process')
  }

  async #own(client: pg.Client): Promise<void> {
    const { schema, endpoint } = this.#options
    await client.query('begin')
    await migrate(client, schema, endpoint.user)
    const { rows } = await client.query(`update ${this.#state} set owner = $1 returning change`, [this.#owner])
    await client.query('commit')
    if (rows.length !== 1) {
      throw new DatabaseError('CORRUPT', `department database: ${this.#state} has no row; restore it from a backup`)
    }
    this.#change = BigInt(rows[0]?.change)
    this.#owns = true
  }

  async #stillOwn(client: pg.Client): Promise<void> {
    const { rows } = await client.query(`select owner, change from ${this.#state}`)
    if (rows[0]?.owner !== this.#owner) throw this.#locked('was taken over by another agent')
    this.#change = BigInt(rows[0]?.change)
  }

  #locked(text: string): DatabaseError {
    const hint = 'one schema serves one agent: stop one of the two'
    return new DatabaseError('LOCKED', `schema ${this.#options.schema} of ${this.#where} ${text}; ${hint}`)
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof DatabaseError) return error.code === 'UNAVAILABLE'
  const kind = faultKind(error)
  return kind === 'lost' || kind === 'passing'
}

/** A peer that has gone silent is not waited for. */
async function ended(client: pg.Client): Promise<void> {
  await Promise.race([client.end().catch(() => {}), pause(END_MS, undefined, { ref: false })])
}

async function rolledBack(client: pg.Client): Promise<boolean> {
  return client.query('rollback').then(
    () => true,
    () => false,
  )
}

/** Locks are numbers within one database: this one stands for the schema. */
const lockKey = (schema: string): string =>
  createHash('sha256').update(`concordat department ${schema}`).digest().readBigInt64BE().toString()

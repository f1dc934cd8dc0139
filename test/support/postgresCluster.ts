/** A PostgreSQL server of the test's own, which may be crashed; postgresCluster.sh runs it. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'

const run = promisify(execFile)
const SCRIPT = resolve('test/support/postgresCluster.sh')

export class PostgresCluster {
  readonly #dir: string
  readonly port: number

  private constructor(dir: string, port: number) {
    this.#dir = dir
    this.port = port
  }

  /** Starts one that ends with `t`; null where this machine has no server binaries. */
  static async start(t: Test): Promise<PostgresCluster | null> {
    const dir = mkdtempSync(join(tmpdir(), 'concordat-postgres-'))
    t.teardown(() => rmSync(dir, { recursive: true, force: true }))
    const cluster = new PostgresCluster(dir, await freePort())
    try {
      await cluster.#do('start', `${cluster.port}`)
    } catch (error) {
      if ((error as { code?: unknown }).code === 3) return null
      throw error
    }
    t.teardown(() => cluster.#do('stop').catch(() => {}))
    return cluster
  }

  get url(): string {
    return `postgresql://postgres@127.0.0.1:${this.port}/postgres`
  }

  /** Without a goodbye to clients, as a loss of power. */
  async crash(): Promise<void> {
    await this.#do('crash')
  }

  async up(): Promise<void> {
    await this.#do('start')
  }

  async #do(...args: [command: string, port?: string]): Promise<void> {
    const [command, port] = args
    await run(SCRIPT, [command, this.#dir, ...(port === undefined ? [] : [port])])
  }
}

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer().once('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** An agent's process that dies at a chosen step. */
import type { DepartmentDatabase } from '../../../src/agent/database/departmentDatabase.js'
import type { RpcClient } from '../../../src/rpc/client.js'

/** Counts steps; at step `at` the process is dead: nothing that it started afterwards, or waits for, ever comes. */
export class Mortal {
  steps = 0
  dead = false
  readonly died: Promise<void>
  #die: () => void = () => {}

  constructor(
    readonly at: number,
    readonly after: boolean,
  ) {
    this.died = new Promise((resolve) => {
      this.#die = resolve
    })
  }

  async step<T>(work: () => Promise<T>): Promise<T> {
    const fatal = ++this.steps === this.at
    if (this.dead || (fatal && !this.after)) return this.#end()
    const result = await work()
    if (this.dead || fatal) return this.#end()
    return result
  }

  #end(): Promise<never> {
    this.dead = true
    this.#die()
    return new Promise(() => {})
  }

  client(inner: RpcClient): RpcClient {
    return {
      ...inner,
      call: (method, ...params) => this.step(() => inner.call(method, ...params)),
      request: (method, params) => this.step(() => inner.request(method, params)),
      batch: (calls) => this.step(() => inner.batch(calls)),
    }
  }

  database(inner: DepartmentDatabase): DepartmentDatabase {
    return {
      find: (locator) => inner.find(locator),
      cursor: () => inner.cursor(),
      outbox: () => inner.outbox(),
      portraitKey: (enterpriseId, version) => inner.portraitKey(enterpriseId, version),
      secret: (name) => inner.secret(name),
      count: () => inner.count(),
      bulkLoad: (records, options) => inner.bulkLoad(records, options),
      apply: (change) => this.step(() => inner.apply(change)),
      close: () => inner.close(),
    }
  }
}

/** The processes of a side: readers of the nodes, or the same readers of as many servers that only echo. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Hex } from '../../src/core/bytes.js'
import type { RpcClient } from '../../src/rpc/client.js'
import { asksOf, type Done, type EchoTask, type StormTask, type Used } from './asks.js'

export interface SideDone {
  readonly readers: Done
  /** CPU time of the echoes; 0 where nodes were asked. */
  readonly echoCpuSeconds: number
}

export interface RunningSide {
  /** So far. */
  done(): Promise<SideDone>
  end(): Promise<void>
}

/** Resolves when each reader has had its first answers. */
export async function startStorm(urls: readonly string[], lookUps: readonly Hex[]): Promise<RunningSide> {
  const readers = await Child.start('storm', { urls, lookUps } satisfies StormTask)
  return {
    done: async () => ({ readers: await readers.ask<Done>(), echoCpuSeconds: 0 }),
    end: () => readers.end(),
  }
}

/** `client`: the node whose answers the echoes send; one echo for each of `count` nodes. */
export async function startControl(client: RpcClient, count: number, lookUps: readonly Hex[]): Promise<RunningSide> {
  const results = await resultsOf(client, lookUps)
  const echoes = await Promise.all(Array.from({ length: count }, () => Child.start('echo', results)))
  const urls = echoes.map(({ said }) => String(said))
  const storm = await startStorm(urls, lookUps)
  return {
    async done() {
      const used = await Promise.all(echoes.map((echo) => echo.ask<Used>()))
      return { ...(await storm.done()), echoCpuSeconds: used.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) }
    },
    async end() {
      await storm.end()
      await Promise.all(echoes.map((echo) => echo.end()))
    },
  }
}

async function resultsOf(client: RpcClient, lookUps: readonly Hex[]): Promise<EchoTask> {
  const calls = asksOf(lookUps).map((ask) => ask.calls[0]!)
  const results = await Promise.all(
    calls.map(async ({ method, params }) => [method, await client.request(method, params)] as const),
  )
  return Object.fromEntries(results)
}

class Child {
  private constructor(
    private readonly child: ChildProcess,
    readonly said: unknown,
  ) {}

  /** Resolves with its first message. It ends with this process. */
  static async start(name: 'storm' | 'echo', task: object): Promise<Child> {
    const child = fork(new URL(`./${name}.js`, import.meta.url), { execArgv: [] })
    child.send(task)
    const [said] = await once(child, 'message')
    return new Child(child, said)
  }

  async ask<T>(): Promise<T> {
    this.child.send('say')
    const [said] = await once(this.child, 'message')
    return said as T
  }

  async end(): Promise<void> {
    const exited = once(this.child, 'exit')
    this.child.disconnect()
    await exited
  }
}

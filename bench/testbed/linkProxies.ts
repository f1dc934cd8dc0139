/**
 * TCP proxies between the nodes of a local network, one for each that dials each other: links can be cut, silenced in one direction or
 * both, and slowed, while the processes know nothing of it. Silence is what a broken path looks like: bytes neither arrive nor are
 * refused, and what was sent meanwhile arrives late.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { NetworkFile } from '../../src/cli/network/file.js'

/** What happens to bytes from one node to another. */
interface Path {
  silent: boolean
  delayMs: number
}

/** One direction of one connection. */
interface Flow {
  readonly path: Path
  readonly from: Socket
  readonly to: Socket
  ended: boolean
}

interface Wire {
  readonly ends: readonly [number, number]
  readonly flows: readonly [Flow, Flow]
}

export class LinkProxies {
  readonly #servers: Server[] = []
  readonly #ports = new Map<string, number>()
  readonly #paths = new Map<string, Path>()
  readonly #cut = new Set<string>()
  readonly #wires = new Set<Wire>()

  private constructor(private readonly targets: readonly number[]) {}

  /** One for each ordered pair of nodes. Rejects when the machine has no ports left. */
  static async open(network: NetworkFile): Promise<LinkProxies> {
    const proxies = new LinkProxies(network.nodes.map(({ p2p }) => portOf(p2p)))
    for (const [dialer] of proxies.targets.entries())
      for (const [listener] of proxies.targets.entries())
        if (dialer !== listener) await proxies.#listen(dialer, listener)
    return proxies
  }

  /** Points the nodes' configurations in `dir` at the proxies. Before the nodes start. */
  install(dir: string, network: NetworkFile): void {
    for (const [dialer, { name }] of network.nodes.entries()) {
      const path = join(dir, name, 'config.yaml')
      let config = readFileSync(path, 'utf8')
      for (const [listener, target] of this.targets.entries()) {
        if (listener !== dialer)
          config = config.replaceAll(`/tcp/${target}/`, `/tcp/${this.#ports.get(key(dialer, listener))}/`)
      }
      writeFileSync(path, config)
    }
  }

  /** Closes the connections between the two and refuses new ones. */
  cut(a: number, b: number): void {
    this.#cut.add(pair(a, b))
    for (const wire of this.#between(a, b)) this.#drop(wire)
  }

  /** Holds back what `from` sends to `to`; the other direction is as before. */
  silence(from: number, to: number): void {
    this.#path(from, to).silent = true
    this.#update(from, to)
  }

  delay(from: number, to: number, delayMs: number): void {
    this.#path(from, to).delayMs = delayMs
  }

  heal(a: number, b: number): void {
    this.#cut.delete(pair(a, b))
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      Object.assign(this.#path(from, to), { silent: false, delayMs: 0 })
      this.#update(from, to)
    }
  }

  /** Parts two groups. */
  split(groups: readonly [readonly number[], readonly number[]], how: 'cut' | 'silent'): void {
    for (const a of groups[0])
      for (const b of groups[1]) {
        if (how === 'cut') this.cut(a, b)
        else {
          this.silence(a, b)
          this.silence(b, a)
        }
      }
  }

  healAll(): void {
    for (const [a] of this.targets.entries()) for (let b = 0; b < a; b++) this.heal(a, b)
  }

  close(): void {
    for (const server of this.#servers) server.close()
    for (const wire of [...this.#wires]) this.#drop(wire)
  }

  #listen(dialer: number, listener: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const server = createServer((socket) => this.#connect(dialer, listener, socket))
      this.#servers.push(server)
      server.once('error', reject)
      server.listen(0, '127.0.0.1', () => {
        this.#ports.set(key(dialer, listener), (server.address() as { port: number }).port)
        resolve()
      })
    })
  }

  #connect(dialer: number, listener: number, near: Socket): void {
    if (this.#cut.has(pair(dialer, listener))) return void near.destroy()
    const far = createConnection({ host: '127.0.0.1', port: this.targets[listener]! })
    const there = { path: this.#path(dialer, listener), from: near, to: far, ended: false }
    const back = { path: this.#path(listener, dialer), from: far, to: near, ended: false }
    const wire: Wire = { ends: [dialer, listener], flows: [there, back] }
    this.#wires.add(wire)
    for (const flow of wire.flows) this.#carry(flow, wire)
  }

  #carry(flow: Flow, wire: Wire): void {
    const { path, from, to } = flow
    from.setNoDelay(true)
    from.on('error', () => {})
    from.on('data', (chunk) => {
      const pass = () => {
        if (to.destroyed || to.write(chunk) || path.silent) return
        from.pause()
        to.once('drain', () => path.silent || from.resume())
      }
      if (path.delayMs === 0) pass()
      else setTimeout(pass, path.delayMs)
    })
    from.on('close', () => {
      flow.ended = true
      this.#settle(flow, wire)
    })
    if (path.silent) from.pause()
  }

  /** An end is news as well: it passes only where bytes do. */
  #settle(flow: Flow, wire: Wire): void {
    if (flow.ended && !flow.path.silent) setTimeout(() => flow.to.destroy(), flow.path.delayMs)
    if (wire.flows.every(({ ended }) => ended)) this.#wires.delete(wire)
  }

  #update(from: number, to: number): void {
    const path = this.#path(from, to)
    for (const wire of this.#between(from, to)) {
      for (const flow of wire.flows) {
        if (flow.path !== path) continue
        if (path.silent) flow.from.pause()
        else flow.from.resume()
        this.#settle(flow, wire)
      }
    }
  }

  #drop(wire: Wire): void {
    for (const { from } of wire.flows) from.destroy()
    this.#wires.delete(wire)
  }

  #between(a: number, b: number): Wire[] {
    return [...this.#wires].filter(({ ends }) => ends.includes(a) && ends.includes(b))
  }

  #path(from: number, to: number): Path {
    let path = this.#paths.get(key(from, to))
    if (path === undefined) {
      path = { silent: false, delayMs: 0 }
      this.#paths.set(key(from, to), path)
    }
    return path
  }
}

const key = (from: number, to: number): string => `${from}>${to}`
const pair = (a: number, b: number): string => key(Math.min(a, b), Math.max(a, b))

/** `/ip4/127.0.0.1/tcp/30301/p2p/...` */
const portOf = (multiaddr: string): number => Number(/\/tcp\/(\d+)\//.exec(multiaddr)?.[1])

/** A TCP proxy that can lose what the server says: the client's last word arrives, the answer to it does not. */
import { createServer, connect as dial, type Server, type Socket } from 'node:net'

export class CutProxy {
  readonly #server: Server
  readonly #open = new Set<Socket>()
  /** When the client sends these bytes, they are passed on and then the connection dies without an answer. */
  cutAfter: string | undefined
  cuts = 0
  /** False: connections are refused at once. */
  up = true

  private constructor(port: number) {
    this.#server = createServer((client) => this.#join(client, port))
  }

  /** In front of 127.0.0.1:`port`. */
  static async start(port: number): Promise<CutProxy> {
    const proxy = new CutProxy(port)
    await new Promise<void>((done) => proxy.#server.listen(0, '127.0.0.1', done))
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  cutAll(): void {
    for (const socket of this.#open) socket.destroy()
  }

  async close(): Promise<void> {
    this.cutAll()
    await new Promise((done) => this.#server.close(done))
  }

  #join(client: Socket, port: number): void {
    if (!this.up) return void client.destroy()
    const server = dial(port, '127.0.0.1')
    let deaf = false
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#open.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        this.#open.delete(from)
        to.destroy()
      })
    }
    server.on('data', (bytes) => {
      // The server has acted: what it says is lost.
      if (deaf) client.destroy()
      else client.write(bytes)
    })
    client.on('data', (bytes) => {
      if (this.cutAfter !== undefined && bytes.includes(this.cutAfter)) {
        this.cutAfter = undefined
        this.cuts++
        deaf = true
      }
      server.write(bytes)
    })
  }
}

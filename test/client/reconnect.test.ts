/** The client library over WebSockets of viem: what it follows goes on when a node goes away and comes back. */
import { createServer, type Server } from 'node:net'
import t, { type Test } from 'tap'
import { http, type Transport, webSocket } from 'viem'
import { connect, type Reader, waitForFinality } from '../../src/client/index.js'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import type { Hex } from '../../src/core/bytes.js'
import { type RunningRpcServer, startRpcServer } from '../../src/rpc/server.js'
import type { RpcLog } from '../../src/rpc/wire.js'
import { word } from '../contracts/world.js'
import { until } from '../rpc/harness.js'
import { LiveChain } from '../rpc/liveChain.js'

/** A node whose chain goes on while nobody can reach it. */
class Node {
  readonly chain: LiveChain
  #server: RunningRpcServer | undefined
  #port = 0
  #keys = 0
  #refusing: Server | undefined
  /** Connections that were tried since it left. */
  refused = 0

  private constructor(t: Test, chain: LiveChain) {
    this.chain = chain
    t.teardown(async () => {
      await this.#stopRefusing()
      await this.#server?.close()
    })
  }

  static async start(t: Test): Promise<Node> {
    const node = new Node(t, await LiveChain.open())
    await node.come()
    return node
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async come(): Promise<void> {
    const onDefect = (error: unknown) => {
      throw error
    }
    await this.#stopRefusing()
    this.#server = await startRpcServer({ host: '127.0.0.1', port: this.#port }, { api: this.chain.view, onDefect })
    this.#port = this.#server.port
  }

  /** Until it comes back, whoever connects is cut off at once. */
  async leave(): Promise<void> {
    await this.#server?.close()
    this.#server = undefined
    this.refused = 0
    const refusing = createServer((socket) => {
      this.refused++
      socket.destroy()
    })
    await new Promise<void>((resolve) => refusing.listen(this.#port, '127.0.0.1', resolve))
    this.#refusing = refusing
  }

  async #stopRefusing(): Promise<void> {
    const refusing = this.#refusing
    this.#refusing = undefined
    if (refusing) await new Promise((resolve) => refusing.close(resolve))
  }

  /** Blocks with one event each; hashes of their transactions. */
  async blocks(count: number): Promise<Hex[]> {
    const hashes: Hex[] = []
    for (let i = 0; i < count; i++) {
      const encryptionKey = word(`key ${this.#keys++}`)
      hashes.push(this.chain.send('enterprise', 'members', 'rotateEncryptionKey', { encryptionKey }))
      await this.chain.seal()
    }
    return hashes
  }
}

const TRANSPORTS = {
  HTTP: (node: Node) => http(node.url, { retryCount: 0 }),
  // In Node viem tries once to open a WebSocket again, here long before the node is back: then it is on us.
  WebSocket: (node: Node) => webSocket(node.url.replace('http', 'ws'), { reconnect: { delay: 1 }, retryCount: 0 }),
}

async function reader(t: Test, transport: Transport): Promise<Reader> {
  const found = await connect({ transport, pollMs: 20 })
  t.teardown(async () => {
    found.close()
    const { getRpcClient } = found.viem.transport as { getRpcClient?: () => Promise<{ close(): void }> }
    ;(await getRpcClient?.())?.close()
  })
  return found
}

/** viem gives a WebSocket up before it is opened anew. */
const BACK_MS = 60_000

for (const [name, transportTo] of Object.entries(TRANSPORTS)) {
  t.test(`${name}: logs and heads over a node that is away for a while, each log once and in order`, async (t) => {
    const node = await Node.start(t)
    const found = await reader(t, transportTo(node))
    const { client } = found
    const told: Hex[] = []
    const heads: number[] = []
    const links: string[] = []
    client.subscribe('logs', [{ address: CONTRACT_ADDRESSES.members }], {
      onValue: (log: RpcLog) => void told.push(log.transactionHash),
      onConnected: () => void links.push('there'),
      onDisconnected: () => void links.push('away'),
    })
    client.subscribe('newHeads', [], { onValue: ({ number }) => void heads.push(Number(number)) })
    const sent = await node.blocks(1)
    await until(() => heads.length > 0, 'the first head')
    sent.push(...(await node.blocks(2)))
    await until(() => told.at(-1) === sent.at(-1), 'logs while the node is there')
    await node.leave()
    sent.push(...(await node.blocks(3)))
    await until(() => links.at(-1) === 'away' && node.refused > 0, 'the loss is told, and a vain try')
    await node.come()
    sent.push(...(await node.blocks(1)))
    await until(() => told.at(-1) === sent.at(-1), 'all logs after it', BACK_MS)
    sent.push(...(await node.blocks(2)))
    await until(() => told.at(-1) === sent.at(-1), 'what comes then')
    t.same(told, sent.slice(sent.indexOf(told[0]!)), 'none is missing, none comes twice')
    t.same(
      heads,
      [...new Set(heads)].sort((a, b) => a - b),
      'heads grow',
    )
    t.equal(heads.at(-1), sent.length)
    t.same(links, ['there', 'away', 'there'])
    const { receipt, certificate } = await waitForFinality(found, sent.at(-1)!)
    t.equal(Number(receipt.blockNumber), certificate.block)
  })
}

t.test('a node that is not there is said to be unreachable', async (t) => {
  const node = await Node.start(t)
  await node.leave()
  const transport = webSocket(node.url.replace('http', 'ws'), { retryCount: 0, reconnect: false })
  await t.rejects(connect({ transport }), { name: 'RpcClientError', code: 'UNREACHABLE' })
})

/**
 * A process of readers. For each server: four that ask as fast as they are answered (the logs of all blocks that the chain has,
 * 100 portrait hits in a batch, the last block whole 100 times in a batch), four that ask over HTTP and four that ask over WebSocket
 * for such blocks without end and never read, and come back when they are cut. Forked by processes.ts.
 */
import { once } from 'node:events'
import net from 'node:net'
import { createRpcClient } from '../../src/rpc/client.js'
import { type Ask, asksOf, cpuSeconds, type Done, type Kind, type StormTask } from './asks.js'

const READERS = 4
const SILENT = 4
const TIMEOUT_MS = 30_000
const BACK_MS = 100
/** What a silent client has handed over and the server has not taken: beyond it, it waits. */
const UNSENT_BYTES_MAX = 256 * 1024
const SEND_MS = 20

const answered: Record<Kind, number> = { portraitHits: 0, blocks: 0, logSearches: 0 }
let refused = 0
let cut = 0

/** Resolves after the first answer to each ask; goes on. */
function read(url: string, asks: readonly Ask[]): Promise<void> {
  const client = createRpcClient({ url, timeoutMs: TIMEOUT_MS })
  return new Promise((resolve) => {
    const loop = async () => {
      for (let i = 0; ; i++) {
        if (i === asks.length) resolve()
        await ask(client, asks[i % asks.length]!)
      }
    }
    void loop()
  })
}

async function ask(client: ReturnType<typeof createRpcClient>, { kind, calls }: Ask): Promise<void> {
  const results = await client.batch(calls).catch(() => [])
  const good = results.filter(({ ok }) => ok).length
  answered[kind] += good
  refused += calls.length - good
}

/** How a client that reads nothing begins, and what it says again and again. */
interface Silent {
  readonly greeting: string
  readonly request: Buffer
}

function overHttp(host: string, body: string): Silent {
  const head = `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  return { greeting: '', request: Buffer.from(head + body) }
}

/** A text frame of RFC 6455 with a mask of zeros. */
function overWebSocket(host: string, body: string): Silent {
  const key = 'AAAAAAAAAAAAAAAAAAAAAA=='
  const upgrade = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`
  const head = Buffer.from([0x81, 0x80 | 126, body.length >> 8, body.length & 0xff, 0, 0, 0, 0])
  return {
    greeting: `GET / HTTP/1.1\r\nHost: ${host}\r\n${upgrade}`,
    request: Buffer.concat([head, Buffer.from(body)]),
  }
}

async function neverRead(url: string, silent: Silent): Promise<void> {
  const { hostname, port } = new URL(url)
  const socket = net.connect(Number(port), hostname)
  socket.on('error', () => {})
  socket.once('close', () => {
    clearInterval(timer)
    cut++
    setTimeout(() => void neverRead(url, silent), BACK_MS)
  })
  const timer = setInterval(() => {
    if (socket.writable && isGreeted && socket.writableLength < UNSENT_BYTES_MAX) socket.write(silent.request)
  }, SEND_MS)
  let isGreeted = silent.greeting === ''
  if (!isGreeted) {
    socket.write(silent.greeting)
    await once(socket, 'data').catch(() => {})
    isGreeted = true
  }
  socket.pause()
}

async function start({ urls, lookUps }: StormTask): Promise<void> {
  const asks = asksOf(lookUps)
  const blocks = asks.find(({ kind }) => kind === 'blocks')!
  const body = JSON.stringify(blocks.calls.map((call, id) => ({ jsonrpc: '2.0', id, ...call })))
  const readers: Promise<void>[] = []
  for (const url of urls) {
    const { host } = new URL(url)
    for (let i = 0; i < READERS; i++) readers.push(read(url, asks))
    for (let i = 0; i < SILENT; i++) {
      for (const over of [overHttp, overWebSocket]) void neverRead(url, over(host, body))
    }
  }
  await Promise.all(readers)
  process.on('message', () => process.send!({ cpuSeconds: cpuSeconds(), answered, refused, cut } satisfies Done))
  process.send!('ready')
}

process.once('message', (task) => void start(task as StormTask))
process.on('disconnect', () => process.exit(0))

/**
 * A process of readers that ask as fast as they are answered: portrait look-ups, log searches over all blocks, full batches, and
 * WebSockets that ask and never read. `node storm.js URL...`; ends with its parent.
 */
import net from 'node:net'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { createRpcClient, type RpcCall, type RpcClient } from '../../src/rpc/client.js'

const READERS = 4
const SILENT = 4
const TIMEOUT_MS = 30_000

const LOGS: RpcCall = { method: 'eth_getLogs', params: [{ fromBlock: '0x0', toBlock: 'latest' }] }
const LOOK_UP: RpcCall = {
  method: 'eth_call',
  params: [{ to: CONTRACT_ADDRESSES.dataPortrait, data: '0x' }, 'latest'],
}
const BATCHES: readonly (readonly RpcCall[])[] = [
  Array.from({ length: 1 }, () => LOGS),
  Array.from({ length: 100 }, () => LOOK_UP),
  Array.from({ length: 100 }, () => ({ method: 'eth_getBlockByNumber', params: ['latest', true] })),
]

async function read(client: RpcClient): Promise<never> {
  for (let i = 0; ; i++) await client.batch(BATCHES[i % BATCHES.length]!).catch(() => {})
}

/** Asks for what is large, and reads nothing. Comes back when it is cut. */
function neverRead(url: string): void {
  const { hostname, port } = new URL(url)
  const body = JSON.stringify(BATCHES[2]!.map((call, id) => ({ jsonrpc: '2.0', id, ...call })))
  const head = `POST / HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  const socket = net.connect(Number(port), hostname)
  socket.pause()
  socket.on('error', () => {})
  socket.on('close', () => setTimeout(() => neverRead(url), 100))
  socket.write((head + body).repeat(8))
}

for (const url of process.argv.slice(2)) {
  for (let i = 0; i < READERS; i++) void read(createRpcClient({ url, timeoutMs: TIMEOUT_MS }))
  for (let i = 0; i < SILENT; i++) neverRead(url)
}
process.on('disconnect', () => process.exit(0))
process.send?.('ready')

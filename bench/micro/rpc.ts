/**
 * Portrait hit over HTTP against the least that fastify can do: p50 of eth_call (answer ready, as the contract's part is
 * measured elsewhere) / p50 of a bare echo of the same bytes. Budget 1.3. Servers in one child process, requests one after
 * the other over keep-alive, both sides interleaved so that noise hits them alike.
 *
 * Run: node dist/bench/micro/rpc.js [requests per side, default 4000]
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import { asHeight, ZERO_HASH } from '../../src/core/bytes.js'
import type { Header } from '../../src/core/header.js'
import type { ChainApi, ChainState } from '../../src/rpc/chainApi.js'
import { startRpcServer } from '../../src/rpc/server.js'

/** portraitEntries for three items: calldata of 8 words, answer of 24 words. */
const CALL_BYTES = 4 + 8 * 32
const ANSWER_BYTES = 24 * 32
const WARM_UP = 500
const ROUND = 100

/** The part of a node that the hit path touches. */
function stubChain(): ChainApi {
  const returnData = new Uint8Array(ANSWER_BYTES).fill(0x5a)
  const head = { hash: ZERO_HASH, header: { number: asHeight(1_000) } as Header }
  const state = { call: () => ({ ok: true, returnData, gasUsed: 30_000n }) } as unknown as ChainState
  const none = () => () => {}
  const stub = { chainId: 20261, head: () => head, state: () => state, onFinalBlock: none, onPendingTransaction: none }
  return stub as unknown as ChainApi
}

async function serve(): Promise<void> {
  const rpc = await startRpcServer({ host: '127.0.0.1', port: 0 }, { api: stubChain(), onDefect: console.error })
  const echo = Fastify({ logger: false })
  echo.post('/', (request) => request.body)
  await echo.listen({ host: '127.0.0.1', port: 0 })
  const address = echo.server.address()
  process.send?.({ rpc: rpc.port, echo: typeof address === 'object' ? address?.port : 0 })
}

interface Ports {
  readonly rpc: number
  readonly echo: number
}

const BODY = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'eth_call',
  params: [{ to: `0x${'c0'.repeat(20)}`, data: `0x${'5a'.repeat(CALL_BYTES)}` }, 'latest'],
})
/** As long as the answer, so that both sides move the same bytes back. */
const ECHO_BODY = JSON.stringify({ jsonrpc: '2.0', id: 1, result: `0x${'5a'.repeat(ANSWER_BYTES)}` })

function exchange(agent: http.Agent, port: number, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const startMs = performance.now()
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    const request = http.request({ agent, host: '127.0.0.1', port, method: 'POST', path: '/', headers }, (response) => {
      response.resume()
      response.on('end', () => resolve(performance.now() - startMs))
    })
    request.on('error', reject)
    request.end(body)
  })
}

async function measure(ports: Ports, count: number): Promise<{ rpc: number[]; echo: number[] }> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1, noDelay: true })
  const times = { rpc: [] as number[], echo: [] as number[] }
  for (let done = -WARM_UP; done < count; done += ROUND) {
    for (const side of ['echo', 'rpc'] as const) {
      const body = side === 'rpc' ? BODY : ECHO_BODY
      for (let i = 0; i < ROUND; i++) {
        const ms = await exchange(agent, ports[side], body)
        if (done >= 0) times[side].push(ms)
      }
    }
  }
  agent.destroy()
  return times
}

function quantile(times: readonly number[], q: number): number {
  const sorted = [...times].sort((a, b) => a - b)
  return sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN
}

async function main(): Promise<void> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), ['serve'])
  const [ports] = (await once(child, 'message')) as [Ports]
  const { rpc, echo } = await measure(ports, Number(process.argv[2] ?? 4_000))
  child.kill()
  const line = (name: string, times: readonly number[]) =>
    `${name.padEnd(22)} p50 ${quantile(times, 0.5).toFixed(3)} ms   p99 ${quantile(times, 0.99).toFixed(3)} ms`
  console.log(line('bare fastify echo', echo))
  console.log(line('eth_call over RPC', rpc))
  console.log(`ratio of p50           ${(quantile(rpc, 0.5) / quantile(echo, 0.5)).toFixed(2)} (budget 1.3)`)
}

await (process.argv[2] === 'serve' ? serve() : main())

/**
 * A portrait hit over a node's RPC (eth_call, executed each time) in multiples of a bare echo of the answer's bytes. Requests one
 * after the other over a connection that stays open.
 */
import http from 'node:http'
import { quantiles } from '../harness/statistics.js'
import { BARE_ECHO, type Benchmark, OURS, type Side } from './benchmark.js'
import { startHelper } from './helper.js'
import type { PortraitServers } from './portraitServer.js'
import type { Sizes } from './sizes.js'

interface Exchange {
  readonly ms: number
  readonly text: string
}

function exchange(agent: http.Agent, port: number, body: string): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    const request = http.request({ agent, host: '127.0.0.1', port, method: 'POST', path: '/', headers }, (response) => {
      const chunks: string[] = []
      response.setEncoding('latin1')
      response.on('data', (chunk: string) => chunks.push(chunk))
      response.on('end', () => resolve({ ms: performance.now() - start, text: chunks.join('') }))
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** Median wall time of a request in µs. */
function side(name: string, { requests, warmUps }: Sizes, ask: () => Promise<Exchange>): Side {
  return {
    name,
    warmUps,
    async measure() {
      const times: number[] = []
      for (let i = 0; i < requests; i++) times.push((await ask()).ms * 1_000)
      return quantiles(times).p50
    },
    result: async () => (await ask()).text,
  }
}

export const portraitBenchmarks: readonly Benchmark[] = [
  {
    name: 'portrait hit over RPC',
    quantity: 'wall time of a request, p50',
    unit: 'µs',
    budget: { bound: 'at most', value: 1.3, unit: 'ratio' },
    async setup({ sizes }) {
      const { said, stop } = await startHelper<PortraitServers>('portraitServer')
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1, noDelay: true })
      const call = () => exchange(agent, said.rpc, said.body)
      const { text } = await call()
      if (!text.includes('"result":')) throw new Error(`the look-up failed: ${text}`)
      const echo = () => exchange(agent, said.echo, text)
      return {
        sides: [side(OURS, sizes, call), side(BARE_ECHO, sizes, echo)],
        async teardown() {
          agent.destroy()
          await stop()
        },
      }
    },
  },
]

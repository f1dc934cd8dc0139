import http from 'node:http'
import type { Test } from 'tap'
import { type RpcServerOptions, type RunningRpcServer, startRpcServer } from '../../src/rpc/server.js'
import { createFakeChain, type FakeChain } from './fakeChain.js'

export interface Running {
  readonly chain: FakeChain
  readonly server: RunningRpcServer
  readonly url: string
  readonly wsUrl: string
  readonly defects: unknown[]
  rpc(method: string, params?: unknown): Promise<Answer>
}

export interface Answer {
  readonly jsonrpc: string
  readonly id: unknown
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** A server over a fake chain on a free port; closed with the test. */
export async function startServer(t: Test, options: Partial<RpcServerOptions> = {}): Promise<Running> {
  const chain = createFakeChain()
  const defects: unknown[] = []
  const server = await startRpcServer(
    { host: '127.0.0.1', port: 0, ...options },
    {
      api: chain,
      onDefect: (error) => defects.push(error),
      metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }),
    },
  )
  t.teardown(() => server.close())
  const { url } = server
  const rpc = async (method: string, params: unknown = []) =>
    JSON.parse((await post(url, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))).body) as Answer
  return { chain, server, url, wsUrl: url.replace('http', 'ws'), defects, rpc }
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

/** One raw HTTP request: any method, any header, also those which fetch forbids. */
export function request(
  url: string,
  {
    method = 'POST',
    path = '/',
    headers = {},
    body = '',
  }: { method?: string; path?: string; headers?: http.OutgoingHttpHeaders; body?: string },
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = http.request(new URL(path, url), { method, headers, agent: false }, (incoming) => {
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (chunk: string) => {
        text += chunk
      })
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text }))
      incoming.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

export const post = (url: string, body: string, headers: http.OutgoingHttpHeaders = {}): Promise<HttpAnswer> =>
  request(url, { body, headers: { 'content-type': 'application/json', ...headers } })

/** Waits for `condition` over turns of the event loop; fails after 10 s, or what is given. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 10_000,
): Promise<void> {
  const end = Date.now() + limitMs
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`timed out waiting for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

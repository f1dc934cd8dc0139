/** JSON bodies over HTTP keep-alive connections: one request, one bounded answer, one deadline. */
import http from 'node:http'
import https from 'node:https'
import { RpcClientError } from './clientError.js'
import { isNodeUrl, urlText } from './urlText.js'

export interface HttpTransportOptions {
  readonly url: string
  /** From the call to the last byte of the answer. */
  readonly timeoutMs: number
  readonly responseBytesMax: number
  /** Asked before each request. */
  readonly token?: () => string | undefined
  /** PEM of the authorities that may vouch for the node; default: those of the system. */
  readonly ca?: string | undefined
}

export interface HttpTransport {
  /** Text of the answer, whatever its HTTP status, when it is JSON. Throws RpcClientError. */
  post(body: string): Promise<string>
  close(): void
}

/** Parallel requests beyond this wait for a free connection. */
const CONNECTIONS_MAX = 32

export function createHttpTransport(options: HttpTransportOptions): HttpTransport {
  if (!isNodeUrl(options.url)) throw new TypeError('url of a node: want http://host:port or https://host:port')
  const url = new URL(options.url)
  const secure = url.protocol === 'https:'
  const agentOptions = { keepAlive: true, noDelay: true, maxSockets: CONNECTIONS_MAX }
  const agent = secure ? new https.Agent({ ...agentOptions, ca: options.ca }) : new http.Agent(agentOptions)
  const send = secure ? https.request : http.request
  const request: http.RequestOptions = {
    agent,
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    path: `${url.pathname}${url.search}`,
    auth: url.username ? `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` : undefined,
  }
  let closed = false
  return {
    async post(body) {
      if (closed) throw new RpcClientError('CLOSED', 'this RPC client is closed: create a new one')
      try {
        return await exchange(send, request, body, options)
      } catch (error) {
        // The node may close an idle connection in the moment of reuse: the request never reached it.
        if (!(error instanceof StaleConnection)) throw error
        return exchange(send, { ...request, agent: false, ...(secure && { ca: options.ca }) }, body, options)
      }
    },
    close() {
      closed = true
      agent.destroy()
    },
  }
}

class StaleConnection extends Error {}

function exchange(
  send: typeof http.request,
  request: https.RequestOptions,
  body: string,
  { url: secretUrl, timeoutMs, responseBytesMax, token }: HttpTransportOptions,
): Promise<string> {
  const url = urlText(secretUrl)
  return new Promise((resolve, reject) => {
    const bytes = Buffer.from(body)
    const headers = { 'content-type': 'application/json', 'content-length': bytes.length, ...bearer(token?.()) }
    const outgoing = send({ ...request, headers }, (incoming) => {
      collect(incoming, responseBytesMax, url).then(resolve, reject).finally(finish)
    })
    const timer = setTimeout(() => {
      finish(new RpcClientError('TIMEOUT', `${url} did not answer within ${timeoutMs} ms`))
    }, timeoutMs)
    function finish(error?: Error) {
      clearTimeout(timer)
      if (!error) return
      reject(error)
      outgoing.destroy()
    }
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const stale = outgoing.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
      finish(stale ? new StaleConnection() : unreachable(url, error))
    })
    outgoing.end(bytes)
  })
}

/** The header that shows a token. */
export const bearer = (token: string | undefined): { authorization?: string } =>
  token === undefined ? {} : { authorization: `Bearer ${token}` }

async function collect(incoming: http.IncomingMessage, bytesMax: number, url: string): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > bytesMax) {
        throw new RpcClientError('OVERSIZED', `the answer of ${url} is over ${bytesMax} bytes: ask for less at once`)
      }
      chunks.push(chunk)
    }
  } catch (error) {
    throw error instanceof RpcClientError ? error : unreachable(url, error)
  }
  const text = Buffer.concat(chunks, size).toString('utf8')
  if (incoming.headers['content-type']?.startsWith('application/json')) return text
  throw new RpcClientError(
    'REFUSED',
    `${url} answered HTTP ${incoming.statusCode}, not JSON-RPC: ${text.slice(0, 200)}`,
  )
}

function unreachable(url: string, cause: unknown): RpcClientError {
  const error = cause as NodeJS.ErrnoException
  const reason = error.code ?? error.message
  const advice = isOfCertificate(reason)
    ? 'name the authority of its certificate (CA file), and the node as the certificate does'
    : 'is the node running?'
  return new RpcClientError('UNREACHABLE', `cannot reach ${url} (${reason}): ${advice}`, { cause })
}

/** Codes of OpenSSL (DEPTH_ZERO_SELF_SIGNED_CERT, CERT_HAS_EXPIRED) and of Node (ERR_TLS_CERT_ALTNAME_INVALID). */
const isOfCertificate = (code: string): boolean => /CERT|UNABLE_TO_VERIFY/.test(code)

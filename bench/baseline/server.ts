/** One department of the client/server system: an HTTPS process in front of its database. */
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { openDepartmentDatabase } from '../../src/agent/database/open.js'
import { readKeyFile } from '../../src/crypto/keyFile.js'
import { loadGenesis } from '../../src/node/genesisFile.js'
import { Answering } from './answering.js'
import type { ServiceConfig } from './files.js'
import { History } from './history.js'
import { Register } from './register.js'
import { RequestLog, RequestLogError } from './requestLog.js'
import { ASK_PATH, bodyBytesMax, Refusal, SIGNATURE, TIMING } from './wire.js'

export interface BaselineServer {
  /** Ends after the answers in hand. */
  stop(): Promise<void>
  /** Rejects when the log can no longer be written: an answer without a record must not leave. */
  readonly failed: Promise<never>
}

const RECEIVE_TIMEOUT_MS = 10_000
/** Longer than pauses between measurements, so that connections are made once. */
const KEEP_ALIVE_MS = 600_000
const CONNECTIONS_MAX = 256

/** Resolves when it listens. */
export async function startServer(config: ServiceConfig): Promise<BaselineServer> {
  const register = new Register(loadGenesis(config.genesis))
  const history = new History(register)
  await history.restore(config.logFile)
  const [privateKey, encryptionKey] = await Promise.all([
    readKeyFile(config.keyFile),
    readKeyFile(config.encryptionKeyFile),
  ])
  const database = await openDepartmentDatabase(config.databaseDir)
  const log = await RequestLog.open(config.logFile)
  const answering = new Answering({ register, history, database, log, privateKey, encryptionKey })
  let fail: (error: unknown) => void = () => {}
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  // Whoever awaits it sees the fault; nobody has to.
  failed.catch(() => {})
  const tls = {
    key: readFileSync(config.tlsKeyFile),
    cert: readFileSync(config.tlsCertificateFile),
    minVersion: 'TLSv1.3',
  } as const
  const timeouts = {
    requestTimeout: RECEIVE_TIMEOUT_MS,
    headersTimeout: RECEIVE_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
  }
  const server = createServer({ ...tls, ...timeouts }, (request, response) => {
    handle(answering, request, response).catch((error: unknown) => {
      response.destroy()
      if (error instanceof RequestLogError) fail(error)
      // The asker went away, or a defect: the others are served on.
      else process.stderr.write(`${new Date().toISOString()} ${String(error)}\n`)
    })
  })
  server.maxConnections = CONNECTIONS_MAX
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(config.port, config.host, resolve)
  })
  return {
    failed,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
      await closed
      await log.close()
      await database.close()
    },
  }
}

async function handle(answering: Answering, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    if (request.method !== 'POST' || request.url !== ASK_PATH)
      throw new Refusal('MALFORMED', `ask with POST ${ASK_PATH}`)
    const body = await readBody(request)
    const signature = request.headers[SIGNATURE]
    const answer = await answering.answer(body, typeof signature === 'string' ? signature : undefined)
    const timing = `local;dur=${answer.localMs.toFixed(4)}, log;dur=${answer.logMs.toFixed(4)}`
    response.writeHead(200, { 'content-type': 'application/json', [SIGNATURE]: answer.signature, [TIMING]: timing })
    response.end(answer.body)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { code, message, status } = error
    // What is left of a body that is too large is not read.
    const close = code === 'TOO_LARGE' ? { connection: 'close' } : {}
    response.writeHead(status, { 'content-type': 'application/json', ...close })
    response.end(JSON.stringify({ error: { code, message } }))
  }
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const tooLarge = () => new Refusal('TOO_LARGE', `a question has at most ${bodyBytesMax} bytes`)
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) throw tooLarge()
  const parts: Buffer[] = []
  let size = 0
  // A refusal has to be sent over the same socket.
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += part.length
    if (size > bodyBytesMax) throw tooLarge()
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** A client's connections to one department: kept alive, and to the holder of the pinned certificate alone. */
import { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import type { PeerCertificate } from 'node:tls'
import { CodedError } from '../../src/core/codedError.js'
import type { BaselineService } from './files.js'
import { ASK_PATH, bodyBytesMax, Refusal, refusalSchema, SIGNATURE, signerOf, TIMING } from './wire.js'

/** UNREACHABLE: no connection, or not with the pinned certificate. REFUSED: the department's reason. BAD_ANSWER: not what was asked, or not signed by it. */
export class LinkError extends CodedError<'UNREACHABLE' | 'REFUSED' | 'BAD_ANSWER'> {}

export interface ReceivedAnswer {
  readonly body: Uint8Array
  readonly signature: string
  /** What the department says of its own time, in milliseconds. */
  readonly localMs: number
  readonly logMs: number
}

const ANSWER_TIMEOUT_MS = 30_000

export class Link {
  readonly #agent: Agent
  readonly #service: BaselineService

  /** `connectionsMax`: questions under way at a time; others wait. */
  constructor(service: BaselineService, connectionsMax: number) {
    this.#service = service
    const pinned = new X509Certificate(service.certificate)
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: connectionsMax,
      minVersion: 'TLSv1.3',
      ca: service.certificate,
      checkServerIdentity: (_host: string, { raw }: PeerCertificate) =>
        raw.equals(pinned.raw) ? undefined : new Error('the certificate is not the one in baseline.json'),
    })
  }

  /** The department's signed answer. Throws LinkError. */
  async ask(body: Uint8Array, signature: string): Promise<ReceivedAnswer> {
    const { response, body: answer } = await this.#post(body, signature)
    if (response.statusCode !== 200) throw this.#refused(answer)
    const signed = header(response, SIGNATURE)
    if (signerOf('answer', answer, signed) !== this.#service.address) {
      throw new LinkError('BAD_ANSWER', `the answer of ${this.#service.department} is not signed by it`)
    }
    const timing = header(response, TIMING)
    return { body: answer, signature: signed, localMs: duration(timing, 'local'), logMs: duration(timing, 'log') }
  }

  close(): void {
    this.#agent.destroy()
  }

  #post(body: Uint8Array, signature: string): Promise<{ response: IncomingMessage; body: Uint8Array }> {
    const { host, port, department } = this.#service
    const headers = { 'content-type': 'application/json', 'content-length': body.length, [SIGNATURE]: signature }
    const options = {
      host,
      port,
      path: ASK_PATH,
      method: 'POST',
      headers,
      agent: this.#agent,
      timeout: ANSWER_TIMEOUT_MS,
    }
    return new Promise((resolve, reject) => {
      const fail = ({ message }: Error) => {
        const what = `${department} at ${host}:${port} cannot be asked (${message}): does it run, with this certificate?`
        reject(new LinkError('UNREACHABLE', what))
      }
      const outgoing = request(options, (response) => {
        readAnswer(response).then((answer) => resolve({ response, body: answer }), fail)
      })
      outgoing.once('error', fail)
      outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS / 1_000} s`)))
      outgoing.end(body)
    })
  }

  #refused(answer: Uint8Array): LinkError {
    const parsed = refusalSchema.safeParse(json(answer))
    const { code, message } = parsed.success ? parsed.data.error : { code: 'UNKNOWN', message: 'without a reason' }
    return new LinkError('REFUSED', `${this.#service.department} refuses: ${message} (${code})`)
  }
}

async function readAnswer(response: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length
    if (size > bodyBytesMax) throw new Refusal('TOO_LARGE', `an answer has at most ${bodyBytesMax} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function json(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    return undefined
  }
}

function header(response: IncomingMessage, name: string): string {
  const value = response.headers[name]
  return typeof value === 'string' ? value : ''
}

/** Milliseconds of one entry of a Server-Timing header; 0 where there is none. */
function duration(timing: string, name: string): number {
  return Number(new RegExp(`(?:^|, )${name};dur=([\\d.]{1,16})`).exec(timing)?.[1] ?? 0)
}

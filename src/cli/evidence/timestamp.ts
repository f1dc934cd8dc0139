/** `concordat evidence timestamp`: stamps of an authority (RFC 3161) over the last block of a file. */
import type { Command } from 'commander'
import { concatBytes, toHex } from '../../core/bytes.js'
import { type EvidenceFile, readEvidence, writeEvidence } from '../../evidence/format.js'
import { readHeader } from '../../evidence/header.js'
import { readToken, timeStampRequest, tokenOf } from '../../evidence/token.js'
import { urlText } from '../../rpc/urlText.js'
import { CommandError, UsageError } from '../errors.js'
import { readBounded, readCertificates, replaceFile } from './files.js'

interface AttachFlags {
  readonly tsaCa?: string
  readonly replace?: boolean
}

interface FetchFlags extends AttachFlags {
  readonly tsa: string
  readonly timeout: string
}

const REPLACE = ['--replace', 'give up the token that the file holds already'] as const

export function addTimestamp(evidence: Command): void {
  const timestamp = evidence
    .command('timestamp')
    .description('time stamps of an authority (RFC 3161) over the last block of a file')
    .addHelpText(
      'after',
      '\nExample:\n  concordat evidence timestamp request question-17.json > request.tsq\n  concordat evidence timestamp attach question-17.json response.tsr --tsa-ca tsa-ca.pem\n  concordat evidence timestamp fetch question-17.json --tsa https://tsa.example/tsr',
    )
  timestamp
    .command('request <file>')
    .description('writes a request for the authority to standard output')
    .addHelpText('after', '\nExample:\n  concordat evidence timestamp request question-17.json > request.tsq')
    .action((path: string) => void process.stdout.write(requestFor(path)))
  timestamp
    .command('attach <file> <response>')
    .description("puts the authority's response into the file")
    .option('--tsa-ca <file>', "certificates (PEM) that complete the authority's chain")
    .option(...REPLACE)
    .addHelpText('after', '\nExample:\n  concordat evidence timestamp attach question-17.json response.tsr')
    .action((path: string, response: string, flags: AttachFlags) => attach(path, readBounded(response), flags))
  timestamp
    .command('fetch <file>')
    .description('asks an authority over the network and puts its response into the file')
    .requiredOption('--tsa <url>', 'the time-stamp authority')
    .option('--tsa-ca <file>', "certificates (PEM) that complete the authority's chain")
    .option('--timeout <seconds>', 'that the authority may take, 1 to 600', '30')
    .option(...REPLACE)
    .addHelpText(
      'after',
      '\nExample:\n  concordat evidence timestamp fetch question-17.json --tsa https://tsa.example/tsr',
    )
    .action(async (path: string, flags: FetchFlags) => {
      const [url, seconds] = [urlOf(flags.tsa), secondsOf(flags.timeout)]
      const request = timeStampRequest(lastHash(readToStamp(path, flags)))
      await attach(path, await askAuthority(url, request, seconds), flags)
    })
}

const requestFor = (path: string): Uint8Array => timeStampRequest(lastHash(readEvidence(readBounded(path))))

const lastHash = ({ blocks }: EvidenceFile) => {
  const header = blocks.at(-1)?.headers.at(-1)
  if (header === undefined) throw new CommandError('the file holds no block')
  return readHeader(header).hash
}

/** A later stamp proves less than an earlier one: it takes its place only on demand. Throws CommandError. */
function readToStamp(path: string, flags: AttachFlags): EvidenceFile {
  const file = readEvidence(readBounded(path))
  const isFree = file.token === null || flags.replace === true
  if (!isFree) throw new CommandError(`${path} holds a time stamp already; stamp a copy, or give it up with --replace`)
  return file
}

async function attach(path: string, response: Uint8Array, flags: AttachFlags): Promise<void> {
  const file = readToStamp(path, flags)
  const others = readCertificates(flags.tsaCa)
  const token = await tokenOf(response, others)
  const { time, authority } = await readToken(token, lastHash(file), others)
  replaceFile(path, writeEvidence({ ...file, token: toHex(token) }))
  process.stdout.write(`${authority} attests ${time}; ${path} holds its token now\n`)
}

function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isAddress = (url?.protocol === 'https:' || url?.protocol === 'http:') && url.username + url.password === ''
  if (url !== undefined && isAddress) return url
  throw new UsageError(
    `--tsa must be an address like https://tsa.example/tsr, without user and password, not ${urlText(text)}`,
  )
}

function secondsOf(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 600) return Number(text)
  throw new UsageError(`--timeout must be 1 to 600 seconds, not '${text}'`)
}

/** A token with a chain of certificates has a few KiB. */
const ANSWER_BYTES_MAX = 256 * 1024
const ANSWER_TYPE = 'application/timestamp-reply'

/** Asks over HTTP (RFC 3161, 3.4). Throws CommandError. */
async function askAuthority({ href }: URL, request: Uint8Array, seconds: number): Promise<Uint8Array> {
  const name = urlText(href)
  const headers = { 'content-type': 'application/timestamp-query', accept: ANSWER_TYPE }
  const signal = AbortSignal.timeout(seconds * 1_000)
  try {
    return await answerIn(await fetch(href, { method: 'POST', headers, body: new Uint8Array(request), signal }), name)
  } catch (error) {
    if (error instanceof CommandError) throw error
    const { name: kind, message, cause } = error as Error
    const late = `${name} did not answer within ${seconds} s; try again later or with --timeout`
    throw new CommandError(
      kind === 'TimeoutError' ? late : `${name} does not answer: ${(cause as Error)?.message ?? message}`,
    )
  }
}

async function answerIn(answer: Response, name: string): Promise<Uint8Array> {
  const problem = problemOf(answer)
  if (problem !== undefined) {
    await answer.body?.cancel()
    throw new CommandError(`${name} answers with ${problem}`)
  }
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) throw new CommandError(`${name} answers with more than ${ANSWER_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return concatBytes(...chunks)
}

function problemOf({ ok, status, headers }: Response): string | undefined {
  if (!ok) return `status ${status}`
  const [type = ''] = (headers.get('content-type') ?? '').toLowerCase().split(/[; ]/)
  if (type === ANSWER_TYPE) return undefined
  const named = /^[\w.+/-]{1,80}$/.test(type) ? type : 'no content type'
  return `${named}, not with ${ANSWER_TYPE}: it is no time-stamp authority; 'attach' takes an answer from a file`
}

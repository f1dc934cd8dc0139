/** `evidence timestamp fetch` against authorities over HTTP: OpenSSL's answers, and what else servers say. */
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { fromHex, toHex } from '../../src/core/bytes.js'
import { readEvidence } from '../../src/evidence/format.js'
import { imprintOf, timeStampRequest } from '../../src/evidence/token.js'
import { verifyEvidence } from '../../src/evidence/verify.js'
import { runHere } from '../cli/inProcess.js'
import { Authority, KINDS, skipWithoutOpenssl } from './authority.js'
import { tinyFile } from './flips.js'

type Answering = (request: Uint8Array, response: ServerResponse, asked: IncomingMessage) => void

/** A server on a free port; closed with the test. */
async function serve(t: Test, answer: Answering): Promise<string> {
  const server = createServer(async (asked, response) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of asked) chunks.push(chunk)
    answer(new Uint8Array(Buffer.concat(chunks)), response, asked)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/tsr`
}

const REPLY = { 'content-type': 'application/timestamp-reply' }

t.test('fetch', { skip: skipWithoutOpenssl }, async (t) => {
  const { bytes, genesisHash } = await tinyFile(t)
  const plain = new TextDecoder().decode(bytes)
  const { last } = await verifyEvidence(plain, { genesisHash })
  const dir = t.testdir({ 'file.json': plain })
  const authority = new Authority(join(dir, 'one'), KINDS.ecdsa)
  const path = join(dir, 'file.json')
  const run = (url: string, ...more: string[]) =>
    runHere(dir, 'evidence', 'timestamp', 'fetch', 'file.json', '--tsa', url, ...more)

  t.test('an answer is put into the file, once', async (t) => {
    const asked: { method: string | undefined; type: string | undefined; body: Uint8Array }[] = []
    const url = await serve(t, (body, response, { method, headers }) => {
      asked.push({ method, type: headers['content-type'], body })
      response.writeHead(200, { 'content-type': 'Application/Timestamp-Reply; charset=binary' })
      response.end(authority.reply(body, true))
    })
    const fetched = await run(url, '--tsa-ca', 'one/root.pem')
    t.match(fetched, { status: 0, stdout: /Time, Stamp One attests 20.*file\.json holds its token now/ })
    t.same(asked, [{ method: 'POST', type: 'application/timestamp-query', body: timeStampRequest(last.hash) }])
    const verify = ['evidence', 'verify', 'file.json', '--genesis-hash', genesisHash, '--tsa-ca', 'one/root.pem']
    t.match(await runHere(dir, ...verify), { status: 0, stdout: /leads to an authority that you trust/ })
    t.same(readdirSync(dir).sort(), ['file.json', 'one'], 'nothing is left beside it')

    const stamped = readFileSync(path, 'utf8')
    t.match(await run(url), {
      status: 1,
      stderr: /holds a time stamp already; stamp a copy, or give it up with --replace/,
    })
    writeFileSync(join(dir, 'response.tsr'), authority.reply(timeStampRequest(last.hash), false))
    const attach = ['evidence', 'timestamp', 'attach', 'file.json', 'response.tsr']
    t.match(await runHere(dir, ...attach), { status: 1, stderr: /holds a time stamp already/ })
    t.equal(readFileSync(path, 'utf8'), stamped)
    t.equal(asked.length, 1, 'the authority was not asked')
    t.match(await run(url, '--replace'), { status: 0 })
    t.not(readEvidence(readFileSync(path)).token, readEvidence(stamped).token)
  })

  t.test('a nonce that nobody asked for does no harm', async (t) => {
    const url = await serve(t, (_, response) => {
      const digest = ['-digest', toHex(imprintOf(last.hash)).slice(2), '-sha256', '-cert']
      authority.run('ts', '-query', ...digest, '-out', 'nonce.tsq')
      response.writeHead(200, REPLY)
      response.end(authority.reply(new Uint8Array(readFileSync(join(authority.dir, 'nonce.tsq'))), false))
    })
    copyFileSync(path, join(dir, 'kept.json'))
    t.match(await run(url, '--replace', '--tsa-ca', 'one/root.pem'), { status: 0 })
    copyFileSync(join(dir, 'kept.json'), path)
  })

  const other = timeStampRequest(`0x${'11'.repeat(32)}`)
  const wrong: Readonly<Record<string, readonly [RegExp, Answering]>> = {
    'an answer for another block': [
      /the time-stamp token is not of block 0x/,
      (_, response) => response.writeHead(200, REPLY).end(authority.reply(other, true)),
    ],
    'a refusal': [
      /the time-stamp authority refused \(status 2\)/,
      (_, response) => response.writeHead(200, REPLY).end(authority.reply(fromHex('0x3003020101'), false)),
    ],
    'an answer without the certificate': [
      /the token is none of one signer with its certificate/,
      (request, response) => {
        // Asked for without certReq, which is the last field.
        const without = request.subarray(0, -3).with(1, request[1]! - 3)
        response.writeHead(200, REPLY).end(authority.reply(without, false))
      },
    ],
    'an answer that was cut': [
      /holds something unreadable|is not DER/,
      (request, response) => response.writeHead(200, REPLY).end(authority.reply(request, true).subarray(0, -9)),
    ],
    'an empty answer': [/is not DER/, (_, response) => response.writeHead(200, REPLY).end()],
    'a page': [
      /answers with text\/html, not with application\/timestamp-reply: it is no time-stamp authority/,
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Welcome</p>'),
    ],
    'no type': [/answers with no content type/, (request, response) => response.end(authority.reply(request, true))],
    'a type that would rule a terminal': [
      /answers with no content type/,
      (_, response) => response.writeHead(200, { 'content-type': 'a\u009b2J' }).end(),
    ],
    'not found': [/answers with status 404/, (_, response) => response.writeHead(404, REPLY).end()],
    'a server that fails': [
      /answers with status 500/,
      (_, response) => response.writeHead(500).end('no\n'.repeat(1e5)),
    ],
    'too much': [
      /answers with more than 262144 bytes/,
      (_, response) => response.writeHead(200, REPLY).end(new Uint8Array(262_145)),
    ],
    'no end': [
      /answers with more than 262144 bytes/,
      (_, response) => {
        response.writeHead(200, REPLY)
        const more = () => {
          while (!response.destroyed && response.write(new Uint8Array(65_536)));
        }
        response.on('drain', more)
        more()
      },
    ],
    'a connection that breaks': [
      /does not answer/,
      (_, response) => {
        response.writeHead(200, { ...REPLY, 'content-length': '5000' })
        response.write(new Uint8Array(100), () => response.destroy())
      },
    ],
    'a redirection to a page': [
      /answers with status 404|answers with no content type/,
      (_, response, { method }) => {
        if (method === 'GET') response.writeHead(404).end()
        else response.writeHead(303, { location: '/elsewhere' }).end()
      },
    ],
    silence: [/did not answer within 1 s; try again later or with --timeout/, () => {}],
    'a silence in the middle': [
      /did not answer within 1 s/,
      (_, response) => {
        response.writeHead(200, REPLY)
        response.write(new Uint8Array(10))
      },
    ],
  }
  for (const [title, [message, answer]] of Object.entries(wrong)) {
    t.test(`${title}: the file stays as it is`, async (t) => {
      const before = readFileSync(path, 'utf8')
      const url = await serve(t, answer)
      t.match(await run(url, '--replace', '--timeout', title.includes('silence') ? '1' : '60'), {
        status: 1,
        stderr: message,
      })
      t.equal(readFileSync(path, 'utf8'), before)
      t.equal(readdirSync(dir).includes('file.json.tmp'), false)
    })
  }

  t.test('nobody there, and what is no address', async (t) => {
    t.match(await run('http://127.0.0.1:1/tsr', '--replace'), { status: 1, stderr: /does not answer: / })
    t.match(await run('tsa.example'), { status: 2, stderr: /--tsa must be an address like https/ })
    t.match(await run('file:///etc/hosts'), { status: 2 })
    const secret = await run('https://user:hunter2@tsa.example/tsr?key=hunter2')
    t.match(secret, { status: 2, stderr: /without user and password/ })
    const silent = await run('http://127.0.0.1:1/tsr?key=hunter2', '--replace')
    t.match(silent, { status: 1, stderr: 'http://127.0.0.1:1/tsr does not answer' })
    t.notMatch(secret.stderr + silent.stderr, /hunter2/, 'nothing secret of an address is repeated')
    t.match(await run('http://127.0.0.1:1/tsr', '--replace', '--timeout', '0'), {
      status: 2,
      stderr: /1 to 600 seconds/,
    })
  })
})

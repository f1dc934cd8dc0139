/** What the local machine says of a node that does not run: real files, permissions and ports. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { diagnoseMachine } from '../../src/cli/doctor/diagnoseMachine.js'
import { dialFault } from '../../src/cli/doctor/dial.js'
import { machineFacts } from '../../src/cli/doctor/machineFacts.js'
import { observe } from '../../src/cli/doctor/observation.js'
import { isOfThisMachine, processFacts } from '../../src/cli/doctor/processFacts.js'
import { createNetwork } from '../../src/cli/network/create.js'
import { Journal } from '../../src/state/journal.js'

const dir = mkdtempSync(join(tmpdir(), 'concordat-doctor-'))
t.teardown(() => rmSync(dir, { recursive: true }))

/** A port on which somebody listens; closed with the test. */
async function takenPort(t: Test): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void server.close())
  return (server.address() as AddressInfo).port
}

t.test('one fault after the other', async (t) => {
  const port = await takenPort(t)
  const out = join(dir, 'net')
  const plan = { out, nodes: 2, hosts: [], chainId: 5, baseP2pPort: 34_900, timestamp: 1_790_000_000 }
  await createNetwork({ ...plan, basePort: port })
  const file = join(out, 'node1', 'config.yaml')
  const said = async () => {
    const facts = await machineFacts(file, {})
    return diagnoseMachine('node1', facts, null).map(({ topic, text }) => `${topic}: ${text}`)
  }
  const first = (await said()).join('\n')
  t.match(first, new RegExp(`port: rpc port ${port} is taken by another program`))
  t.match(first, /peer: node2 at \/ip4\/127.0.0.1\/tcp\/34901: connection refused/)
  t.match(first, /data: .*data is not there yet/)
  t.notMatch(first, /key:/)
  const key = join(out, 'node1', 'node.key')
  chmodSync(key, 0o644)
  t.match((await said()).join('\n'), /key: .*chmod 600/)
  chmodSync(key, 0o600)
  mkdirSync(join(out, 'node1', 'data'))
  t.match((await said()).join('\n'), /journal: .* is missing beside/)
  const journal = join(out, 'node1', 'journal', 'consensus.journal')
  Journal.open(journal).close()
  t.match((await said()).join('\n'), /journal: .*it is of another sealer or chain/)
  writeFileSync(journal, 'no journal at all, but long enough to be taken for a header of one, if nobody looks')
  t.match((await said()).join('\n'), /journal: .*consensus.journal cannot be read/)
  const genesis = join(out, 'genesis.json')
  const written = JSON.parse(readFileSync(genesis, 'utf8'))
  writeFileSync(genesis, JSON.stringify({ ...written, consensus: { weightPolicy: 'seniority' } }))
  t.match((await said()).join('\n'), /config: no weight policy 'seniority' here, known are equal, credit/)
  rmSync(genesis)
  t.match((await said()).join('\n'), /config: .*genesis.json/)
  writeFileSync(file, 'rpc: { prt: 1 }\n')
  t.match((await said()).join('\n'), /config: .*unknown key 'rpc.prt'; did you mean rpc.port/)
})

t.test('what does not answer', async (t) => {
  const silent = await takenPort(t)
  const web = createHttpServer((_, response) => response.end('<h1>It works</h1>'))
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    web.closeAllConnections()
    web.close()
  })
  const ports = [1, silent, (web.address() as AddressInfo).port]
  const seen = await observe(ports.map((port) => ({ name: `p${port}`, url: `http://127.0.0.1:${port}` })))
  t.match(
    seen.map(({ fault }) => fault),
    [/connection refused: no node listens there/, /no answer .* within 3 s/, /answered HTTP 200, not JSON-RPC/],
  )
  t.equal(await dialFault(`/ip4/127.0.0.1/tcp/${silent}/p2p/16Uiu2`), null)
  t.match(await dialFault('/ip4/127.0.0.1/tcp/1/p2p/16Uiu2'), /connection refused/)
  t.match(await dialFault('nonsense'), /no address of the form/)
})

t.test('only what is of this machine is looked at here', async (t) => {
  const here = ['http://127.0.0.1:8545', 'http://localhost:1', 'http://[::]:1', 'http://0.0.0.0:8545']
  t.ok(here.every(isOfThisMachine))
  t.notOk(['http://192.0.2.7:8545', 'http://node2.example:8545'].some(isOfThisMachine))
})

t.test('the last words of a process', async (t) => {
  const log = join(dir, 'node.log')
  const line = (level: number, msg: string, more = {}) => `${JSON.stringify({ level, msg, ...more })}\n`
  t.same(processFacts(undefined, join(dir, 'no.log')), { pid: null, running: false, lastWords: null })
  writeFileSync(
    log,
    line(30, 'node is up') + line(60, 'the node stops', { err: { message: 'disk is full' } }) + line(30, 'bye'),
  )
  t.match(processFacts(process.pid, log), { running: true, lastWords: 'the node stops: disk is full' })
  writeFileSync(log, line(60, 'the node stops') + line(30, 'node is up'))
  t.equal(processFacts(process.pid, log).lastWords, null, 'that was before')
  writeFileSync(log, 'concordat: rpc port 8545 is taken\n')
  t.equal(processFacts(process.pid, log).lastWords, 'rpc port 8545 is taken')
})

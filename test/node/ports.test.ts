/** What a node refuses to start with: a port that is taken, a policy that it lacks. */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { builtinExtensions } from '../../src/consensus/extensions.js'
import { nodeConfigSchema } from '../../src/node/config.js'
import { Node } from '../../src/node/node.js'
import { accountKeys, genesis } from './world.js'

async function listening(port = 0): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

t.test('a metrics port that is taken', async (t) => {
  const taken = await listening()
  t.teardown(() => taken.close())
  const free = await listening()
  const rpcPort = portOf(free)
  await new Promise((resolve) => free.close(resolve))
  const dir = t.testdir()
  const config = nodeConfigSchema.parse({
    dataDir: join(dir, 'data'),
    journalDir: join(dir, 'journal'),
    delivery: { dir: join(dir, 'envelopes') },
    p2p: { port: 0 },
    rpc: { port: rpcPort },
    metrics: { port: portOf(taken) },
  })
  const privateKey = accountKeys[0]!
  const log = pino({ level: 'silent' })
  const node = await Node.open({
    config,
    genesis,
    extensions: builtinExtensions,
    privateKey,
    clientVersion: 'test',
    log,
    onFatal: () => {},
  })
  await t.rejects(node.start(), {
    code: 'PORT_TAKEN',
    message: new RegExp(`127\\.0\\.0\\.1:${portOf(taken)}.*metrics\\.port`),
  })
  await node.stop()
  const again = await listening(rpcPort)
  t.equal(portOf(again), rpcPort, 'nothing listens on the RPC port any more')
  again.close()
})

t.test('a node that lacks the policy or schedule of genesis does not start', async (t) => {
  const dir = t.testdir()
  const config = nodeConfigSchema.parse({ dataDir: join(dir, 'data'), journalDir: join(dir, 'journal') })
  const open = (consensus: object) =>
    Node.open({
      config,
      genesis: { ...genesis, consensus },
      extensions: builtinExtensions,
      privateKey: accountKeys[0]!,
      clientVersion: 'test',
      log: pino({ level: 'silent' }),
      onFatal: () => {},
    })
  await t.rejects(open({ weightPolicy: 'mine' }), {
    code: 'UNKNOWN_POLICY',
    message: /'mine'.*known are equal, credit/,
  })
  await t.rejects(open({ leaderSchedule: 'mine' }), {
    code: 'UNKNOWN_SCHEDULE',
    message: /'mine'.*known are round-robin, weighted-round-robin/,
  })
  t.notOk(existsSync(config.dataDir), 'and leaves nothing behind')
})

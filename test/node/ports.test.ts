/** A node whose second port is taken gives back the first. */
import { once } from 'node:events'
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

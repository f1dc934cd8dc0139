/** A node process takes the tokens of replaced files after SIGHUP, and goes on with the old ones where a file is wrong. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { createNetwork } from '../../src/cli/network/create.js'
import { startNode } from '../../src/cli/network/lifecycle.js'
import { waitReady } from '../../src/cli/network/processes.js'
import { createRpcClient } from '../../src/rpc/client.js'
import { issueToken } from '../../src/rpc/tokenIssuer.js'
import { secretKey } from '../../src/rpc/tokenKeys.js'
import { eventually, freeBasePort } from '../support/localNetwork.js'

const SECRETS = [1, 2].map((n) => new Uint8Array(32).fill(n))
const lines = (...secrets: readonly Uint8Array[]) =>
  secrets.map((one) => `${Buffer.from(one).toString('hex')}\n`).join('')

t.test('SIGHUP', async (t) => {
  const out = join(t.testdir(), 'net')
  const basePort = await freeBasePort(1)
  const ports = { basePort, baseP2pPort: basePort + 2_000 }
  const { nodes } = await createNetwork({ out, nodes: 1, hosts: [], chainId: 7, ...ports, timestamp: 1_790_000_000 })
  const [node] = nodes
  const folder = join(out, node!.name)
  const secretFile = join(folder, 'rpc.secret')
  const configFile = join(folder, 'config.yaml')
  const config = parse(readFileSync(configFile, 'utf8'))
  config.rpc = { ...config.rpc, auth: { secretFile: 'rpc.secret', loopback: 'none' } }
  writeFileSync(configFile, stringify(config))
  writeFileSync(secretFile, lines(SECRETS[0]!), { mode: 0o600 })
  const started = startNode(out, node!, false)
  t.teardown(async () => {
    process.kill(started.pid, 'SIGTERM')
    await started.exited
  })
  await waitReady(`${node!.rpc}/readiness`, started, 120_000)

  const tokens = await Promise.all(
    SECRETS.map((secret) => issueToken(secretKey(secret), { role: 'read', validSeconds: 600 })),
  )
  const taken = (): Promise<boolean[]> =>
    Promise.all(
      tokens.map(async (token) => {
        const client = createRpcClient({ url: node!.rpc, token, timeoutMs: 60_000 })
        try {
          return (await client.call('eth_chainId')) === '0x7'
        } catch (error) {
          t.match(error, { name: 'RpcError', code: -32011 })
          return false
        } finally {
          client.close()
        }
      }),
    )
  const log = () => readFileSync(started.logFile, 'utf8')
  const hangUp = async (text: string, said: string) => {
    writeFileSync(secretFile, text)
    const before = log().length
    process.kill(started.pid, 'SIGHUP')
    await eventually(() => log().slice(before).includes(said), `the node to say: ${said}`)
  }
  t.same(await taken(), [true, false])
  await hangUp(lines(SECRETS[1]!, SECRETS[0]!), 'are read again')
  t.same(await taken(), [true, true], 'old and new')
  await hangUp(lines(SECRETS[1]!), 'are read again')
  t.same(await taken(), [false, true], 'the new one alone')
  await hangUp('no secret', 'stay in use')
  t.same(await taken(), [false, true], 'a wrong file changes nothing')
  for (const secret of SECRETS) t.notOk(log().includes(Buffer.from(secret).toString('hex')), 'no secret in the log')
})

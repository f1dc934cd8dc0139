/** A policy and a schedule of a researcher on four processes, as docs/extending-consensus.md says. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { shuffledRounds } from '../../examples/schedules/shuffledRounds.js'
import { asEpoch, asView } from '../../src/core/bytes.js'
import { eventually, startLocalNetwork } from '../support/localNetwork.js'

const MAIN = join(process.cwd(), 'dist/src/cli/main.js')

/** Empty blocks, so that epochs pass without load. */
function withHeartbeat(dir: string, names: readonly string[]): void {
  for (const name of names) {
    const file = join(dir, name, 'config.yaml')
    const config = parse(readFileSync(file, 'utf8'))
    writeFileSync(file, stringify({ ...config, consensus: { ...config.consensus, heartbeatMs: 50 } }))
  }
}

t.test('genesis names them, each node computes the same', async (t) => {
  const net = await startLocalNetwork({
    consensus: { weightPolicy: 'availability', leaderSchedule: 'shuffled-rounds', epochBlocks: 5 },
    extensions: ['dist/examples/policies/availability.js', 'dist/examples/schedules/shuffledRounds.js'],
    prepare: (dir, { nodes }) =>
      withHeartbeat(
        dir,
        nodes.map(({ name }) => name),
      ),
  })
  t.teardown(() => net.stop())
  const height = async (node: number) => Number(await net.client(node).call('eth_blockNumber'))
  await eventually(async () => (await height(0)) >= 12 && (await height(3)) >= 12, 'two epochs to pass')
  const at = '0xb'
  const hashes = await Promise.all(
    [0, 1, 2, 3].map(async (node) =>
      eventually(
        async () => (await net.client(node).call('eth_getBlockByNumber', at, false))?.hash,
        `block 11 of ${node}`,
      ),
    ),
  )
  t.equal(new Set(hashes).size, 1)
  const set = (await net.client(0).call('concordat_getSealerSet', at))!
  t.ok(Number(set.epoch) >= 1, 'the weights of genesis were 1, those of the policy are not')
  t.ok(
    set.sealers.every(({ weight }) => Number(weight) >= 4),
    set.sealers.map(({ weight }) => Number(weight)).join(' '),
  )
  const certificate = (await net.client(1).call('concordat_getFinalityCertificate', at))!
  const sealers = set.sealers.map(({ address, weight }) => ({ address, weight: Number(weight) }))
  const { number, miner } = (await net.client(1).call('eth_getBlockByHash', certificate.blockHash, false))!
  if (number === at) {
    const leader = shuffledRounds.leader(
      { epoch: asEpoch(Number(set.epoch)), sealers },
      asView(Number(certificate.view)),
    )
    t.equal(miner, leader, 'the schedule chose the sealer')
  }
  await net.kill(3)
  const file = join(net.dir, 'node4', 'config.yaml')
  const { consensus, ...config } = parse(readFileSync(file, 'utf8'))
  writeFileSync(file, stringify({ ...config, consensus: { ...consensus, extensions: [] } }))
  const without = spawnSync(process.execPath, [MAIN, 'node', '--config', file], { encoding: 'utf8', timeout: 60_000 })
  t.equal(without.status, 1)
  t.match(without.stderr, /availability.*known are equal, credit/)
})

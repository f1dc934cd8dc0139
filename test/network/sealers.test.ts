/** Real processes whose sealers change: one joins from empty, others go, are replaced, get a new key; double signers are found out. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ContractRevert, credit, view } from '../../src/agent/contractClient.js'
import { verifyChain } from '../../src/cli/sealer/verify.js'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { STATUS } from '../../src/contracts/codes.js'
import { type Hash, toHash } from '../../src/core/bytes.js'
import { createDoubleSigner } from '../support/doubleSigner.js'
import { eventually, type LocalNetwork, startLocalNetwork } from '../support/localNetwork.js'
import { SealerDesk } from '../support/sealerDesk.js'

const MAIN = join(process.cwd(), 'dist/src/cli/main.js')

/** What a command prints with --json; its plain words where it fails. */
function cli(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: 60_000 })
  return { status, stdout, stderr }
}

/** Proves the chain of `node` with the genesis file and nothing else. */
const verifyOffline = (net: LocalNetwork, node: number) =>
  verifyChain(net.client(node), { genesis: join(net.dir, 'genesis.json'), extensions: [] })

const block = (n: number): Hash => toHash(new Uint8Array(32).fill(n))

t.test('the set changes by vote, from a node that starts empty to a new key', async (t) => {
  const net = await startLocalNetwork({ consensus: { sealersMin: 3 } })
  t.teardown(() => net.stop())
  const desk = new SealerDesk(net)
  const all = [0, 1, 2, 3, 4]
  let fifth = 4

  await t.test('a fifth node joins with genesis and one peer, and ends in a full mesh', async (t) => {
    await desk.work()
    fifth = await desk.join('node5')
    await desk.connected(fifth, [0])
    await t.rejects(
      desk.change('add', fifth, [0]),
      { code: 'REVERTED', error: 'NotVolunteered' },
      'its node has not shown itself',
    )
    await desk.volunteer(fifth)
    for (const node of all)
      await desk.connected(
        node,
        all.filter((other) => other !== node),
      )
    const change = await desk.change('add', fifth, [0, 1, 2])
    t.match(change, { status: 'settled', kind: 'add', sealer: desk.address(fifth) })
    t.equal(await desk.sealers(all, all), 1)
    await desk.seals(fifth)
    await desk.seals(0, fifth)
    t.match(cli('sealer', 'list', '--network', net.dir), { status: 0, stdout: /epoch 1[\s\S]*node5/ })
  })

  await t.test('one is removed by vote, and then suspended', async (t) => {
    t.match(await desk.change('remove', 3, [0, 1, 2, fifth]), { status: 'settled' })
    t.equal(await desk.sealers(all, [0, 1, 2, fifth]), 2)
    await desk.seals(fifth)
    await desk.agree(all)
    await desk.setStatus(desk.address(3), STATUS.suspended)
    await desk.connected(fifth, [0, 1, 2])
    await desk.setStatus(desk.address(3), STATUS.active)
    await desk.connected(3, [0, 1, 2, fifth])
    await desk.agree(all)
  })

  await t.test('one is replaced', async (t) => {
    await desk.volunteer(3)
    t.match(await desk.change('replace', 2, [0, 1, 3, fifth], desk.address(3)), { status: 'settled' })
    t.equal(await desk.sealers(all, [0, 1, 3, fifth]), 3)
    await desk.seals(3)
  })

  await t.test("a sealer's key is rotated, to a node that knows an observer only", async (t) => {
    const observer = 2
    const sixth = await desk.join('node6', observer)
    await desk.act(fifth, 'offerSeat', { successor: desk.address(sixth) })
    await desk.volunteer(sixth)
    await desk.act(sixth, 'takeSeat', { predecessor: desk.address(fifth) })
    t.equal(await desk.sealers([0, 1, 2, 3, sixth], [0, 1, 3, sixth]), 4)
    await desk.seals(sixth)
    await net.kill(fifth)
    fifth = sixth
  })

  await t.test('headers and certificates prove the chain offline', async (t) => {
    const head = await desk.agree([0, 1, 2, 3, fifth])
    for (const node of [0, fifth]) {
      const point = await verifyOffline(net, node)
      t.equal(point.height, Number(head.number))
      t.equal(point.set.epoch, 4)
    }
    const stdout = new RegExp(`blocks 1 to ${Number(head.number)} are final`)
    t.match(cli('sealer', 'verify', '--network', net.dir), { status: 0, stderr: '', stdout })
  })

  await t.test('a transaction is proved through all sets, without a node', async (t) => {
    const { transactions } = (await net
      .client(0)
      .call('eth_getBlockByNumber', `0x${(await desk.work()).toString(16)}`, false))!
    const file = join(net.dir, 'evidence.json')
    const exported = cli('evidence', 'export', transactions[0] as string, '--network', net.dir, '--out', file)
    t.match(exported, { status: 0, stderr: '' })
    const verified = cli('evidence', 'verify', file, '--genesis', join(net.dir, 'genesis.json'))
    t.match(verified, { status: 0, stdout: /sealers of epoch 4 [\s\S]*through 5 sealer sets/ })
  })

  await t.test('chain files carry the chain into an empty folder, a snapshot brings a sealer back', async (t) => {
    const genesis = join(net.dir, 'genesis.json')
    const [file, state] = [join(net.dir, 'chain.cdcf'), join(net.dir, 'state.cdcf')]
    const run = (...args: string[]) => {
      const { status, stdout, stderr } = cli('chain', ...args, '--json')
      t.equal(status, 0, `chain ${args[0]}: ${stderr}`)
      return JSON.parse(stdout) as { last: number; hash: Hash; epoch: number; height: number }
    }
    const exported = run('export', file, '--network', net.dir)
    const trusted = (await net.client(0).call('concordat_genesisHash')) as Hash
    t.match(run('verify', file, '--genesis-hash', trusted), { last: exported.last, hash: exported.hash, epoch: 4 })
    const restored = join(net.dir, 'restored')
    t.match(run('import', file, '--genesis', genesis, '--data', restored), { last: exported.last, hash: exported.hash })

    const past = `0x${(exported.last - 2).toString(16)}` as const
    const proof = await net.client(0).call('eth_getProof', CONTRACT_ADDRESSES.sealers, [], past)
    t.not(proof.accountProof.length, 0, 'a proof two blocks back')

    // Its journal stays: it need not doubt what it signed.
    await net.terminate(3)
    const data = join(net.dir, 'node4', 'data')
    const created = run('snapshot', 'create', state, '--data', data, '--genesis', genesis)
    rmSync(data, { recursive: true })
    t.match(run('snapshot', 'load', state, '--data', data, '--genesis-hash', trusted), { hash: created.hash })
    await desk.seals(0)
    await net.restart(3)
    await desk.agree([0, 1, 2, 3, fifth])
    await desk.seals(3)
    // Asked before the history was there the answer would be 4444.
    await eventually(
      async () => (await net.client(3).call('concordat_consensusStatus')).history === null,
      'the blocks below the snapshot',
    )
    for (const height of ['0x1', past] as const)
      t.same(
        await net.client(3).call('eth_getBlockReceipts', height),
        await net.client(0).call('eth_getBlockReceipts', height),
      )
  })

  await t.test('all nodes killed and started again go on in the same epoch', async (t) => {
    const nodes = [0, 1, 2, 3, fifth]
    await desk.agree(nodes)
    await Promise.all(nodes.map((node) => net.kill(node)))
    await Promise.all(nodes.map((node) => net.restart(node)))
    await desk.work()
    t.equal(await desk.sealers(nodes, [0, 1, 3, fifth]), 4)
    await desk.agree(nodes)
  })

  await t.test('a change without a possible quorum is refused, with the reason', async (t) => {
    const down = 3
    await net.kill(down)
    await eventually(async () => {
      await desk.work()
      const { missedInRow } = await view(net.client(0), credit, 'recordOf', { member: desk.address(down) })
      return missedInRow >= 3
    }, 'the chain to see that a sealer is down')
    const refused = await desk.change('remove', 1, [0]).catch((error: unknown) => error)
    t.ok(refused instanceof ContractRevert)
    t.match(refused, { error: 'QuorumImpossible', args: { liveWeight: 2n, quorum: 3n } })
    const said = cli('sealer', 'propose', 'remove', 'node2', '--network', net.dir, '--as', 'node1')
    t.equal(said.status, 1)
    t.match(said.stderr, /sealers refused: QuorumImpossible \(liveWeight 2, quorum 3\)/)
    await net.restart(down)
    await desk.seals(down)
    t.match(await desk.change('remove', down, [0, 1, 2, fifth]), { status: 'settled' }, 'three are enough here')
    t.match(await desk.change('remove', 1, [0, 2]).catch((error: unknown) => error), { error: 'TooFewSealers' })
  })
})

t.test('by credit, with a new epoch every ten blocks, a double signer loses its weight', async (t) => {
  const net = await startLocalNetwork({ consensus: { weightPolicy: 'credit', epochBlocks: 10 } })
  t.teardown(() => net.stop())
  const desk = new SealerDesk(net)
  const all = [0, 1, 2, 3]
  const creditOf = (node: number, of: number) =>
    view(net.client(node), credit, 'recordOf', { member: desk.address(of) })
  const epochOf = async () => Number((await net.client(0).call('concordat_consensusStatus')).epoch)
  const untilHeight = async (height: number) => {
    while ((await desk.work()) < height);
  }

  await t.test('two conflicting votes end as evidence on chain and a cut score on all nodes', async (t) => {
    await desk.work()
    await net.kill(3)
    const { chainId, genesisHash } = net.network
    const signer = await createDoubleSigner(desk.key(3), { chainId, genesisHash }, net.network.nodes[0]!.p2p)
    t.teardown(() => signer.stop())
    const status = await net.client(0).call('concordat_consensusStatus')
    signer.vote('notarize', Number(status.epoch), Number(status.view) + 20, [block(1), block(2)])
    await eventually(async () => (await creditOf(0, 3)).equivocation === 1, 'the evidence on chain')
    await signer.stop()
    await net.restart(3)
    await desk.agree(all)
    for (const node of all) {
      const { score, equivocation } = await creditOf(node, 3)
      t.same([score, equivocation], [0, 1])
    }
  })

  await t.test('its weight falls with the epoch, and everyone goes on', async (t) => {
    const before = await epochOf()
    await untilHeight(10)
    const weights = await eventually(async () => {
      await desk.work()
      const set = (await net.client(0).call('concordat_getSealerSet', 'latest'))!
      return Number(set.epoch) > before && set.sealers.map(({ weight }) => Number(weight))
    }, 'a new epoch')
    t.ok(weights[3]! < Math.min(...weights.slice(0, 3)), `weights ${weights.join(', ')}`)
    await untilHeight(21)
    await desk.agree(all)
  })

  await t.test('across the boundary of an epoch all are killed and come back', async (t) => {
    const height = Number((await desk.agree(all)).number)
    await untilHeight(Math.ceil((height + 1) / 10) * 10)
    await Promise.all(all.map((node) => net.kill(node)))
    await Promise.all(all.map((node) => net.restart(node)))
    await desk.work()
    const head = await desk.agree(all)
    const point = await verifyOffline(net, 2)
    t.equal(point.height, Number(head.number))
    t.ok(point.set.epoch > 0)
  })
})

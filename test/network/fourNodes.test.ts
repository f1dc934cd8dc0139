/** Four node processes: agreement, one killed and back, sync from empty, one process a folder, clean shutdown. */

import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { members } from '../../src/agent/contractClient.js'
import { followHeads } from '../../src/agent/heads.js'
import { createSender } from '../../src/agent/sender.js'
import { keySigner } from '../../src/agent/signer.js'
import { diagnoseConfig, diagnoseNetwork, diagnoseUrls } from '../../src/cli/doctor/doctor.js'
import { ROLE } from '../../src/contracts/codes.js'
import { textId } from '../../src/contracts/textId.js'
import { type Address, fromHex, ZERO_HASH } from '../../src/core/bytes.js'
import { eventually, startLocalNetwork } from '../support/localNetwork.js'

const MAIN = join(process.cwd(), 'dist/src/cli/main.js')
const run = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: 60_000 })

t.test('four processes seal, agree and recover', async (t) => {
  const net = await startLocalNetwork()
  t.teardown(() => net.stop())
  const { chainId, accounts } = net.network
  const heads = followHeads(net.client(0))
  t.teardown(() => heads.stop())
  const operator = createSender(
    { chainId, signer: keySigner(fromHex(accounts.operator!.privateKey)) },
    { client: net.client(0), heads },
  )
  let registered = 0
  const register = async () => {
    const n = ++registered
    const account = `0x${n.toString(16).padStart(40, '0')}` as Address
    const member = {
      account,
      role: ROLE.auditor,
      id: textId(`auditor-${n}`),
      name: `Auditor ${n}`,
      encryptionKey: ZERO_HASH,
    }
    const receipt = await operator.final(await operator.send(members, 'registerMember', { member }))
    t.equal(receipt.status, '0x1')
    return Number(receipt.blockNumber)
  }
  const heads4 = (nodes = [0, 1, 2, 3]) =>
    Promise.all(nodes.map(async (node) => (await net.client(node).call('eth_getBlockByNumber', 'latest', false))!))
  const agree = (nodes?: number[]) =>
    eventually(async () => {
      const blocks = await heads4(nodes)
      return (
        blocks.every((block) => block.hash === blocks[0]!.hash && block.stateRoot === blocks[0]!.stateRoot) && blocks[0]
      )
    }, 'all nodes to have the same head')

  await t.test('transactions become final with one hash and state root everywhere', async (t) => {
    for (let i = 0; i < 4; i++) await register()
    const head = await agree()
    t.ok(Number(head.number) >= 4)
    const sealers = new Set<string>()
    for (let height = 1; height <= Number(head.number); height++) {
      const block = await net.client(1).call('eth_getBlockByNumber', `0x${height.toString(16)}`, false)
      sealers.add(block!.miner)
    }
    t.ok(sealers.size > 1, 'sealers take turns')
    const certificate = await net.client(2).call('concordat_getFinalityCertificate', 'latest')
    t.ok(certificate!.signers.length >= 3)
  })

  await t.test('one recover per transaction per node', async (t) => {
    const final = Number((await agree()).number)
    let transactions = 0
    for (let height = 1; height <= final; height++) {
      transactions += (await net.client(0).call('eth_getBlockByNumber', `0x${height.toString(16)}`, false))!
        .transactions.length
    }
    for (const node of net.network.nodes) {
      const text = await (await fetch(node.metrics)).text()
      t.equal(Number(/concordat_sender_recoveries\{[^}]*\} (\d+)/.exec(text)?.[1]), transactions, node.name)
    }
  })

  await t.test('with one node killed the other three go on; it comes back to the same state', async (t) => {
    await net.kill(3)
    for (let i = 0; i < 3; i++) await register()
    await agree([0, 1, 2])
    const { fine, findings } = await eventually(async () => {
      const said = await diagnoseNetwork(net.dir, false)
      return said.findings.some(({ topic }) => topic === 'silent') && said
    }, 'node4 to be missed')
    t.notOk(fine)
    const text = findings.map((finding) => finding.text).join('\n')
    t.match(text, /3 of 4 sealers can vote \(weight 3 of 4, a quorum is 3\): blocks go on; they stop if one more fails/)
    t.match(text, /node4 does not answer, its process \d+ has ended: .*connection refused/)
    t.match(text, /node4 has not been heard for .* by node1, node2 and node3/)
    await net.restart(3)
    await agree()
    await register()
    t.ok(await agree())
  })

  await t.test('with two killed there is no quorum, and the doctor says who would bring it back', async (t) => {
    await net.kill(2)
    await net.kill(3)
    await eventually(
      async () => (await diagnoseNetwork(net.dir, false)).findings.some(({ topic }) => topic === 'quorum'),
      'the quorum to be missed',
    )
    const { status, stdout } = run('network', 'status', net.dir)
    t.equal(status, 1)
    t.match(
      stdout.replace(/\s+/g, ' '),
      /PROBLEM no block can become final: 2 of 4 sealers can vote \(weight 2 of 4, a quorum is 3\): no quorum, needs node3 or node4/,
    )
    t.ok(
      stdout.split('\n').every((line) => line.length <= 100),
      'fits 100 columns',
    )
    t.match(await diagnoseUrls([net.network.nodes[0]!.rpc]), {
      fine: false,
      findings: [{ topic: 'quorum', text: /needs node3 or node4/ }],
      nodes: [{ name: 'node1' }],
    })
    const { findings } = await diagnoseConfig(join(net.dir, 'node3', 'config.yaml'))
    t.match(findings.map(({ text }) => text).join('\n'), /node4 at \/ip4\/127.0.0.1\/tcp\/\d+: connection refused/)
    await Promise.all([net.restart(2), net.restart(3)])
    await register()
    await agree()
    const healthy = await eventually(async () => {
      const said = await diagnoseNetwork(net.dir, true)
      return said.fine && said
    }, 'the doctor to find nothing')
    t.equal(healthy.nodes.length, 4)
  })

  await t.test('a node that lost everything syncs from its peers', async (t) => {
    await net.kill(2)
    rmSync(join(net.dir, 'node3', 'data'), { recursive: true })
    rmSync(join(net.dir, 'node3', 'journal'), { recursive: true })
    await register()
    await net.restart(2)
    t.ok(await agree())
  })

  await t.test('a second process on the same folder is refused with a reason', async (t) => {
    const second = run('node', '--config', join(net.dir, 'node1', 'config.yaml'))
    t.equal(second.status, 1)
    t.match(second.stderr, /another process uses/)
  })

  await t.test('SIGTERM ends a node cleanly and it starts again on the same data', async (t) => {
    await net.terminate(1)
    t.match(readFileSync(join(net.dir, 'node2', 'logs', 'node.log'), 'utf8'), /"stopping"/)
    await net.restart(1)
    await register()
    t.ok(await agree())
  })
})

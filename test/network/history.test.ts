/** A real node that began from a snapshot is killed while it fetches what is below, and goes on where it was. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { builtinExtensions } from '../../src/consensus/extensions.js'
import { asHeight, toHex } from '../../src/core/bytes.js'
import { createSnapshot, loadSnapshot } from '../../src/node/chainFile/snapshot.js'
import { genesisHash } from '../../src/node/genesis.js'
import { parseGenesisText, readGenesisText } from '../../src/node/genesisFile.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { runHere } from '../cli/inProcess.js'
import { eventually, startLocalNetwork } from '../support/localNetwork.js'
import { MemberLoad } from '../support/memberLoad.js'

/** Calldata of each transaction, and transactions: three ranges of 4 MiB or more. */
const DATA_BYTES = 40_000
const TRANSACTIONS = 360
/** Together they write two ranges at most. */
const KILLS = ['1 before', '1 during', '1 after']
/** The node that loses its chain. */
const LAST = 3

const net = await startLocalNetwork()
t.teardown(() => net.stop())
const others = () => [0, 1, 2].map((node) => net.client(node))
const folder = join(net.dir, net.network.nodes[LAST]!.name, 'data')
const height = async () => Number(await net.client(0).call('eth_blockNumber'))
const quantity = (height: number) => `0x${height.toString(16)}` as const

/** Blocks go on through the other nodes until so many transactions are final, and `work` is done. */
async function load(count: number, work: () => Promise<void> = async () => {}): Promise<void> {
  const members = new MemberLoad(net.network, others, DATA_BYTES)
  members.start()
  try {
    await work()
    await eventually(() => members.acknowledged.length >= count, `${count} transactions`)
    await members.drain(60_000)
  } finally {
    members.stop()
  }
}

/** Ends when the node has; null: by a signal. */
async function startAndDie(at: string): Promise<number | null> {
  process.env.NODE_OPTIONS = `--import ${resolve('test/support/killedWhileFetching.mjs')}`
  process.env.KILL_AT = at
  try {
    let ended: { readonly code: number | null } | undefined
    void net.start(LAST).exited.then((code) => {
      ended = { code }
    })
    return (await eventually(() => ended, `the node to die at write ${at}`)).code
  } finally {
    delete process.env.NODE_OPTIONS
    delete process.env.KILL_AT
  }
}

/** Blocks that the folder says are there, or has in part, are those of the others; up to where they are. */
async function checked(t: Test): Promise<number> {
  const store = await ChainStore.open({ dir: folder })
  try {
    const [oldest, fetched] = [store.oldestBlock(), store.fetchedBlock()!]
    t.ok(oldest > fetched, 'nothing counts before all is there')
    if (fetched > 0) t.not(store.certificate(fetched)?.length, 0, `block ${fetched} is certified`)
    for (let height = asHeight(1); height < oldest; height = asHeight(height + 1)) {
      const [block, receipts] = [store.rawBlock(height), store.receipts(height)]
      if (height <= fetched) t.ok(block !== undefined && receipts !== undefined, `block ${height} is there`)
      if (block === undefined) continue
      t.equal(toHex(block), await net.client(0).call('debug_getRawBlock', quantity(height)))
      t.equal(receipts?.length, store.blockByNumber(height)?.transactions.length)
    }
    return fetched
  } finally {
    await store.close()
  }
}

t.test('an export of a chain that goes on', async (t) => {
  const run = (...args: string[]) => runHere(net.dir, 'chain', ...args, '--json')
  const rpc = net.network.nodes[0]!.rpc
  await load(TRANSACTIONS, async () => {
    await eventually(async () => (await height()) > 10, 'some blocks')
    const exported = await run('export', 'file', '--rpc', rpc, '--genesis', 'genesis.json')
    t.match(exported, { status: 0, stderr: '' })
    const { last, hash } = JSON.parse(exported.stdout)
    t.equal(hash, (await net.client(0).call('eth_getBlockByNumber', quantity(last), false))?.hash)
    t.match(await run('verify', 'file', '--genesis', 'genesis.json'), { status: 0 })
    const before = await height()
    await eventually(async () => (await height()) > before, 'the chain to go on')
  })
  const genesis = JSON.parse(readFileSync(join(net.dir, 'genesis.json'), 'utf8'))
  writeFileSync(join(net.dir, 'other.json'), JSON.stringify({ ...genesis, timestamp: genesis.timestamp + 1 }))
  t.match(await run('export', 'out', '--rpc', rpc, '--genesis', 'other.json'), {
    status: 2,
    stderr: /the node is of the chain with genesis 0x\w+, not 0x\w+: name its genesis/,
  })
})

t.test('killed at its writes of past blocks', async (t) => {
  await net.terminate(LAST)
  const file = join(net.dir, 'genesis.json')
  const text = readGenesisText(file)
  const config = parseGenesisText(text, file)
  const genesis = { text, hash: genesisHash(config), chainId: config.chainId }
  const path = join(net.dir, 'state.cdcf')
  const { height: snapshot } = await createSnapshot(folder, { path, genesis })
  rmSync(folder, { recursive: true })
  await loadSnapshot({ path, genesisHash: genesis.hash, extensions: builtinExtensions, dataDir: folder })
  let reached = 0
  for (const at of KILLS) {
    t.equal(await startAndDie(at), null, `${at}: a signal ended it`)
    const now = await checked(t)
    t.ok(now >= reached && now < snapshot, `${at}: from block ${reached} to ${now}`)
    reached = now
    await load(1)
  }
  t.ok(reached > 0, 'what was written stayed')
  await net.restart(LAST)
  const status = () => net.client(LAST).call('concordat_consensusStatus')
  await eventually(async () => (await status()).history === null, 'the blocks below the snapshot')
  for (let height = 1; height <= snapshot; height++) {
    const [own, other] = await Promise.all(
      [LAST, 0].map((node) => net.client(node).call('eth_getBlockReceipts', quantity(height))),
    )
    t.same(own, other)
  }
})

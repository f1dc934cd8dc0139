/** Splits, silence and standstills on real processes, whose connections pass through proxies. */
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { LinkProxies } from '../../bench/testbed/linkProxies.js'
import { eventually, freeBasePort, startLocalNetwork } from '../support/localNetwork.js'
import { MemberLoad } from '../support/memberLoad.js'
import { VoteObserver } from '../support/voteObserver.js'

const NODES = [0, 1, 2, 3] as const
const VIEW_TIMEOUT_MAX_MS = 4_000
/** How much slower a machine may be on which other tests run beside this one; bench/rounds has the figures. */
const PATIENCE = 6

const port = await freeBasePort(1)
let links: LinkProxies | undefined
let observer: VoteObserver | undefined
const net = await startLocalNetwork({
  async prepare(dir, network) {
    links = await LinkProxies.open(network)
    links.install(dir, network)
    observer = new VoteObserver(network, port)
    observer.install(dir)
  },
})
const [proxies, watcher] = [links!, observer!]
await watcher.start()
t.teardown(async () => {
  for (const made of loads) made.stop()
  await watcher.stop()
  await net.stop()
  proxies.close()
})

/** -1 while the node does not answer. */
const height = (node: number) =>
  net
    .client(node)
    .call('eth_blockNumber')
    .then(Number, () => -1)
const heights = (nodes: readonly number[] = NODES) => Promise.all(nodes.map(height))
const view = async (node: number) => Number((await net.client(node).call('concordat_consensusStatus')).view)

const loads: MemberLoad[] = []

/** Transactions all the time, through these nodes. */
function load(nodes: readonly number[]): MemberLoad {
  const made = new MemberLoad(net.network, () => nodes.map((node) => net.client(node)))
  loads.push(made)
  made.start()
  return made
}

/** Milliseconds until all `nodes` are above `floor`. */
async function pass(nodes: readonly number[], floor: number): Promise<number> {
  const since = performance.now()
  await eventually(
    async () => (await heights(nodes)).every((at) => at > floor),
    `nodes ${nodes} to pass block ${floor}`,
  )
  return performance.now() - since
}

/** Ends a load and compares all nodes. */
async function settle(made: MemberLoad): Promise<void> {
  await made.drain(60_000)
  await eventually(async () => {
    const heads = await Promise.all(NODES.map((node) => net.client(node).call('eth_getBlockByNumber', 'latest', false)))
    return heads.every((head) => head?.hash === heads[0]!.hash && head?.stateRoot === heads[0]!.stateRoot)
  }, 'all nodes to have the same head')
}

const within = (ms: number, limitMs: number): string => `${ms.toFixed(0)} ms of ${limitMs}`

/** Resolves with the heights once none has changed for a while: what was on its way has arrived. */
function standstill(nodes: readonly number[]): Promise<number[]> {
  return eventually(async () => {
    const before = await heights(nodes)
    await delay(700)
    const after = await heights(nodes)
    return before.every((at, index) => at === after[index]) ? after : undefined
  }, 'the chain to stand still')
}

for (const how of ['silent', 'cut'] as const) {
  t.test(`split two and two, ${how}: nothing becomes final; healed, it goes on`, async (t) => {
    const made = load(NODES)
    await pass(NODES, Math.max(...(await heights())))
    proxies.split(
      [
        [0, 1],
        [2, 3],
      ],
      how,
    )
    const stood = await standstill(NODES)
    const views = await Promise.all(NODES.map(view))
    await delay(1_500)
    t.same(await heights(), stood, 'no node has a new block')
    t.same(await Promise.all(NODES.map(view)), views, 'no view passes without a quorum')
    proxies.healAll()
    const ms = await pass(NODES, Math.max(...stood))
    t.ok(ms < PATIENCE * 5_000, within(ms, 5_000))
    await settle(made)
  })
}

t.test('one of four in silence: the others go on, and it catches up', async (t) => {
  const made = load([0, 1, 2])
  proxies.split([[0, 1, 2], [3]], 'silent')
  const [stood] = await standstill([3])
  await pass([0, 1, 2], Math.max(stood!, await height(0)) + 10)
  t.equal(await height(3), stood, 'it has no new block')
  proxies.healAll()
  const ms = await pass([3], await height(0))
  t.ok(ms < PATIENCE * 5_000, within(ms, 5_000))
  await settle(made)
})

t.test('one whom nobody hears, though it hears all', async () => {
  const made = load([0, 1, 2])
  for (const to of [0, 1, 2]) proxies.silence(3, to)
  await pass([0, 1, 2], (await height(0)) + 10)
  proxies.healAll()
  await pass(NODES, await height(0))
  await settle(made)
})

t.test('one who hears nobody, though all hear it; and slow links', async () => {
  const made = load([0, 1, 2])
  for (const from of [0, 1, 2]) proxies.silence(from, 3)
  await pass([0, 1, 2], (await height(0)) + 10)
  proxies.healAll()
  for (const from of NODES) for (const to of NODES) if (from !== to) proxies.delay(from, to, 60)
  await pass(NODES, (await height(0)) + 3)
  proxies.healAll()
  await settle(made)
})

t.test('two of four killed: no view passes; back again, the chain goes on', async (t) => {
  const made = load([0, 1])
  await Promise.all([2, 3].map((node) => net.kill(node)))
  const stood = await standstill([0, 1])
  const before = await view(0)
  await delay(2_000)
  t.same(await heights([0, 1]), stood)
  t.equal(await view(0), before)
  for (const node of [2, 3]) net.start(node)
  await eventually(async () => (await heights([2, 3])).every((at) => at >= 0), 'both processes to answer')
  const ms = await pass(NODES, Math.max(...stood))
  t.ok(ms < PATIENCE * 10_000, within(ms, 10_000))
  await settle(made)
})

t.test('one that stood still for longer than the longest time-out is back at once', async (t) => {
  const made = load([0, 1, 2])
  net.signal(3, 'SIGSTOP')
  const since = performance.now()
  await pass([0, 1, 2], (await height(0)) + 20)
  await delay(Math.max(0, VIEW_TIMEOUT_MAX_MS + 1_500 - (performance.now() - since)))
  net.signal(3, 'SIGCONT')
  const ms = await pass([3], await height(0))
  t.ok(ms < PATIENCE * 2_000, within(ms, 2_000))
  await settle(made)
})

t.test('nobody contradicted itself in all this', async (t) => {
  t.same(watcher.conflicts, [])
})

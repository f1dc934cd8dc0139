/** What diagnosis says of networks in all kinds of trouble: words from answers, without any node. */
import t from 'tap'
import { diagnose, isFine } from '../../src/cli/doctor/diagnose.js'
import { diagnoseMachine } from '../../src/cli/doctor/diagnoseMachine.js'
import type { MachineFacts } from '../../src/cli/doctor/machineFacts.js'
import type { Answer, Observation } from '../../src/cli/doctor/observation.js'
import { printHistory } from '../../src/cli/doctor/present.js'
import type { Output } from '../../src/cli/output.js'
import type { Address, Hash } from '../../src/core/bytes.js'
import { nodeConfigSchema } from '../../src/node/config.js'
import type { RpcConsensus } from '../../src/rpc/wire.js'

const hash = (n: number) => `0x${n.toString(16).padStart(64, '0')}` as Hash
const address = (n: number) => `0x${n.toString(16).padStart(40, '0')}` as Address
const hex = (n: number) => `0x${n.toString(16)}` as const

interface Situation {
  /** Nodes that do not answer RPC; by default nobody hears them either. */
  readonly down?: readonly number[]
  /** Nodes that are heard though they do not answer RPC. */
  readonly heard?: readonly number[]
  /** ms since a node was heard by the others. */
  readonly ages?: Readonly<Record<number, number | null>>
  /** Pairs without a connection. */
  readonly cut?: readonly (readonly [number, number])[]
  readonly weights?: readonly number[]
  readonly observers?: readonly number[]
  readonly consensus?: Readonly<Record<number, Partial<RpcConsensus>>>
  readonly answer?: Readonly<Record<number, Partial<Answer>>>
  readonly process?: Readonly<Record<number, Observation['process']>>
}

/** Nodes 1 to n with equal weight that all answer, unless `of` says otherwise. */
function network(n: number, of: Situation = {}): Observation[] {
  const { down = [], heard = [], cut = [], observers = [], ages = {} } = of
  const all = Array.from({ length: n }, (_, i) => i + 1)
  const weightOf = (i: number) => of.weights?.[i - 1] ?? 1
  const sealers = all.filter((i) => !observers.includes(i))
  const total = sealers.reduce((sum, i) => sum + weightOf(i), 0)
  const isCut = (a: number, b: number) => cut.some(([x, y]) => (x === a && y === b) || (x === b && y === a))
  const linked = (a: number, b: number) => a === b || ((!down.includes(b) || heard.includes(b)) && !isCut(a, b))
  return all.map((i) => {
    const base = {
      name: `node${i}`,
      url: `http://127.0.0.1:${8544 + i}`,
      address: address(i),
      ...(of.process?.[i] && { process: of.process[i] }),
    }
    if (down.includes(i))
      return { ...base, answer: null, fault: `${base.url}: connection refused: no node listens there` }
    const standing = sealers.map((j) => ({
      address: address(j),
      name: `node${j}`,
      weight: hex(weightOf(j)),
      connected: linked(i, j),
      heardAgeMs: ages[j] === undefined ? (linked(i, j) ? 200 : 12_000) : ages[j],
      vote: 'none' as const,
      awaited: null,
    }))
    const connected = standing.reduce((sum, { connected, weight }) => sum + (connected ? Number(weight) : 0), 0)
    const consensus: RpcConsensus = {
      self: address(i),
      name: `node${i}`,
      epoch: '0x0',
      view: '0x11',
      leader: address(2),
      finalHeight: '0xa',
      finalHash: hash(10),
      finalView: '0x10',
      halted: 'no',
      haltReason: '',
      inDoubt: false,
      stage: 'idle',
      stageView: '0x11',
      stageAgeMs: null,
      givenUpInMs: null,
      weightTotal: hex(total),
      weightConnected: hex(connected),
      weightQuorum: hex(Math.floor((2 * total) / 3) + 1),
      sealers: standing,
      missingBlocks: '0x0',
      missingCertificates: false,
      why: 'idle: no transaction waits for a block',
      clockMs: 1_790_000_000_000,
      ...of.consensus?.[i],
    }
    const answer: Answer = {
      clientVersion: 'concordat/v0.1.0/linux-x64/node20.19.0',
      chainId: 20_261,
      genesisHash: hash(1),
      head: { height: 10, hash: hash(10), stateRoot: hash(11) },
      syncing: false,
      consensus,
      peers: all
        .filter((j) => j !== i)
        .map((j) => ({ address: address(j), name: `node${j}`, connected: linked(i, j), rttMs: 1 })),
      lagBlocks: 0,
      history: null,
      pendingCount: 0,
      overdue: [],
      rttMs: 2,
      clockOffsetMs: 0,
      common: { height: 10, hash: hash(10) },
      ...of.answer?.[i],
    }
    return { ...base, answer, fault: '' }
  })
}

const lines = (observations: readonly Observation[]) =>
  diagnose(observations, { genesisHash: hash(1) }).map(({ severity, topic, text }) => `${severity} ${topic}: ${text}`)

t.test('a healthy network: nothing to say', async (t) => {
  t.same(lines(network(4)), [])
  t.same(lines(network(1)), [])
  t.same(diagnose([]), [])
})

t.test('one of four is down: blocks go on, and everybody is told how close it is', async (t) => {
  const said = lines(network(4, { down: [3] }))
  t.same(said, [
    'note quorum: 3 of 4 sealers can vote (weight 3 of 4, a quorum is 3): blocks go on; they stop if one more fails',
    'problem reach: node3 does not answer, http://127.0.0.1:8547: connection refused: no node listens there',
    'problem silent: node3 has not been heard for 12 s by node1, node2 and node4',
  ])
  t.notOk(isFine(diagnose(network(4, { down: [3] }))))
})

t.test('with seven, one may still fail after the first', async (t) => {
  t.notMatch(lines(network(7, { down: [3] }))[0], /stop if one more/)
  t.match(lines(network(7, { down: [3, 5] }))[0], /5 of 7 .*a quorum is 5\): blocks go on; they stop if one more fails/)
})

t.test('two of four are down: no quorum, and who would bring it back', async (t) => {
  const [first] = lines(network(4, { down: [3, 4] }))
  t.equal(
    first,
    'problem quorum: no block can become final: 2 of 4 sealers can vote (weight 2 of 4, a quorum is 3): no quorum, needs node3 or node4',
  )
  t.match(lines(network(4, { down: [2, 3, 4] }))[0], /needs 2 of node2, node3 and node4/)
  t.match(lines(network(3, { down: [2, 3] }))[0], /needs node2 and node3/)
  const uneven = network(5, { weights: [3, 3, 3, 2, 1], down: [1, 2, 5] })
  t.match(
    lines(uneven)[0],
    /weight 5 of 12, a quorum is 9\): no quorum, needs weight 4 of node1 \(3\), node2 \(3\), node5 \(1\)/,
  )
})

t.test('RPC of a node is closed but its votes come: the quorum counts it', async (t) => {
  const said = lines(network(4, { down: [3], heard: [3] }))
  t.same(said.length, 1)
  t.match(said[0], /problem reach: node3 does not answer/)
})

t.test('all answer but are cut two against two', async (t) => {
  const said = lines(
    network(4, {
      cut: [
        [1, 3],
        [1, 4],
        [2, 3],
        [2, 4],
      ],
    }),
  )
  t.match(said[0], /no block can become final: 2 of 4 .* needs node3 or node4/)
  t.equal(said.filter((line) => line.includes('are not connected with each other')).length, 4)
})

t.test('one missing connection', async (t) => {
  const said = lines(network(4, { cut: [[2, 4]] }))
  t.same(said, [
    "problem link: node2 and node4 are not connected with each other: can each reach the other's p2p port, and does each list the other as a peer?",
  ])
})

t.test('envelopes that do not arrive: for whom, since when, and what to do', async (t) => {
  const overdue = [
    { recipient: address(3), waiting: hex(12), longestMs: 300_000 },
    { recipient: address(0xabcdef), waiting: hex(1), longestMs: 60_001 },
    { recipient: address(4), waiting: hex(5), longestMs: 60_000 },
  ]
  const observations = network(4, { answer: { 2: { overdue } } })
  const said = lines(observations)
  t.equal(said.length, 2, 'a minute is no trouble yet')
  t.match(
    said[0],
    /^problem delivery: node2 has had 12 envelopes for node3 for 5.*that no node of node3 has taken: start it/,
  )
  t.match(said[1], /^problem delivery: node2 has had an envelope for 0x00000000… for/)
  t.notOk(isFine(diagnose(observations)))
})

t.test('connected, but silent', async (t) => {
  const said = lines(network(4, { ages: { 2: 8_000 } }))
  t.same(said, [
    'problem silent: node2 has not been heard for 8.0 s by node1, node3 and node4, though it is connected: does its process hang?',
  ])
  t.match(lines(network(4, { down: [2], ages: { 2: null } })).join(), /node2 has never been heard by/)
})

t.test('a node whose process ended says why, in the words of its log', async (t) => {
  const process = { 3: { pid: 77, running: false, lastWords: 'journal is damaged' } }
  t.match(
    lines(network(4, { down: [3], process })).join(),
    /node3 does not answer, its process 77 has ended: .*; its log ends with: journal is damaged/,
  )
  const hangs = { 3: { pid: 77, running: true, lastWords: null } }
  t.match(lines(network(4, { down: [3], process: hangs })).join(), /though its process 77 runs/)
  const never = { 3: { pid: null, running: false, lastWords: null } }
  t.match(lines(network(4, { down: [3], process: never })).join(), /it has not been started/)
})

t.test('halted nodes do not count for the quorum', async (t) => {
  const consensus = { 3: { halted: 'stop-voting', haltReason: 'its key is in use elsewhere' } } as const
  const said = lines(network(4, { consensus }))
  t.match(said[0], /3 of 4 sealers can vote/)
  t.equal(said[1], 'problem halted: node3 does not vote any more: its key is in use elsewhere')
  t.match(lines(network(4, { consensus, down: [4] }))[0], /no block can become final: 2 of 4/)
})

t.test('a node in doubt has no vote yet', async (t) => {
  const why = 'does not vote yet: its journal may lack votes'
  const consensus = { 3: { inDoubt: true, why } }
  const said = diagnose(network(4, { consensus }), { genesisHash: hash(1) })
  t.ok(isFine(said), 'it ends by itself')
  t.match(
    said.map(({ text }) => text),
    [/3 of 4 sealers can vote .* they stop if one more fails/, /node3 does not vote yet: its journal may lack votes/],
  )
  t.match(lines(network(4, { consensus, down: [4] }))[0], /no block can become final: 2 of 4/)
})

t.test('lag, with and without a sync', async (t) => {
  const head = { height: 4, hash: hash(4), stateRoot: hash(5) }
  const behind = { 4: { head, lagBlocks: 6, common: { height: 4, hash: hash(4) } } }
  const common = { common: { height: 4, hash: hash(4) } }
  const others = { 1: common, 2: common, 3: common }
  t.same(lines(network(4, { answer: { ...others, ...behind } })), [
    'problem lag: node4 lags 6 blocks behind node1 at height 4 and is not syncing',
  ])
  const late = { 4: { ...behind[4], lagBlocks: 0 } }
  t.same(lines(network(4, { answer: { ...others, ...late } })), [], 'it had them half a second later')
  const syncing = { 4: { ...behind[4], syncing: { currentBlock: 4, highestBlock: 124 } } }
  t.same(lines(network(4, { answer: { ...others, ...syncing } })), [
    'problem lag: node4 lags 120 blocks behind node1 at height 4 and is syncing from its 3 peers (block 4 of 124)',
  ])
})

t.test('different blocks at one height come first', async (t) => {
  const fork = { common: { height: 10, hash: hash(99) } }
  const said = lines(network(4, { answer: { 3: fork, 4: fork }, down: [2] }))
  t.match(
    said[0],
    /^problem fork: different final blocks at height 10: .* on node1, .* on node3 and node4; this cannot happen/,
  )
})

t.test('another chain on a port', async (t) => {
  const said = lines(network(4, { answer: { 2: { genesisHash: hash(7), chainId: 5 } } }))
  t.same(said.filter((line) => line.includes('chain:')).length, 1)
  t.match(said.join(), /node2 is a node of another chain: genesis 0x00000000…, chain id 5/)
})

t.test('stuck: the words of the node itself', async (t) => {
  const why = "view 17 waits for node2's proposal since 14 s, will be skipped in 0.9 s"
  const stuck = { stage: 'proposal', stageAgeMs: 14_000, why } as const
  t.same(lines(network(4, { consensus: { 1: stuck } })), [`problem stuck: node1: ${why}`])
  t.same(lines(network(4, { consensus: { 1: { ...stuck, stageAgeMs: 900 } } })), [], 'a view that just runs')
})

t.test('clocks', async (t) => {
  t.same(lines(network(4, { answer: { 2: { clockOffsetMs: 3_200 } } })), [
    "problem clock: node2's clock is 3.2 s ahead of the others': set it by NTP; blocks whose time is too far ahead are refused",
  ])
  t.match(lines(network(4, { answer: { 2: { clockOffsetMs: -3_200 } } })).join(), /3.2 s behind/)
  t.same(lines(network(4, { answer: { 2: { clockOffsetMs: 1_400, rttMs: 900 } } })), [], 'within what the way takes')
  const all = { clockOffsetMs: 9_000 }
  t.same(lines(network(4, { answer: { 1: all, 2: all, 3: all, 4: all } })), [], 'then it is the clock here')
})

t.test('versions and observers are notes', async (t) => {
  const said = diagnose(network(5, { observers: [5], answer: { 4: { clientVersion: 'concordat/v0.2.0/linux' } } }), {
    genesisHash: hash(1),
  })
  t.ok(isFine(said))
  t.match(
    said.map(({ text }) => text).join(),
    /versions differ: concordat v0.1.0 on node1, .* concordat v0.2.0 on node4.*node5 is no sealer/,
  )
})

const facts = (changes: Partial<MachineFacts> = {}): MachineFacts => ({
  file: 'net/node1/config.yaml',
  nodeVersion: '20.19.0',
  config: nodeConfigSchema.parse({}),
  configFault: null,
  genesis: { hash: hash(1), sealers: [address(1)] },
  genesisFault: null,
  extensionFault: null,
  address: address(1),
  keyFault: null,
  data: { dir: '/net/node1/data', exists: true, fault: null, lockedBy: null },
  journal: { dir: '/net/node1/journal', exists: true, fault: null, lockedBy: null },
  journalFault: null,
  disk: { freeBytes: 50 * 1024 ** 3, totalBytes: 100 * 1024 ** 3 },
  ports: [],
  peers: [],
  ...changes,
})

t.test('the machine of a node', async (t) => {
  const self = { address: address(1) }
  const said = (changes: Partial<MachineFacts>, running: { address: Address } | null = null) =>
    diagnoseMachine('node1', facts(changes), running).map(
      ({ severity, topic, text }) => `${severity} ${topic}: ${text}`,
    )
  const cases: [Partial<MachineFacts>, RegExp][] = [
    [{ nodeVersion: '18.20.1' }, /problem machine: Node.js 18.20.1 is too old: install 20.19.0 or later/],
    [{ nodeVersion: '20.9.0' }, /too old/],
    [{ config: null, configFault: "'rpc.port': must be a number" }, /problem config: 'rpc.port'/],
    [{ genesis: null, genesisFault: 'cannot read the genesis file' }, /problem config: cannot read the genesis file/],
    [
      { address: null, keyFault: 'node.key can be read by other users; protect it with: chmod 600' },
      /problem key: .*chmod 600/,
    ],
    [{ address: address(9) }, /note key: .* is no sealer of genesis/],
    [
      { data: { dir: '/d', exists: true, fault: 'EACCES', lockedBy: null } },
      /problem data: \/d cannot be used by this user/,
    ],
    [{ data: { dir: '/d', exists: true, fault: null, lockedBy: 42 } }, /problem data: process 42 uses \/d/],
    [
      { journal: { dir: '/j', exists: false, fault: null, lockedBy: null } },
      /note journal: \/j is missing beside .*silent until/,
    ],
    [{ journalFault: 'frame 7 is unreadable' }, /problem journal: .*frame 7 is unreadable/],
    [{ disk: { freeBytes: 5e8, totalBytes: 1e11 } }, /problem disk: 0.5 GiB of 93 GiB are free/],
    [{ disk: { freeBytes: 3e9, totalBytes: 1e11 } }, /note disk: .*make room soon/],
    [
      { ports: [{ use: 'rpc', port: 8545, fault: 'EADDRINUSE' }] },
      /problem port: rpc port 8545 is taken by another program/,
    ],
    [{ ports: [{ use: 'p2p', port: 1, fault: 'EACCES' }] }, /problem port: p2p port 1 cannot be opened \(EACCES\)/],
    [{ ports: [{ use: 'p2p', port: 1, fault: 'EADDRNOTAVAIL' }] }, /p2p.host is no address of this machine/],
    [
      { peers: [{ name: 'node2', at: '/ip4/10.0.0.2/tcp/30301/p2p/16Uiu2', fault: 'refused' }] },
      /problem peer: node2 at \/ip4\/10.0.0.2\/tcp\/30301: refused/,
    ],
  ]
  for (const [changes, expected] of cases) t.match(said(changes).join('\n'), expected, expected.source)
  t.same(said({}), [])
  t.same(said({ nodeVersion: '22.1.0' }), [])
  t.same(
    said(
      {
        data: { dir: '/d', exists: true, fault: null, lockedBy: 42 },
        ports: [{ use: 'rpc', port: 8545, fault: 'EADDRINUSE' }],
      },
      self,
    ),
    [],
    'its own lock and port',
  )
  t.match(said({ ports: [{ use: 'rpc', port: 8545, fault: 'EADDRINUSE' }] }, { address: address(2) }), [
    /is taken by the node 0x/,
  ])
})

t.test('how far the blocks below a snapshot have come', async (t) => {
  const said: string[] = []
  const out: Output = { json: false, line: (text = '') => said.push(text), table: () => {}, result: () => {} }
  const fetching = (checked: number) => ({ history: { checked, total: 12_000 } })
  printHistory(out, network(4, { answer: { 2: fetching(500), 3: fetching(0) }, down: [4] }))
  t.same(said, ['node2: history: blocks 1-500 of 12,000 checked', 'node3: history: none of 12,000 checked'])
})

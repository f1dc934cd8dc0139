/** `concordat chain`: what it refuses, with which status and words, and that a refusal changes nothing. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { asHeight, ZERO_HASH } from '../../src/core/bytes.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { FileChain, genesisText } from '../node/fileChain.js'
import { runHere } from './inProcess.js'

/** Blocks that `prune` leaves, and some more; the first ones with a transaction. */
const KEPT = 1_024
const HEAD = KEPT + 20
const dir = t.testdir({ empty: {}, text: { 'note.txt': 'no chain' } })
const at = (name: string) => join(dir, name)

const chain = await FileChain.open({ dir: at('data'), history: { recentBlocks: 4 } })
await chain.extend(12)
await chain.closeEpoch(3)
await chain.extend(1)
while (chain.height < HEAD - 1) await chain.seal([], chain.height % 64 === 0)
await chain.seal([], true)
const { hash } = chain.store.head()!
await chain.store.close()
writeFileSync(at('genesis.json'), chain.text)
writeFileSync(at('other.json'), genesisText(1_700_000_001))

const run = (...args: string[]) => runHere(dir, 'chain', ...args)

/** Each command line ends with its status and says why. */
async function refused(t: Test, cases: readonly (readonly [string, 1 | 2, RegExp])[]): Promise<void> {
  for (const [line, status, words] of cases) {
    const ended = await run(...line.split(' '))
    t.match(ended, { status, stderr: words, stdout: '' }, line)
    t.notMatch(ended.stderr, /\n\s+at /, 'no trace')
  }
}

async function done(t: Test, line: string) {
  const ended = await run(...line.split(' '), '--json')
  t.match(ended, { status: 0 }, `${line}: ${ended.stderr}`)
  return JSON.parse(ended.stdout)
}

/** While a node has the folder; in one process it takes the same path to notice. */
async function locked(t: Test, lines: readonly string[]): Promise<void> {
  const store = await ChainStore.open({ dir: at('data') })
  for (const line of lines) {
    const words = line.split(' ').map((word) => (word === 'data' ? at('data') : word))
    t.match(await run(...words), { status: 1, stderr: /another process uses .*data: stop it/ }, line)
  }
  await store.close()
}

t.test('export', async (t) => {
  await refused(t, [
    ['export', 2, /missing required argument 'file'/],
    ['export out --data data', 2, /name the genesis file: --genesis FILE/],
    ['export out --data data --genesis nowhere.json', 1, /nowhere\.json/],
    ['export out --data nowhere --genesis genesis.json', 2, /there is no folder nowhere/],
    ['export out --data empty --genesis genesis.json', 2, /empty is no data folder of a node/],
    ['export out --data text --genesis genesis.json', 2, /text is no data folder of a node/],
    ['export out --data data --genesis other.json', 2, /data holds the chain with genesis 0x\w+, not 0x/],
    ['export out --data data --genesis genesis.json --from 0', 2, /--from must be the height of a block, from 1 on/],
    ['export out --data data --genesis genesis.json --from x', 2, /--from must be the height of a block/],
    ['export out --data data --genesis genesis.json --to -1', 2, /--to must be the height of a block/],
    ['export out --data data --genesis genesis.json --to 9999', 1, /block 9999 is not final yet: the last one is 1044/],
    ['export out --data data --genesis genesis.json --from 9 --to 4', 1, /no certified block from 9 on/],
    ['export no/out --data data --genesis genesis.json', 1, /no\/out cannot be written: ENOENT/],
    ['export out --rpc http://127.0.0.1:1 --genesis genesis.json', 1, /cannot reach http:\/\/127\.0\.0\.1:1/],
  ])
  t.same(readdirSync(at('empty')), [])
  t.same(readdirSync(at('text')), ['note.txt'], 'what is no data folder stays as it is')
  await locked(t, ['export out --data data --genesis genesis.json'])
  t.notOk(readdirSync(dir).some((name) => name.startsWith('out')))
  t.match(await done(t, 'export all --data data --genesis genesis.json'), { first: 1, last: HEAD, hash })
  t.match(await done(t, 'export early --data data --genesis genesis.json --to 14'), { first: 1, last: 14 })
  t.match(await done(t, 'export late --data data --genesis genesis.json --from 13'), { first: 13, last: HEAD })
})

t.test('verify', async (t) => {
  await refused(t, [
    ['verify all', 2, /name what is trusted: --genesis FILE or --genesis-hash HASH/],
    ['verify all --genesis-hash 0x12', 2, /--genesis-hash/],
    [`verify all --genesis-hash ${ZERO_HASH}`, 1, /the file is of the chain with genesis 0x/],
    ['verify all --genesis other.json', 1, /the file is of the chain with genesis 0x/],
    ['verify nowhere --genesis genesis.json', 1, /nowhere cannot be read: ENOENT/],
    ['verify empty --genesis genesis.json', 1, /empty cannot be read: EISDIR/],
    ['verify genesis.json --genesis genesis.json', 1, /does not begin as a chain file/],
  ])
  t.match(await done(t, `verify late --genesis-hash ${chain.genesisHash}`), { first: 13, last: HEAD, hash, epoch: 1 })
})

t.test('import', async (t) => {
  await refused(t, [
    ['import all --genesis genesis.json', 2, /required option '--data <dir>'/],
    ['import all --data new', 2, /name what is trusted/],
    ['import all --genesis genesis.json --data new --recent-blocks many', 2, /--recent-blocks must be a number/],
    ['import late --genesis genesis.json --data new', 1, /begins with block 13, the folder ends with 0/],
    ['import all --genesis other.json --data new', 1, /the file is of the chain with genesis 0x/],
  ])
  await refused(t, [['import all --genesis genesis.json --data none --history', 2, /there is no folder none/]])
  await locked(t, ['import all --genesis genesis.json --data data'])
  t.match(await done(t, 'import early --genesis genesis.json --data new'), { last: 14, blocks: 14 })
  t.match(await done(t, 'import early --genesis genesis.json --data new'), { last: 14, blocks: 0 })
  t.match(await done(t, 'import all --genesis genesis.json --data data'), { last: HEAD, blocks: 0, hash })
  await FileChain.open({ dir: at('rival'), text: genesisText(1_700_000_001) }).then(({ store }) => store.close())
  await refused(t, [
    ['import all --genesis genesis.json --data rival', 1, /holds the chain with genesis 0x\w+, not 0x.*another folder/],
  ])
})

t.test('snapshot', async (t) => {
  await refused(t, [
    ['snapshot create state --data data', 2, /required option '--genesis <file>'/],
    ['snapshot create state --genesis genesis.json', 2, /required option '--data <dir>'/],
    ['snapshot create state --data text --genesis genesis.json', 2, /text is no data folder of a node/],
    ['snapshot create state --data data --genesis other.json', 1, /data does not hold the chain with genesis 0x/],
  ])
  await locked(t, ['snapshot create state --data data --genesis genesis.json'])
  t.match(await done(t, 'snapshot create state --data data --genesis genesis.json'), { height: HEAD, hash })
  await refused(t, [
    ['snapshot load state --data fresh', 2, /name what is trusted/],
    ['snapshot load state --data data --genesis genesis.json', 1, /data is not empty: name a new folder/],
    ['snapshot load all --data fresh --genesis genesis.json', 1, /all is a chain file, wanted is a snapshot/],
    ['snapshot load state --data fresh --genesis other.json', 1, /the file is of the chain with genesis 0x/],
    ['import state --data fresh --genesis genesis.json', 1, /state is a snapshot, wanted is a chain file/],
  ])
  t.notOk(readdirSync(dir).includes('fresh'))
  t.match(await done(t, 'snapshot load state --data fresh --genesis genesis.json'), { height: HEAD, hash })
})

t.test('prune', async (t) => {
  const below = `prune --data data --genesis genesis.json --blocks-below`
  const max = HEAD - KEPT
  mkdirSync(at('begun'))
  await refused(t, [
    ['prune --states', 2, /required option '--data <dir>'/],
    ['prune --data data', 2, /say what is to go: --states, or --blocks-below HEIGHT with --exported FILE/],
    ['prune --data data --exported all', 2, /say what is to go/],
    ['prune --data data --blocks-below 10', 2, /what is removed must be in a file: --exported FILE/],
    [`${below} 0 --exported all`, 2, /--blocks-below must be the height of a block, from 1 on/],
    [`${below} ten --exported all`, 2, /--blocks-below must be the height of a block/],
    ['prune --data data --blocks-below 10 --exported all', 2, /name what is trusted/],
    ['prune --data nowhere --states', 2, /there is no folder nowhere/],
    ['prune --data text --states', 2, /text is no data folder of a node/],
    ['prune --data begun --states', 2, /begun is no data folder of a node/],
    [`${below} ${max + 1} --exported all`, 1, new RegExp(`the last 1024 blocks stay: --blocks-below may be ${max} at`)],
    [`${below} 16 --exported early`, 1, /early holds blocks 1 to 14, to be removed are 1 to 15/],
    [`${below} 16 --exported late`, 1, /late holds blocks 13 to 1044, to be removed are 1 to 15/],
    [`${below} 10 --exported nowhere`, 1, /nowhere cannot be read/],
    [`${below} 10 --exported state`, 1, /state is a snapshot, wanted is a chain file/],
    [
      'prune --data data --genesis other.json --blocks-below 10 --exported all',
      1,
      /the folder is not of the chain with genesis 0x/,
    ],
    ['prune --data rival --genesis other.json --blocks-below 1 --exported all', 1, /--blocks-below may be 0 at most/],
  ])
  const bad = readFileSync(at('all'))
  bad[bad.length >> 1]! ^= 1
  writeFileSync(at('bad'), bad)
  await refused(t, [[`${below} 10 --exported bad`, 1, /record \d+ at byte \d+ of bad is damaged/]])
  await locked(t, ['prune --data data --states', `${below} 10 --exported all`])
  t.match(await done(t, 'export again --data data --genesis genesis.json'), { first: 1, hash }, 'nothing is gone yet')

  t.match(await done(t, `${below} 10 --exported early`), { blocks: 9, records: 0, oldestBlock: 10 })
  t.match(await done(t, `${below} 10 --exported early`), { blocks: 0, oldestBlock: 10 }, 'a second time')
  t.match(await done(t, `${below} 15 --exported early`), { blocks: 5, oldestBlock: 15 }, 'the rest of the file')
  t.match(await done(t, `${below} ${max} --exported late`), { blocks: max - 15, oldestBlock: max })
  const states = await done(t, 'prune --data data --states')
  t.ok(states.records > 0)
  t.match(await done(t, 'prune --data data --states'), { blocks: 0, records: 0, oldestBlock: max })
  await refused(t, [
    [
      'export out --data data --genesis genesis.json',
      1,
      /block 1 is not kept there any more, or not yet: ask another node/,
    ],
  ])
  t.match(await done(t, `export rest --data data --genesis genesis.json --from ${max}`), {
    first: max,
    last: HEAD,
    hash,
  })
  t.match(await done(t, 'verify rest --genesis genesis.json'), { first: max, last: HEAD, hash })
  t.match(await done(t, 'import all --data data --genesis genesis.json --history'), { blocks: max - 1 })
  t.match(await done(t, 'import all --data data --genesis genesis.json --history'), { blocks: 0 })
  const store = await ChainStore.open({ dir: at('data') })
  t.equal(store.oldestBlock(), 1)
  t.equal(store.canonicalHash(asHeight(HEAD)), hash)
  t.ok(store.blockByNumber(asHeight(1))!.transactions.length > 0)
  await store.close()
})

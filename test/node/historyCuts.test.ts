/** The power goes at each write of a history that is being fetched: what is on disk then is proved, and the rest follows. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { asHeight, type Height } from '../../src/core/bytes.js'
import { MemoryHub } from '../../src/p2p/memoryNetwork.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { pruneBlocks } from '../../src/state/prune.js'
import { openLevelStore } from '../../src/state/store/level.js'
import { type Cut, CutDisk } from '../support/cutDisk.js'
import { asker, SNAPSHOT, same, serveByBlock, snapshotWorld, until, type World } from './historyWorld.js'

const heights: readonly Height[] = Array.from({ length: SNAPSHOT }, (_, i) => asHeight(i + 1))
const CUTS: readonly Cut[] = ['before the write', 'after the write']

/** What stands in the folder of a node that was cut off: every block all or not at all, and as it is where it was executed. */
function consistent(
  t: Test,
  found: ChainStore,
  full: ChainStore,
): { readonly checked: number; readonly there: number } {
  const checked = found.oldestBlock() === 1 ? SNAPSHOT : found.fetchedBlock()!
  if (checked < SNAPSHOT) t.equal(found.oldestBlock(), SNAPSHOT + 1, 'nothing counts before all is there')
  let there = 0
  for (const height of heights) {
    const receipts = found.rawReceipts(height)
    if (receipts === undefined) {
      t.ok(height > checked, `block ${height} is not said to be there`)
      t.equal(found.blockByNumber(height), undefined, 'nor half of it')
      continue
    }
    there++
    t.same(found.blockByNumber(height), full.blockByNumber(height))
    t.same(receipts, full.rawReceipts(height))
    t.same(found.certificate(height), full.certificate(height))
    t.equal(found.heightOf(full.canonicalHash(height)!), height)
    for (const { hash } of full.blockByNumber(height)!.transactions)
      t.match(found.transactionLocation(hash), { height })
  }
  return { checked, there }
}

/** A world whose fresh node has a folder of its own, as it was before anything was fetched. */
function again(t: Test, world: World): World {
  const fresh = join(t.testdir(), 'fresh')
  cpSync(world.fresh, fresh, { recursive: true })
  return { ...world, fresh }
}

/** Runs a node until its disk fails or its history is whole. */
async function run(t: Test, world: World, writes: number, cut: Cut) {
  const hub = new MemoryHub()
  let disk: CutDisk | undefined
  const node = await asker(t, hub, world, {
    disk: (store) => {
      disk = new CutDisk(store, writes, cut)
      return disk
    },
  })
  const { asked } = await serveByBlock(t, hub, 1, world)
  node.history.start()
  await until('the history, or the cut', () => node.fatal.length > 0 || node.history.status() === undefined)
  await node.stop()
  t.same(node.faults, [])
  return { asked, fatal: node.fatal, isOff: disk!.isOff }
}

t.test('cut at each of its writes', async (t) => {
  const world = await snapshotWorld(t)
  for (const cut of CUTS) {
    const seen = new Set<number>()
    let isHalf = false
    let reached = 0
    let writes = 0
    for (let isOff = true; isOff; writes++) {
      await t.test(`${cut} ${writes + 1}`, async (t) => {
        const own = again(t, world)
        const first = await run(t, own, writes, cut)
        isOff = first.isOff
        if (isOff) t.match(first.fatal, [{ code: 'FAILED', message: /the power is gone/ }])
        const { store, stop } = await asker(t, new MemoryHub(), own)
        const { checked, there } = consistent(t, store, own.store)
        await stop()
        t.ok(checked >= reached, 'never less than an earlier cut left')
        reached = checked
        seen.add(checked)
        isHalf ||= there > checked
        const second = await run(t, own, Number.POSITIVE_INFINITY, cut)
        t.same(second.asked, checked === SNAPSHOT ? [] : second.asked.filter((from) => from > checked), 'goes on there')
        const whole = await asker(t, new MemoryHub(), own)
        same(t, whole.store, own.store)
        await whole.stop()
      })
    }
    t.ok(writes > SNAPSHOT / 2, `${writes} writes`)
    t.same([...seen].sort(), [0, 4, SNAPSHOT], 'the ends of epochs')
    t.ok(isHalf, 'ranges were cut in the middle')
  }
})

t.test('a removal of what was fetched, cut at each of its writes', async (t) => {
  const world = await snapshotWorld(t)
  // Two blocks of the first range.
  await run(t, world, 2, 'before the write')
  const there = (chain: ChainStore) => heights.filter((height) => chain.rawReceipts(height) !== undefined)
  for (const cut of CUTS) {
    for (const writes of [0, 1, 2]) {
      await t.test(`${cut} ${writes + 1}`, async (t) => {
        const { fresh } = again(t, world)
        const prune = async (left: number) => {
          const store = new CutDisk(await openLevelStore(fresh), left, cut)
          const chain = await ChainStore.open({ store })
          if (left <= writes) t.same(there(chain), [1, 2])
          await pruneBlocks(store, chain, asHeight(SNAPSHOT + 1)).catch((error) => t.match(error, /the power is gone/))
          await store.close()
          return store.isOff
        }
        t.equal(await prune(writes), writes < 2)
        t.equal(await prune(Number.POSITIVE_INFINITY), false)
        const chain = await ChainStore.open({ dir: fresh })
        t.same(there(chain), [], 'nothing is left over')
        t.equal(chain.fetchedBlock(), undefined, 'and nothing is fetched again')
        t.equal(chain.oldestBlock(), SNAPSHOT + 1)
        await chain.close()
      })
    }
  }
})

/** Failing writes and syncs and full disks under chain files and snapshots: no half file under its name, and what was there stays. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { builtinExtensions } from '../../src/consensus/extensions.js'
import { asHeight } from '../../src/core/bytes.js'
import { exportChain, storeSource } from '../../src/node/chainFile/export.js'
import { importHistory } from '../../src/node/chainFile/history.js'
import { importChain, verifyChainFile } from '../../src/node/chainFile/importer.js'
import { createSnapshot, loadSnapshot } from '../../src/node/chainFile/snapshot.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { type Fault, FaultyFiles } from '../support/faultyFiles.js'
import { SmallDisk, whyNoSmallDisk } from '../support/smallDisk.js'
import { FileChain } from './fileChain.js'
import { transfer } from './world.js'

const KIB = 1024
const BLOCKS = 24
const extensions = builtinExtensions

/** Blocks of about 100 KiB in folder `dir`, whose file takes several writes. */
async function largeBlocks(dir: string): Promise<FileChain> {
  const chain = await FileChain.open({ dir })
  for (let nonce = 0; nonce < BLOCKS; nonce++) {
    const data = new Uint8Array(100 * KIB).fill(nonce)
    await chain.seal([transfer(nonce, { data, gasLimit: 5_000_000n })], true)
  }
  return chain
}

/** What `write` leaves under each fault of its file: nothing but what was there before, unless the file is whole. */
async function underFaults(
  t: Test,
  path: string,
  write: () => Promise<unknown>,
  isWhole: () => Promise<unknown>,
): Promise<void> {
  const faults = await FaultyFiles.install(t)
  const folder = join(path, '..')
  for (const kind of ['sync', 'write'] as const satisfies readonly Fault[]) {
    let failures = 0
    for (let isDone = false; !isDone; failures++) {
      writeFileSync(path, 'what was there before')
      faults.begin(kind, failures)
      const fault = await write().then(
        () => undefined,
        (error) => error,
      )
      faults.end()
      isDone = fault === undefined
      t.same(readdirSync(folder), [path.slice(folder.length + 1)], 'nothing else is left')
      if (isDone || /its folder could not be synced/.test(fault.message)) await isWhole()
      else {
        t.match(fault, { code: 'WRITE_FAILED', message: /could not be written \((EIO|ENOSPC).*\): make room/ })
        t.equal(readFileSync(path, 'utf8'), 'what was there before')
      }
    }
    t.ok(failures > 1, `${kind}: ${failures - 1} faults`)
  }
}

t.test('a file that cannot be written', async (t) => {
  const dir = t.testdir({ data: {}, out: {} })
  const [data, path] = [join(dir, 'data'), join(dir, 'out', 'file')]
  const chain = await largeBlocks(data)
  const { genesis, genesisHash } = chain
  const head = chain.store.head()!.hash
  await t.test('export', (t) =>
    underFaults(
      t,
      path,
      () => exportChain(storeSource(chain.store), { path, genesis }),
      async () => t.match(await verifyChainFile({ path, genesisHash, extensions }), { last: BLOCKS, hash: head }),
    ),
  )
  await chain.store.close()
  let loads = 0
  await t.test('snapshot', (t) =>
    underFaults(
      t,
      path,
      () => createSnapshot(data, { path, genesis }),
      async () => {
        const fresh = join(dir, `fresh${++loads}`)
        t.match(await loadSnapshot({ path, genesisHash, extensions, dataDir: fresh }), { hash: head })
      },
    ),
  )
  const store = await ChainStore.open({ dir: data })
  t.equal(store.head()!.hash, head, 'the folder it was taken from is as it was')
  await store.close()
  const [nowhere, folder] = [join(dir, 'no', 'file'), join(dir, 'out')]
  await t.rejects(createSnapshot(data, { path: nowhere, genesis }), { code: 'UNREADABLE', message: /ENOENT/ })
  await t.rejects(verifyChainFile({ path: folder, genesisHash, extensions }), { code: 'UNREADABLE', message: /EISDIR/ })
  await t.rejects(verifyChainFile({ path: nowhere, genesisHash, extensions }), { code: 'UNREADABLE' })
})

t.test('a full disk', { skip: whyNoSmallDisk() }, async (t) => {
  const dir = t.testdir({ data: {}, out: {} })
  const at = (name: string) => join(dir, name)
  const chain = await largeBlocks(at('data'))
  const { genesis, genesisHash } = chain
  const head = chain.store.head()!.hash
  const [file, state] = [at('chain'), at('state')]
  await exportChain(storeSource(chain.store), { path: file, genesis })
  await chain.store.close()
  await createSnapshot(at('data'), { path: state, genesis })
  const small = (name: string, bytes: number) => {
    const disk = SmallDisk.mount(at(name), bytes)
    t.teardown(() => disk.unmount())
    return disk
  }
  const headOf = async (name: string) => {
    const store = await ChainStore.open({ dir: at(name) })
    const found = store.head()
    await store.close()
    return found
  }

  await t.test('under the file', async (t) => {
    const disk = small('out', 600 * KIB)
    const store = await ChainStore.open({ dir: at('data') })
    await t.rejects(exportChain(storeSource(store), { path: at('out/chain'), genesis }), {
      code: 'WRITE_FAILED',
      message: /out\/chain could not be written \(ENOSPC.*\): make room, or name another place/,
    })
    await store.close()
    t.same(readdirSync(at('out')), [])
    disk.unmount()
  })

  await t.test('under an import, which goes on when there is room', async (t) => {
    const disk = small('restored', 1_200 * KIB)
    const plan = { path: file, genesisHash, extensions, dataDir: at('restored'), history: { recentBlocks: 2 } }
    await t.rejects(importChain(plan), {
      code: 'WRITE_FAILED',
      message: /restored could not be written \(.*[Nn]o space left.*\): make room, then import again/,
    })
    disk.unmount()
    const reached = (await headOf('restored'))!.height
    t.ok(reached > 2 && reached < BLOCKS, `block ${reached}`)
    t.match(await importChain(plan), { blocks: BLOCKS - reached, hash: head })
  })

  await t.test(
    'under a snapshot that is loaded: no chain is there, and nothing takes the folder for one',
    async (t) => {
      const disk = small('loaded', 60 * KIB)
      const plan = { path: state, genesisHash, extensions, dataDir: at('loaded') }
      await t.rejects(loadSnapshot(plan), {
        code: 'WRITE_FAILED',
        message: /loaded could not be written \(.*[Nn]o space left.*\): make room, delete that folder, then load again/,
      })
      disk.unmount()
      t.equal(await headOf('loaded'), undefined)
      rmSync(at('loaded'), { recursive: true })
      t.match(await loadSnapshot(plan), { hash: head })
    },
  )

  await t.test('under the folder from which a snapshot is taken', async (t) => {
    const disk = small('data', 8 * KIB * KIB)
    const filler = at('data/filler')
    writeFileSync(filler, new Uint8Array(8 * KIB * KIB - sizeOf(at('data'))).fill(1), { flag: 'w' })
    await createSnapshot(at('data'), { path: state, genesis }).catch((error) => t.match(error, { code: 'NOT_OPENED' }))
    rmSync(filler)
    disk.unmount()
    t.match(await headOf('data'), { hash: head, height: BLOCKS })
  })

  await t.test('under the blocks below a snapshot', async (t) => {
    const disk = small('loaded', 1_200 * KIB)
    const plan = { path: file, genesisHash, extensions, dataDir: at('loaded') }
    await t.rejects(importHistory(plan), { code: 'WRITE_FAILED' })
    disk.unmount()
    t.equal((await headOf('loaded'))!.height, BLOCKS)
    t.equal(await importHistory(plan), BLOCKS - 1)
    t.equal(existsSync(at('loaded.history')), false)
    const store = await ChainStore.open({ dir: at('loaded') })
    t.equal(store.oldestBlock(), asHeight(1))
    await store.close()
  })
})

function sizeOf(dir: string): number {
  // Each file takes whole pages.
  return readdirSync(dir).reduce((sum, name) => sum + 4 * KIB * Math.ceil(statSync(join(dir, name)).size / 4 / KIB), 0)
}

/** Chain files: whatever a node exports imports into an equal chain, and nothing else does. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { builtinExtensions } from '../../src/consensus/extensions.js'
import { asHeight, type Hash, type Height } from '../../src/core/bytes.js'
import { exportChain, storeSource } from '../../src/node/chainFile/export.js'
import { KIND, RECORD, type RecordType } from '../../src/node/chainFile/format.js'
import { importHistory } from '../../src/node/chainFile/history.js'
import { importChain, verifyChainFile } from '../../src/node/chainFile/importer.js'
import { ChainFileReader } from '../../src/node/chainFile/reader.js'
import { createSnapshot, loadSnapshot } from '../../src/node/chainFile/snapshot.js'
import { ChainFileWriter } from '../../src/node/chainFile/writer.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { pruneBlocks, pruneStates } from '../../src/state/prune.js'
import { openLevelStore } from '../../src/state/store/level.js'
import { FileChain, genesisText } from './fileChain.js'
import { accounts } from './world.js'

const extensions = builtinExtensions

/** Nine blocks in two epochs. */
async function nineBlocks(): Promise<FileChain> {
  const chain = await FileChain.open()
  await chain.extend(3)
  await chain.closeEpoch(3)
  await chain.extend(5)
  return chain
}

function fileOf(t: Test): string {
  return join(t.testdir(), 'chain.cdcf')
}

const exportTo = (chain: FileChain, path: string, range: { from?: Height; to?: Height } = {}) =>
  exportChain(storeSource(chain.store), { path, genesis: chain.genesis, ...range })

const importFrom = (path: string, genesisHash: Hash, dataDir: string, archive = false) =>
  importChain({ path, genesisHash, extensions, dataDir, history: { recentBlocks: 2, archive } })

t.test('export, verify, import: the same chain, its states with it', async (t) => {
  const chain = await nineBlocks()
  const folder = t.testdir()
  const path = join(folder, 'chain.cdcf')
  const exported = await exportTo(chain, path)
  t.match(exported, { first: 1, last: 9, hash: chain.store.head()!.hash, bytes: statSync(path).size })
  const { genesisHash } = chain
  t.match(await verifyChainFile({ path, genesisHash, extensions }), {
    first: 1,
    last: 9,
    hash: exported.hash,
    epoch: 1,
  })
  const dir = join(folder, 'data')
  t.match(await importFrom(path, genesisHash, dir, true), { first: 1, last: 9, hash: exported.hash, blocks: 9 })
  t.match(await importFrom(path, genesisHash, dir, true), { blocks: 0 }, 'a second time there is nothing to do')
  const store = await ChainStore.open({ dir, history: { recentBlocks: 2, archive: true } })
  t.teardown(() => store.close())
  t.equal(store.head()!.hash, exported.hash)
  t.equal(store.head()!.header.stateRoot, chain.store.head()!.header.stateRoot)
  t.same(store.certificate(asHeight(4)), chain.store.certificate(asHeight(4)))
  t.same(store.receipts(asHeight(4)), chain.store.receipts(asHeight(4)))
  t.equal(store.meta('journal'), undefined, 'nothing is said of votes')
  t.equal(store.oldestState(), 0, 'an archive from genesis on')
  t.equal(store.stateAt(asHeight(3))!.account(accounts[0]!)?.nonce, 3n)
})

t.test('parts of a chain: a later file proves its own epoch, and goes on where the folder ends', async (t) => {
  const chain = await nineBlocks()
  const dir = t.testdir()
  const [early, late] = [join(dir, 'early'), join(dir, 'late')]
  await exportTo(chain, early, { to: asHeight(6) })
  await exportTo(chain, late, { from: asHeight(6) })
  const { genesisHash } = chain
  t.match(await verifyChainFile({ path: late, genesisHash, extensions }), { first: 6, last: 9, epoch: 1 })
  const data = join(dir, 'data')
  await t.rejects(importFrom(late, genesisHash, data), {
    code: 'GAP',
    message: /begins with block 6, the folder ends with 0/,
  })
  t.match(await importFrom(early, genesisHash, data), { blocks: 6 })
  t.match(await importFrom(late, genesisHash, data), { blocks: 3, last: 9 }, 'block 6 is passed over')
  await t.rejects(exportTo(chain, late, { from: asHeight(10) }), { code: 'REFUSED' })
  await t.rejects(exportTo(chain, late, { to: asHeight(10) }), { code: 'REFUSED', message: /not final yet/ })
})

t.test('an export ends with a block that has a certificate of its own', async (t) => {
  const chain = await FileChain.open()
  await chain.extend(2)
  await chain.seal([], false)
  t.match(await exportTo(chain, fileOf(t)), { first: 1, last: 2 })
})

t.test('another chain is refused', async (t) => {
  const chain = await nineBlocks()
  const folder = t.testdir()
  const path = join(folder, 'chain')
  await exportTo(chain, path)
  const other = await FileChain.open({ text: genesisText(1_700_000_001) })
  const trusted = other.genesisHash
  await t.rejects(verifyChainFile({ path, genesisHash: trusted, extensions }), { code: 'OTHER_CHAIN' })
  // The header says what is trusted, the genesis in it is another.
  const forged = join(folder, 'forged')
  await exportChain(storeSource(chain.store), { path: forged, genesis: { ...chain.genesis, hash: trusted } })
  await t.rejects(verifyChainFile({ path: forged, genesisHash: trusted, extensions }), { code: 'OTHER_CHAIN' })
  const mixed = join(folder, 'mixed')
  await exportChain(storeSource(chain.store), { path: mixed, genesis: other.genesis })
  await t.rejects(verifyChainFile({ path: mixed, genesisHash: trusted, extensions }), {
    code: 'INVALID',
    message: /record 2 at byte \d+ of .*HEADER_LINK: block 1 does not follow block 0/,
  })
})

t.test('any flipped byte, cut or copied record is found where it stands', async (t) => {
  const chain = await nineBlocks()
  const dir = t.testdir()
  const [good, bad] = [join(dir, 'good'), join(dir, 'bad')]
  await exportTo(chain, good)
  const bytes = readFileSync(good)
  const codeOf = async (changed: Uint8Array): Promise<unknown> => {
    writeFileSync(bad, changed)
    return verifyChainFile({ path: bad, genesisHash: chain.genesisHash, extensions }).then(
      () => 'taken',
      (error) => error.code,
    )
  }
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
      const changed = Uint8Array.from(bytes)
      changed[at]! ^= mask
      return ['DAMAGED', 'NOT_A_CHAIN_FILE'].includes((await codeOf(changed)) as string)
    }),
    { numRuns: 150 },
  )
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), async (length) => {
      const code = await codeOf(bytes.subarray(0, length))
      return code === 'DAMAGED' || (length < 68 && code === 'NOT_A_CHAIN_FILE')
    }),
    { numRuns: 60 },
  )
  t.equal(await codeOf(Buffer.concat([bytes, bytes.subarray(-47)])), 'DAMAGED', 'nothing may follow the end')
  t.equal(await codeOf(bytes), 'taken')
})

t.test('what a torn file held before the tear is kept, and the rest follows', async (t) => {
  const chain = await nineBlocks()
  const dir = t.testdir()
  const [good, torn, data] = [join(dir, 'good'), join(dir, 'torn'), join(dir, 'data')]
  await exportTo(chain, good)
  const bytes = readFileSync(good)
  writeFileSync(torn, bytes.subarray(0, Math.floor(bytes.length * 0.8)))
  await t.rejects(importFrom(torn, chain.genesisHash, data), {
    code: 'DAMAGED',
    message: /record \d+ at byte \d+ of .*is cut off/,
  })
  const store = await ChainStore.open({ dir: data })
  const reached = store.head()!.height
  await store.close()
  t.ok(reached > 0 && reached < 9, `block ${reached}`)
  t.match(await importFrom(good, chain.genesisHash, data), { blocks: 9 - reached, last: 9 })
})

t.test('certificates and bodies are checked, not only checksums', async (t) => {
  const chain = await nineBlocks()
  const path = fileOf(t)
  const real = storeSource(chain.store)
  const write = (block: typeof real.block) =>
    exportChain({ ...real, block }, { path, genesis: chain.genesis }).then(() =>
      verifyChainFile({ path, genesisHash: chain.genesisHash, extensions }),
    )
  await t.rejects(
    write(async (height) => {
      const one = (await real.block(height))!
      return height === 4 ? { ...one, certificate: chain.store.certificate(asHeight(2))! } : one
    }),
    { code: 'INVALID', message: /HEADER_CERTIFICATE: not of block 4/ },
  )
  await t.rejects(
    write(async (height) => (await real.block(height === 7 ? asHeight(6) : height))!),
    { code: 'INVALID', message: /block 6 in place of block 7/ },
  )
  await t.rejects(
    write(async (height) => {
      const one = (await real.block(height))!
      return height === 4 ? { ...one, certificate: new Uint8Array(0) } : one
    }),
    { code: 'INVALID', message: /closes epoch 0 and has no certificate of its own/ },
  )
})

/** A copy of a snapshot in which `change` may replace or drop the payload of each record; checksums are made anew. */
async function rewritten(
  from: string,
  to: string,
  change: (type: RecordType, payload: Uint8Array) => Uint8Array | undefined,
): Promise<void> {
  const reader = await ChainFileReader.open(from, KIND.snapshot)
  const writer = await ChainFileWriter.create(to, reader.header)
  const records = reader.read()
  for (;;) {
    const next = await records.next()
    if (next.done) {
      await writer.finish(next.value)
      break
    }
    const payload = change(next.value.type, next.value.payload)
    if (payload !== undefined) await writer.add(next.value.type, payload)
  }
  await reader.close()
}

t.test('a snapshot: created, loaded, and the chain goes on from it', async (t) => {
  const chain = await nineBlocks()
  const dir = t.testdir()
  const at = (name: string) => join(dir, name)
  const { genesisHash, genesis } = chain
  await exportTo(chain, at('first'))
  await importFrom(at('first'), genesisHash, at('full'))
  const created = await createSnapshot(at('full'), { path: at('state'), genesis })
  t.match(created, { height: 9, hash: chain.store.head()!.hash, stateRoot: chain.store.head()!.header.stateRoot })
  const load = (path: string, dataDir: string, trusted = genesisHash) =>
    loadSnapshot({ path, genesisHash: trusted, extensions, dataDir })
  const { bytes, ...same } = created
  t.match(await load(at('state'), at('fresh')), same)
  await chain.extend(3)
  await exportTo(chain, at('second'), { from: asHeight(10) })
  t.match(await importFrom(at('second'), genesisHash, at('fresh')), { blocks: 3, hash: chain.store.head()!.hash })
  const store = await ChainStore.open({ dir: at('fresh') })
  t.equal(store.head()!.header.stateRoot, chain.store.head()!.header.stateRoot)
  t.equal(store.oldestBlock(), 9)
  t.same(store.blockByNumber(asHeight(9)), chain.store.blockByNumber(asHeight(9)))
  t.same(store.receipts(asHeight(9)), chain.store.receipts(asHeight(9)))
  t.equal(store.blockByNumber(asHeight(8)), undefined)
  t.ok(store.headerByNumber(asHeight(4)), 'the header that lists the sealers of the second epoch')
  await store.close()

  // Later the blocks below follow from a file that reaches the snapshot.
  const fill = (path: string) => importHistory({ path, genesisHash, extensions, dataDir: at('fresh') })
  await exportTo(chain, at('short'), { to: asHeight(6) })
  await t.rejects(fill(at('short')), { code: 'GAP', message: /ends with block 6, the folder begins with 9/ })
  t.equal(await fill(at('first')), 8)
  t.equal(await fill(at('first')), 0)
  const filled = await ChainStore.open({ dir: at('fresh') })
  t.equal(filled.oldestBlock(), 1)
  t.equal(filled.head()!.height, 12)
  for (const height of [1, 4, 8].map(asHeight)) {
    t.same(filled.blockByNumber(height), chain.store.blockByNumber(height))
    t.same(filled.receipts(height), chain.store.receipts(height))
    t.same(filled.certificate(height), chain.store.certificate(height))
    const { hash } = chain.store.blockByNumber(height)!.transactions[0]!
    t.match(filled.transactionLocation(hash), { height })
  }
  await filled.close()

  await t.rejects(load(at('state'), at('full')), { code: 'REFUSED', message: /is not empty/ })
  await t.rejects(load(at('first'), at('no')), {
    code: 'NOT_A_CHAIN_FILE',
    message: /is a chain file, wanted is a snapshot/,
  })
  const other = await FileChain.open({ text: genesisText(1_700_000_001) })
  await t.rejects(load(at('state'), at('no'), other.genesisHash), { code: 'OTHER_CHAIN' })

  const tries: [string, Parameters<typeof rewritten>[2], RegExp][] = [
    [
      'a slot',
      (type, payload) => (type === RECORD.slots ? flipped(payload, payload.length - 1) : payload),
      /has root 0x/,
    ],
    ['an account', (type, payload) => (type === RECORD.account ? flipped(payload, 0) : payload), /has root 0x/],
    ['a slot left out', (type, payload) => (type === RECORD.slots ? payload.subarray(64) : payload), /has root 0x/],
    ['an epoch left out', (type, payload) => (type === RECORD.epoch ? undefined : payload), /HEADER_EPOCH/],
    [
      'a certificate',
      (type, payload) => (type === RECORD.head ? flipped(payload, payload.length - 1) : payload),
      /record 3 at/,
    ],
    [
      'a receipt',
      (type, payload) => (type === RECORD.receipts ? flipped(payload, payload.length - 1) : payload),
      /receipts|record 4/,
    ],
  ]
  for (const [i, [what, change, message]] of tries.entries()) {
    await rewritten(at('state'), at('bad'), change)
    await t.rejects(load(at('bad'), at(`no${i}`)), { code: 'INVALID', message }, what)
    const folder = await ChainStore.open({ dir: at(`no${i}`) })
    t.equal(folder.head(), undefined, 'no chain is left behind')
    await folder.close()
  }
})

function flipped(payload: Uint8Array, at: number): Uint8Array {
  const changed = payload.slice()
  changed[at]! ^= 1
  return changed
}

t.test('pruned blocks are gone but for headers and certificates; past states too', async (t) => {
  const chain = await nineBlocks()
  const dir = t.testdir()
  const [file, data] = [join(dir, 'file'), join(dir, 'data')]
  await exportTo(chain, file)
  await importFrom(file, chain.genesisHash, data, true)
  const store = await openLevelStore(data)
  const pruned = await ChainStore.open({ store, history: { recentBlocks: 2, archive: true } })
  t.equal(pruned.oldestState(), 0)
  const gone = pruned.blockByNumber(asHeight(3))!.transactions[0]!.hash
  t.equal(await pruneBlocks(store, pruned, asHeight(5)), 4)
  t.equal(pruned.oldestBlock(), 5)
  t.equal(pruned.blockByNumber(asHeight(4)), undefined)
  t.equal(pruned.receipts(asHeight(4)), undefined)
  t.equal(pruned.transactionLocation(gone), undefined)
  t.same(pruned.headerByNumber(asHeight(4)), chain.store.headerByNumber(asHeight(4)))
  t.ok(pruned.certificate(asHeight(4))!.length > 0)
  t.same(pruned.blockByNumber(asHeight(5)), chain.store.blockByNumber(asHeight(5)))
  await t.rejects(exportChain(storeSource(pruned), { path: file, genesis: chain.genesis }), {
    code: 'REFUSED',
    message: /block 1 is not kept there any more/,
  })
  t.equal(await pruneBlocks(store, pruned, asHeight(5)), 0)
  t.ok((await pruneStates(store)) > 0)
  await pruned.close()
  const again = await ChainStore.open({ dir: data, history: { recentBlocks: 2 } })
  t.equal(again.oldestState(), 9)
  await again.close()
})

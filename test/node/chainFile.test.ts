/** Chain files: whatever a node exports imports into an equal chain, and nothing else does. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { decodeCertificate, encodeCertificate } from '../../src/consensus/codec.js'
import { builtinExtensions } from '../../src/consensus/extensions.js'
import type { Certificate } from '../../src/consensus/types.js'
import { asHeight, EMPTY_BYTES, type Hash, type Height, ZERO_HASH } from '../../src/core/bytes.js'
import { exportChain, storeSource } from '../../src/node/chainFile/export.js'
import { type FileHeader, KIND, type Kind, RECORD, type RecordType } from '../../src/node/chainFile/format.js'
import { importHistory } from '../../src/node/chainFile/history.js'
import { importChain, verifyChainFile } from '../../src/node/chainFile/importer.js'
import { ChainFileReader } from '../../src/node/chainFile/reader.js'
import { createSnapshot, loadSnapshot } from '../../src/node/chainFile/snapshot.js'
import { ChainFileWriter } from '../../src/node/chainFile/writer.js'
import { voteSigner } from '../../src/node/votes.js'
import { ChainStore } from '../../src/state/chainStore.js'
import { pruneBlocks, pruneStates } from '../../src/state/prune.js'
import { openLevelStore } from '../../src/state/store/level.js'
import { FileChain, genesisText } from './fileChain.js'
import { accountKeys, accounts, CHAIN_ID } from './world.js'

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
  const certified = (change: (certificate: Certificate) => Certificate) =>
    write(async (height) => {
      const one = (await real.block(height))!
      return height === 4 ? { ...one, certificate: encodeCertificate(change(decodeCertificate(one.certificate))) } : one
    })
  await t.rejects(
    certified(({ signers, signatures, ...rest }) => ({
      ...rest,
      signers: signers.slice(0, 2),
      signatures: signatures.slice(0, 2),
    })),
    { code: 'INVALID', message: /HEADER_CERTIFICATE/ },
    'by too few',
  )
  await t.rejects(
    certified(({ signatures, ...rest }) => {
      const vote = { kind: rest.kind, epoch: rest.epoch, view: rest.view, block: rest.block }
      const stranger = voteSigner({ chainId: CHAIN_ID, genesisHash: chain.genesisHash }, accountKeys[0]!)(vote)
      return { ...rest, signatures: [...signatures.slice(0, -1), stranger] }
    }),
    { code: 'INVALID', message: /HEADER_CERTIFICATE/ },
    'by a stranger',
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

type Records = readonly (readonly [RecordType, Uint8Array])[]

interface Changes {
  readonly kind?: Kind
  readonly header?: Partial<FileHeader>
  readonly records?: (records: Records) => Records
  readonly end?: Hash
}

/** A copy of a file with other records or another header; checksums are made anew. */
async function rewritten(from: string, to: string, changes: Changes): Promise<void> {
  const reader = await ChainFileReader.open(from, changes.kind ?? KIND.chain)
  const found: [RecordType, Uint8Array][] = []
  const records = reader.read()
  let next = await records.next()
  for (; !next.done; next = await records.next()) found.push([next.value.type, next.value.payload])
  const writer = await ChainFileWriter.create(to, { ...reader.header, ...changes.header })
  for (const [type, payload] of changes.records?.(found) ?? found) await writer.add(type, payload)
  await writer.finish(changes.end ?? next.value)
  await reader.close()
}

/** Changes or drops the payloads of one type. */
const each =
  (wanted: RecordType, change: (payload: Uint8Array) => Uint8Array | undefined) =>
  (records: Records): Records =>
    records.flatMap(([type, payload]) => {
      const changed = type === wanted ? change(payload) : payload
      return changed === undefined ? [] : [[type, changed] as const]
    })

/** A folder `full` that has nine blocks, and where files go beside it. */
async function fullFolder(t: Test) {
  const chain = await nineBlocks()
  const dir = t.testdir()
  const at = (name: string) => join(dir, name)
  await exportTo(chain, at('first'))
  await importFrom(at('first'), chain.genesisHash, at('full'))
  return { chain, at }
}

t.test('a snapshot: created, loaded, and the chain goes on from it', async (t) => {
  const { chain, at } = await fullFolder(t)
  const { genesisHash, genesis } = chain
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

  const tries: [string, Changes['records'], RegExp][] = [
    ['a slot', each(RECORD.slots, (payload) => flipped(payload, payload.length - 1)), /has root 0x/],
    ['an account', each(RECORD.account, (payload) => flipped(payload, 0)), /has root 0x/],
    ['a slot left out', each(RECORD.slots, (payload) => payload.subarray(64)), /has root 0x/],
    ['all slots left out', each(RECORD.slots, () => undefined), /has root 0x/],
    ['an account left out', (records) => records.toSpliced(lastAt(records, RECORD.account), 1), /has root 0x/],
    [
      'an account too many',
      (records) => [...records, [RECORD.account, payloadOf(records, RECORD.account).fill(7, 0, 20)]],
      /has root 0x/,
    ],
    ['slots before any account', each(RECORD.account, () => undefined), /slots stand before any account/],
    ['half a slot', each(RECORD.slots, (payload) => payload.subarray(32)), /has no place in a state/],
    ['a code left out', each(RECORD.code, () => undefined), /record \d+ .*code 0x\w+ is missing/],
    ['a code', each(RECORD.code, (payload) => flipped(payload, 0)), /code 0x\w+ is missing/],
    [
      'a code too many',
      (records) => records.toSpliced(lastAt(records, RECORD.code), 0, [RECORD.code, Uint8Array.of(1)]),
      /code 0x\w+ belongs to no account/,
    ],
    ['an epoch left out', each(RECORD.epoch, () => undefined), /HEADER_EPOCH/],
    ['a certificate', each(RECORD.head, (payload) => flipped(payload, payload.length - 1)), /record 3 at/],
    ['a receipt', each(RECORD.receipts, (payload) => flipped(payload, payload.length - 1)), /receipts|record 4/],
    ['no receipts', each(RECORD.receipts, () => undefined), /record 4 .*has no place here in a snapshot/],
    ['two heads', (records) => records.toSpliced(2, 0, records[2]!), /record 4 .*has no place here in a snapshot/],
    ['a block', (records) => [...records, [RECORD.block, payloadOf(records, RECORD.head)]], /has no place in a state/],
    ['no head', each(RECORD.head, () => undefined), /record 3 .*has no place here in a snapshot/],
  ]
  for (const [i, [what, records, message]] of tries.entries()) {
    await rewritten(at('state'), at('bad'), { kind: KIND.snapshot, records: records! })
    await t.rejects(load(at('bad'), at(`no${i}`)), { code: 'INVALID', message }, what)
    const folder = await ChainStore.open({ dir: at(`no${i}`) })
    t.equal(folder.head(), undefined, 'no chain is left behind')
    await folder.close()
  }
  await t.rejects(
    importFrom(at('first'), genesisHash, at('no0')),
    { code: 'CORRUPT', message: /part of a state and no chain.*delete the folder/ },
    'and what is left is not taken for an empty folder',
  )
  const headers: [Partial<FileHeader>, RegExp][] = [
    [{ first: asHeight(8) }, /record 3 .*block 9, where the header of the file names 8 to 9/],
    [{ last: asHeight(10) }, /block 9, where the header of the file names 9 to 10/],
    [{ chainId: 1 }, /names chain id 1, its genesis/],
  ]
  for (const [header, message] of headers) {
    await rewritten(at('state'), at('bad'), { kind: KIND.snapshot, header })
    await t.rejects(load(at('bad'), at('none')), { code: 'INVALID', message })
  }
  await rewritten(at('state'), at('bad'), { kind: KIND.snapshot, end: genesisHash })
  await t.rejects(load(at('bad'), at('none')), { code: 'INVALID', message: /lacks its block/ })
})

const lastAt = (records: Records, wanted: RecordType) => records.findLastIndex(([type]) => type === wanted)
const payloadOf = (records: Records, wanted: RecordType) => records[lastAt(records, wanted)]![1].slice()

t.test('a node that began from a snapshot gives the next one, and exports from there', async (t) => {
  const { chain, at } = await fullFolder(t)
  const { genesisHash, genesis } = chain
  await createSnapshot(at('full'), { path: at('state'), genesis })
  await loadSnapshot({ path: at('state'), genesisHash, extensions, dataDir: at('second') })
  // Headers below the snapshot are not there but for the one that closed the first epoch.
  t.match(await createSnapshot(at('second'), { path: at('again'), genesis }), { height: 9 })
  t.same(readFileSync(at('again')), readFileSync(at('state')))
  const store = await ChainStore.open({ dir: at('second') })
  await exportChain(storeSource(store), { path: at('late'), genesis, from: asHeight(9) })
  await t.rejects(exportChain(storeSource(store), { path: at('late'), genesis }), { code: 'REFUSED' })
  await store.close()
  t.match(await verifyChainFile({ path: at('late'), genesisHash, extensions }), { first: 9, last: 9, epoch: 1 })
})

t.test('headers and records that no export writes', async (t) => {
  const chain = await nineBlocks()
  const dir = t.testdir()
  const [good, bad] = [join(dir, 'good'), join(dir, 'bad')]
  await exportTo(chain, good)
  const { genesisHash } = chain
  const verify = () => verifyChainFile({ path: bad, genesisHash, extensions })
  const cases: [string, Changes, string, RegExp?][] = [
    ['first', { header: { first: asHeight(2) } }, 'INVALID', /block 1 in place of 2/],
    ['both', { header: { first: asHeight(2), last: asHeight(10) } }, 'INVALID', /block 1 in place of 2/],
    ['first block 0', { header: { first: asHeight(0) } }, 'INVALID'],
    ['last', { header: { last: asHeight(10) } }, 'INVALID', /ends with block 9, not with 10/],
    ['an earlier last', { header: { last: asHeight(8) } }, 'INVALID', /ends with block 9, not with 8/],
    ['last before first', { header: { first: asHeight(10) } }, 'DAMAGED'],
    ['chain id', { header: { chainId: 1 } }, 'INVALID', /names chain id 1, its genesis/],
    ['genesis', { header: { genesisHash: ZERO_HASH } }, 'OTHER_CHAIN'],
    ['kind', { header: { kind: KIND.snapshot } }, 'NOT_A_CHAIN_FILE'],
    ['the end', { end: genesisHash }, 'INVALID', /names another last block/],
    ['no genesis', { records: (all) => all.slice(1) }, 'INVALID', /first record .* not its genesis/],
    ['two', { records: (all) => all.toSpliced(1, 0, all[0]!) }, 'INVALID', /has no place/],
    ['a gap', { records: (all) => all.toSpliced(3, 1) }, 'INVALID', /block 4 in place of block 3/],
    ['a block twice', { records: (all) => all.toSpliced(3, 0, all[3]!) }, 'INVALID'],
    ['an epoch behind', { records: (all) => [...all, [RECORD.epoch, all[4]![1]]] }, 'INVALID', /stands behind a block/],
    ['no blocks', { records: (all) => all.slice(0, 1) }, 'INVALID', /ends with block 0, not with 9/],
    ['no last', { records: (all) => all.slice(0, -1) }, 'INVALID'],
    ['nothing in it', { records: each(RECORD.block, () => EMPTY_BYTES) }, 'INVALID', /record 2 at/],
  ]
  for (const [what, changes, code, message = /./] of cases) {
    await t.test(what, async (t) => {
      await rewritten(good, bad, changes)
      await t.rejects(verify(), { code, message })
    })
  }

  const bytes = readFileSync(good)
  await t.test('cut at the end of a record', async (t) => {
    const reader = await ChainFileReader.open(good, KIND.chain)
    for await (const { position } of reader.read()) {
      writeFileSync(bad, bytes.subarray(0, position))
      await t.rejects(verify(), { code: 'DAMAGED', message: /is cut off/ })
    }
    await reader.close()
  })
  await t.test('lengths and types', async (t) => {
    for (const [at, value] of [
      [69, 0xffffffff],
      [69, 0x03ffffff],
      [69, 0],
      [68, 0x0a000000],
      [68, 0],
    ] as const) {
      const changed = Buffer.from(bytes)
      changed.writeUInt32BE(value, at)
      writeFileSync(bad, changed)
      await t.rejects(verify(), { code: 'DAMAGED', message: /record 1 at byte 68/ })
    }
    writeFileSync(bad, '')
    await t.rejects(verify(), { code: 'NOT_A_CHAIN_FILE' })
  })
})

t.test('a file of the same genesis with other blocks is not taken for what the folder has', async (t) => {
  const [chain, rival] = [await nineBlocks(), await FileChain.open()]
  await rival.seal([], true)
  await rival.extend(4)
  const dir = t.testdir()
  const [own, other, data] = [join(dir, 'own'), join(dir, 'other'), join(dir, 'data')]
  await exportTo(chain, own)
  await exportTo(rival, other)
  await importFrom(own, chain.genesisHash, data)
  await t.rejects(importFrom(other, chain.genesisHash, data), {
    code: 'OTHER_CHAIN',
    message: /block 5 is 0x\w+ in the file, 0x\w+ in the folder/,
  })
  await rival.extend(6)
  await exportTo(rival, other)
  await t.rejects(importFrom(other, chain.genesisHash, data), { code: 'INVALID', message: /HEADER_LINK/ })
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

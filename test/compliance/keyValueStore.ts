/** What every KeyValueStore must do. `open` opens the same place again after `close` when `persistent`. */
import fc from 'fast-check'
import type { Test } from 'tap'
import { toHex, utf8 } from '../../src/core/bytes.js'
import type { KeyRange, KeyValueStore, WriteOperation } from '../../src/state/store/keyValueStore.js'

export interface StoreUnderTest {
  /** A store in a place of its own. */
  create(t: Test): Promise<{ readonly store: KeyValueStore; reopen?(): Promise<KeyValueStore> }>
}

const put = (key: string, value: string): WriteOperation => ({ type: 'put', key: utf8(key), value: utf8(value) })
const del = (key: string): WriteOperation => ({ type: 'del', key: utf8(key) })
const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : new TextDecoder().decode(bytes))

async function keysOf(store: KeyValueStore, range: KeyRange): Promise<string[]> {
  const keys: string[] = []
  for await (const [key] of store.range(range)) keys.push(text(key)!)
  return keys
}

export function keyValueStoreCompliance(t: Test, name: string, { create }: StoreUnderTest): void {
  t.test(`${name}: reads what was written, last operation first`, async (t) => {
    const { store } = await create(t)
    t.equal(store.getSync(utf8('a')), undefined)
    await store.batch([put('a', '1'), put('a', '2'), put('b', '3'), del('b'), put('empty', '')], { sync: true })
    t.equal(text(store.getSync(utf8('a'))), '2')
    t.equal(store.getSync(utf8('b')), undefined)
    t.same(store.getSync(utf8('empty')), new Uint8Array(0))
    await store.batch([del('a'), del('never')], { sync: false })
    t.equal(store.getSync(utf8('a')), undefined)
    await store.batch([], { sync: true })
  })

  t.test(`${name}: values are plain Uint8Arrays that later writes do not change`, async (t) => {
    const { store } = await create(t)
    await store.batch([put('a', 'first')], { sync: false })
    const value = store.getSync(utf8('a'))!
    t.equal(Object.getPrototypeOf(value), Uint8Array.prototype)
    await store.batch([put('a', 'other')], { sync: false })
    t.equal(text(value), 'first')
    value.fill(0)
    t.equal(text(store.getSync(utf8('a'))), 'other')
  })

  t.test(`${name}: ranges`, async (t) => {
    const { store } = await create(t)
    await store.batch(
      ['b', 'a', 'd', 'c'].map((key) => put(key, key)),
      { sync: true },
    )
    t.same(await keysOf(store, {}), ['a', 'b', 'c', 'd'])
    t.same(await keysOf(store, { gte: utf8('b'), lt: utf8('d') }), ['b', 'c'])
    t.same(await keysOf(store, { gte: utf8('bb') }), ['c', 'd'])
    t.same(await keysOf(store, { lt: utf8('c'), reverse: true, limit: 1 }), ['b'])
    t.same(await keysOf(store, { gte: utf8('x') }), [])
    for await (const [key] of store.range({})) {
      t.equal(text(key), 'a')
      break
    }
  })

  t.test(`${name}: a range shows the store as it was when it began`, async (t) => {
    const { store } = await create(t)
    await store.batch([put('a', '1'), put('b', '1')], { sync: false })
    const seen: string[] = []
    for await (const [key, value] of store.range({})) {
      if (seen.length === 0) await store.batch([put('b', '2'), put('c', '2')], { sync: false })
      seen.push(`${text(key)}${text(value)}`)
    }
    t.same(seen, ['a1', 'b1'])
  })

  t.test(`${name}: snapshots`, async (t) => {
    const { store } = await create(t)
    await store.batch([put('a', '1'), put('b', '1')], { sync: false })
    const first = store.snapshot()
    await store.batch([put('a', '2'), del('b'), put('c', '2')], { sync: true })
    const second = store.snapshot()
    await store.batch([put('a', '3')], { sync: false })
    const read = (from: { getSync(key: Uint8Array): Uint8Array | undefined }) =>
      ['a', 'b', 'c'].map((key) => text(from.getSync(utf8(key))))
    t.same(read(first), ['1', '1', undefined])
    t.same(read(second), ['2', undefined, '2'])
    t.same(read(store), ['3', undefined, '2'])
    first.close()
    second.close()
  })

  t.test(`${name}: keys of any bytes sort as bytes`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.uint8Array({ minLength: 1, maxLength: 5 }), { selector: toHex, maxLength: 30 }),
        async (keys) => {
          const { store } = await create(t)
          await store.batch(
            keys.map((key) => ({ type: 'put', key, value: key })),
            { sync: false },
          )
          const found: string[] = []
          for await (const [key, value] of store.range({})) if (toHex(key) === toHex(value)) found.push(toHex(key))
          await store.close()
          return JSON.stringify(found) === JSON.stringify(keys.map(toHex).sort())
        },
      ),
      { numRuns: 20 },
    )
  })

  t.test(`${name}: sizes, compaction, closing twice`, async (t) => {
    const { store, reopen } = await create(t)
    const value = 'x'.repeat(1000)
    await store.batch(
      Array.from({ length: 100 }, (_, i) => put(`k${i}`, value)),
      { sync: true },
    )
    await store.compact()
    t.ok((await store.approximateSize(utf8('k'), utf8('l'))) > 0)
    t.equal(await store.approximateSize(utf8('x'), utf8('y')), 0)
    await store.close()
    await store.close()
    if (reopen === undefined) return
    const again = await reopen()
    t.equal((await keysOf(again, {})).length, 100)
    await again.close()
  })
}

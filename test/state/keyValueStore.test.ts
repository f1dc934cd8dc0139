import { join } from 'node:path'
import t, { type Test } from 'tap'
import { utf8 } from '../../src/core/bytes.js'
import type { KeyValueStore } from '../../src/state/store/keyValueStore.js'
import { openLevelStore } from '../../src/state/store/level.js'
import { MemoryStore } from '../../src/state/store/memory.js'
import { keyValueStoreCompliance } from '../compliance/keyValueStore.js'

let folders = 0

keyValueStoreCompliance(t, 'memory', { create: async () => ({ store: new MemoryStore() }) })

keyValueStoreCompliance(t, 'level', {
  create: async (t: Test) => {
    const dir = join(t.testdir(), `store-${folders++}`)
    const opened: KeyValueStore[] = []
    const reopen = async (): Promise<KeyValueStore> => {
      const store = await openLevelStore(dir)
      opened.push(store)
      return store
    }
    t.teardown(() => Promise.all(opened.map((store) => store.close())))
    return { store: await reopen(), reopen }
  },
})

t.test('level: LOCKED and NOT_OPENED', async (t) => {
  const dir = t.testdir({ file: 'not a folder', store: {} })
  const store = await openLevelStore(join(dir, 'store'))
  await t.rejects(openLevelStore(join(dir, 'store')), {
    code: 'LOCKED',
    message: /another process uses .*store: stop it/,
  })
  await store.close()
  const again = await openLevelStore(join(dir, 'store'))
  await again.close()
  await t.rejects(openLevelStore(join(dir, 'file')), { code: 'NOT_OPENED', message: /file cannot be opened/ })
})

t.test('level: WRITE_FAILED, and nothing is written after it', async (t) => {
  const store = await openLevelStore(join(t.testdir(), 'store'))
  await store.close()
  const write = () => store.batch([{ type: 'put', key: utf8('a'), value: utf8('b') }], { sync: true })
  await t.rejects(write(), { code: 'WRITE_FAILED' })
  await t.rejects(write(), { code: 'WRITE_FAILED' })
})

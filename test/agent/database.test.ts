import t from 'tap'
import { openEmbeddedDatabase } from '../../src/agent/database/embeddedDatabase.js'
import { createMemoryStore } from '../../src/agent/database/memoryStore.js'
import { departmentDatabaseCompliance } from '../compliance/departmentDatabase.js'

t.test('memory', (t) => {
  departmentDatabaseCompliance(t, { durable: false, open: () => openEmbeddedDatabase(createMemoryStore()) })
  t.end()
})

t.test('memory store kept across openings', (t) => {
  const stores = new Map<string, ReturnType<typeof createMemoryStore>>()
  const open = (name: string) => {
    const store = stores.get(name) ?? createMemoryStore()
    stores.set(name, store)
    return openEmbeddedDatabase(store)
  }
  departmentDatabaseCompliance(t, { durable: true, open })
  t.end()
})

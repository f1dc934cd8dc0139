import path from 'node:path'
import t from 'tap'
import { openDepartmentDatabase, openMemoryDatabase } from '../../src/agent/database/open.js'
import { openPostgresDatabase } from '../../src/agent/database/postgres/open.js'
import { departmentDatabaseCompliance } from '../compliance/departmentDatabase.js'
import { testDatabase, withoutPostgres } from '../support/postgres.js'

t.test('memory', (t) => {
  departmentDatabaseCompliance(t, { durable: false, open: () => openMemoryDatabase() })
  t.end()
})

t.test('folder', (t) => {
  const dir = t.testdir()
  departmentDatabaseCompliance(t, { durable: true, open: (name) => openDepartmentDatabase(path.join(dir, name)) })
  t.end()
})

t.test('PostgreSQL', { skip: withoutPostgres }, async (t) => {
  const { settings } = await testDatabase(t)
  departmentDatabaseCompliance(t, {
    durable: true,
    open: (name) => openPostgresDatabase({ source: settings, schema: `department ${name}` }),
  })
})

t.test('a folder in use, and a folder of something else', async (t) => {
  const dir = t.testdir({ file: 'x' })
  const first = await openDepartmentDatabase(path.join(dir, 'a'))
  await t.rejects(openDepartmentDatabase(path.join(dir, 'a')), { code: 'LOCKED', message: /another process uses/ })
  await first.close()
  await t.rejects(openDepartmentDatabase(path.join(dir, 'file')), { code: 'FAILED' })
})

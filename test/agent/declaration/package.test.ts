import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { z } from 'zod'
import { initManifest } from '../../../src/agent/declaration/initPackage.js'
import { manifestSchema } from '../../../src/agent/declaration/manifest.js'
import { readPackageFiles } from '../../../src/agent/declaration/packageFiles.js'
import { proofSchema } from '../../../src/agent/declaration/proofFile.js'
import { readPackage } from '../../../src/agent/declaration/readPackage.js'
import { table2Template } from '../../../src/agent/declaration/table2Template.js'
import { parseTemplate, templateSchema } from '../../../src/agent/declaration/template.js'
import { readDeclaration } from '../../../src/agent/declaration.js'
import { writeZip } from './zipWriter.js'

const EXAMPLES = path.join(process.cwd(), 'examples/declarations')

t.test('the examples: a workbook in Chinese, CSV and JSON in English', async (t) => {
  const chinese = await readDeclaration(path.join(EXAMPLES, 'chinese'))
  t.same(Object.fromEntries(chinese.values), {
    companyName: '成都晨曦软件有限公司',
    unifiedSocialCreditCode: '915101040002025182',
    registeredCapital: '5000000',
    paidUpCapital: '1234567',
    registrationDate: '2015-03-09',
    registrationAddress: '成都市锦江区春熙路１号',
    employees: '3',
    socialSecurityEmployees: '2',
    openingBank: '中国工商银行成都春熙支行',
    bankAccount: '6222024402000000123',
    legalRepresentative: '王芳',
    legalRepresentativeId: '11010519491231002X',
    intellectualPropertyRights: '4',
    inventionPatents: '2',
    utilityModelPatents: '1',
    designPatents: '0',
    softwareCopyrights: '1',
  })
  const english = await readDeclaration(path.join(EXAMPLES, 'english'))
  for (const name of ['registeredCapital', 'registrationDate', 'employees', 'inventionPatents']) {
    t.equal(Number.parseFloat(english.values.get(name)!), Number.parseFloat(chinese.values.get(name)!), name)
  }
  t.equal(english.places?.get('paidUpCapital'), 'registration.csv, row 5, field B')
})

t.test('a folder and a .zip of it have one hash; litter does not count; every byte does', async (t) => {
  const dir = t.testdir()
  const files = await readPackageFiles(path.join(EXAMPLES, 'english'))
  const { documentHash } = readPackage(files, 'english')
  const zip = path.join(dir, 'p.zip')
  const entries = [...files].reverse().map(([name, data]) => ({ name, data }))
  writeFileSync(
    zip,
    writeZip([...entries, { name: '__MACOSX/._x', data: 'x' }, { name: 'audit/.DS_Store', data: 'x' }]),
  )
  t.equal((await readDeclaration(zip)).documentHash, documentHash)
  const changed = new Map(files)
  changed.set('audit/report-2025.txt', new Uint8Array([...files.get('audit/report-2025.txt')!, 32]))
  t.not(readPackage(changed, 'english').documentHash, documentHash)
})

t.test('the manifest and the files have to agree', async (t) => {
  const dir = t.testdir()
  const folder = path.join(dir, 'p')
  const fresh = (change: (manifest: Record<string, unknown>) => void) => {
    cpSync(path.join(EXAMPLES, 'english'), folder, { recursive: true })
    const manifest = JSON.parse(readFileSync(path.join(EXAMPLES, 'english/manifest.json'), 'utf8'))
    change(manifest)
    writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(manifest))
    return readDeclaration(folder)
  }
  await t.rejects(
    fresh((m) => {
      m.attachments = []
    }),
    { code: 'NOT_LISTED', file: 'audit/report-2025.txt' },
  )
  await t.rejects(
    fresh((m) => {
      ;(m.forms as { file: string }[])[0]!.file = 'gone.csv'
    }),
    { code: 'FAULTY', message: /gone.csv is not in the package/ },
  )
  await t.rejects(
    fresh((m) => {
      ;(m.forms as { file: string }[])[0]!.file = '../x.csv'
    }),
    { message: /leads out/ },
  )
  await t.rejects(
    fresh((m) => {
      m.salt = 'short'
    }),
    { code: 'INVALID_FIELD', field: 'salt', message: /declaration init/ },
  )
  await t.rejects(
    fresh((m) => {
      m.template = 'table3'
    }),
    { code: 'NO_TEMPLATE', message: /table2/ },
  )
  await t.rejects(
    fresh((m) => {
      ;(m.attachments as { describes: string[] }[])[0]!.describes = ['openingBank']
    }),
    { message: /openingBank is not declared/ },
  )
  await t.rejects(
    fresh((m) => {
      ;(m.forms as { form: string }[])[1]!.form = 'registration'
    }),
    { message: /there twice/ },
  )
  await t.rejects(
    fresh((m) => {
      m.surprise = 1
    }),
    { code: 'INVALID_FIELD', message: /surprise/ },
  )
  t.ok((await fresh(() => {})).values.size > 0)
  mkdirSync(path.join(dir, 'empty'))
  await t.rejects(readDeclaration(path.join(dir, 'empty')), { code: 'MISSING_FILE' })
  await t.rejects(readDeclaration(path.join(dir, 'none.zip')), { code: 'UNREADABLE', message: /ENOENT/ })
  symlinkSync('/etc/hostname', path.join(folder, 'audit', 'link.txt'))
  await t.rejects(readDeclaration(folder), { code: 'UNSAFE_PATH', message: /link/ })
})

t.test('a first manifest from the files', async (t) => {
  const files = new Map(await readPackageFiles(path.join(EXAMPLES, 'english')))
  const options = { enterprise: '915101040002025182', title: 'x', date: '2026-01-01' }
  t.throws(() => initManifest(files, 'p', table2Template, options), { code: 'DUPLICATE_FIELD' })
  files.delete('manifest.json')
  const manifest = initManifest(files, 'p', table2Template, options)
  t.same(
    manifest.forms.map(({ form }) => form),
    ['registration', 'rights', 'staff'],
  )
  t.same(manifest.attachments, [{ file: 'audit/report-2025.txt', mediaType: 'text/plain' }])
  t.not(manifest.salt, initManifest(files, 'p', table2Template, options).salt)
  files.set('manifest.json', new TextEncoder().encode(JSON.stringify(manifest)))
  t.equal(readPackage(files, 'p').values.get('employees'), '3')
})

t.test('the built-in template keeps its own rules', async (t) => {
  t.same(parseTemplate(JSON.parse(JSON.stringify(table2Template)), 'table2'), table2Template)
})

t.test('the published JSON Schemas are those that are checked', async (t) => {
  const schemas = {
    'declaration-manifest.schema.json': ['Manifest of a declaration package', manifestSchema],
    'declaration-template.schema.json': ['Mapping template', templateSchema],
    'declaration-proof.schema.json': ['Proof of a file', proofSchema],
  } as const
  for (const [name, [title, schema]] of Object.entries(schemas)) {
    const file = path.join(process.cwd(), 'schemas', name)
    const json = { $id: name, title, ...z.toJSONSchema(schema, { io: 'input' }) }
    if (process.env.WRITE_SCHEMAS === '1') writeFileSync(file, `${JSON.stringify(json, null, 2)}\n`)
    t.same(JSON.parse(readFileSync(file, 'utf8')), JSON.parse(JSON.stringify(json)), name)
  }
})

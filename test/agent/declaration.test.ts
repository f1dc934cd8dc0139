import { createHash, createHmac, hkdfSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { z } from 'zod'
import { verifyFile } from '../../src/agent/declaration/documentTree.js'
import { declarationSchema, parseDeclaration, readDeclaration } from '../../src/agent/declaration.js'
import { idText } from '../../src/contracts/textId.js'
import { fromHex, type Hash, utf8 } from '../../src/core/bytes.js'
import { declarationBytesMax } from '../../src/core/limits.js'

const CODE = '91510104000000017X'
const json = (value: unknown) => parseDeclaration(utf8(JSON.stringify(value)), 'd.json')
const csv = (text: string) => parseDeclaration(utf8(text), 'd.csv')

t.test('JSON and CSV give the same values', (t) => {
  const fromJson = json({ enterprise: CODE, values: { companyName: '甲, 乙公司', employees: 42, paidUpCapital: 10.5 } })
  const fromCsv = csv(
    `\ufeffattribute,value\r\nunifiedSocialCreditCode,${CODE}\r\ncompanyName,"甲, 乙公司"\r\nemployees,42\r\n\r\npaidUpCapital,10.5\r\n`,
  )
  t.same(Object.fromEntries(fromJson.values), { companyName: '甲, 乙公司', employees: '42', paidUpCapital: '10.5' })
  t.same(Object.fromEntries(fromCsv.values), { unifiedSocialCreditCode: CODE, ...Object.fromEntries(fromJson.values) })
  t.equal(idText(fromJson.enterpriseId), CODE)
  t.equal(fromJson.enterpriseId, fromCsv.enterpriseId)
  t.equal(json({ values: { unifiedSocialCreditCode: CODE.toLowerCase() } }).creditCode, CODE)
  t.end()
})

t.test('a file is read and bounded', async (t) => {
  const dir = t.testdir({ 'a.json': JSON.stringify({ enterprise: CODE, values: { employees: '1' } }) })
  const file = path.join(dir, 'a.json')
  const declaration = await readDeclaration(file)
  t.equal(declaration.file, 'a.json')
  await t.rejects(readDeclaration(path.join(dir, 'none.json')), { code: 'UNREADABLE', message: /none.json.*ENOENT/ })
  writeFileSync(path.join(dir, 'big.csv'), Buffer.alloc(declarationBytesMax + 1))
  await t.rejects(readDeclaration(path.join(dir, 'big.csv')), { code: 'TOO_LARGE' })
})

/** RFC 5869 by node itself, and the tree of one file (RFC 9162) written out. */
function documentHashBy(portraitKey: Uint8Array, enterpriseId: Hash, path: string, bytes: Uint8Array): string {
  const digest = createHash('sha256').update(bytes).digest()
  const info = Buffer.concat([fromHex(enterpriseId), digest])
  const salt = Buffer.from(hkdfSync('sha256', portraitKey, utf8('concordat document salt v1'), info, 32))
  const leafSalt = createHmac('sha256', salt).update(path).digest()
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(bytes.length))
  const leaf = createHash('sha256').update(
    Buffer.concat([Uint8Array.of(0), leafSalt, digest, length, Buffer.from(path)]),
  )
  const document = Buffer.concat([Buffer.from('concordat-declaration/1'), Uint8Array.of(0, 0, 0, 1), leaf.digest()])
  return `0x${createHash('sha256').update(document).digest('hex')}`
}

t.test('the document hash of a plain file: keyed, of its bytes alone, and provable', (t) => {
  const bytes = utf8(JSON.stringify({ enterprise: CODE, values: { employees: '1' } }))
  const declaration = parseDeclaration(bytes, 'a.json')
  const { enterpriseId } = declaration
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
      t.equal(declaration.documentHash(key), documentHashBy(key, enterpriseId, 'declaration.json', bytes))
    }),
    { numRuns: 20 },
  )
  const key = new Uint8Array(32).fill(1)
  const documentHash = declaration.documentHash(key)
  t.equal(parseDeclaration(bytes, 'other.JSON').documentHash(key), documentHash, 'the name is free')
  t.not(declaration.documentHash(new Uint8Array(32).fill(2)), documentHash)
  const table = utf8(`attribute,value\nunifiedSocialCreditCode,${CODE}\n`)
  t.equal(
    parseDeclaration(table, 'd.csv').documentHash(key),
    documentHashBy(key, enterpriseId, 'declaration.csv', table),
  )
  const proof = declaration.document(key).prove('declaration.json')
  verifyFile(bytes, proof, documentHash)
  t.throws(() => verifyFile(utf8('other'), proof, documentHash), { code: 'OTHER_FILE' })
  const other = parseDeclaration(utf8(`${Buffer.from(bytes)} `), 'a.json').document(key)
  t.not(other.prove('declaration.json').salt, proof.salt, 'what a proof shows fits no other file of the enterprise')
  t.end()
})

t.test('errors name file, row and field', (t) => {
  const fails = (run: () => unknown, expected: object) => t.throws(run, { code: 'INVALID_FIELD', ...expected })
  fails(() => parseDeclaration(utf8('x'), 'd.xlsx'), { code: 'UNKNOWN_FORMAT', file: 'd.xlsx' })
  fails(() => parseDeclaration(new Uint8Array([0xff, 0xfe]), 'd.json'), { code: 'NOT_UTF8' })
  fails(() => parseDeclaration(utf8('{"a":'), 'd.json'), { code: 'NOT_JSON', message: /^d\.json: / })
  fails(() => json([]), { code: 'INVALID_FIELD' })
  fails(() => json({ enterprise: CODE }), { code: 'INVALID_FIELD', field: 'values' })
  fails(() => json({ enterprise: CODE, values: {} }), { code: 'INVALID_FIELD', field: 'values' })
  fails(() => json({ enterprise: CODE, valeus: {}, values: { a: '1' } }), { message: /unknown properties: valeus/ })
  fails(() => json({ enterprise: CODE, values: { employees: '' } }), { field: 'values.employees' })
  fails(() => json({ enterprise: CODE, values: { employees: '  ' } }), { field: 'employees' })
  fails(() => json({ enterprise: CODE, values: { employees: null } }), { field: 'values.employees' })
  fails(() => json({ enterprise: CODE, values: { employees: 1e30 } }), { field: 'employees', message: /as text/ })
  fails(() => json({ enterprise: CODE, values: { 员工: '1' } }), { code: 'INVALID_FIELD', field: 'values.员工' })
  fails(() => json({ enterprise: 'short', values: { a: '1' } }), { field: 'enterprise' })
  fails(() => json({ values: { a: '1' } }), { code: 'NO_ENTERPRISE' })
  const other = { enterprise: CODE, values: { unifiedSocialCreditCode: CODE.replace('X', '0') } }
  fails(() => json(other), { field: 'enterprise', message: /differs/ })
  fails(() => csv('a,b\n1,2'), { code: 'NOT_CSV', row: 1 })
  fails(() => csv('attribute,value\na,1\na,2'), { code: 'DUPLICATE_FIELD', row: 3, field: 'a' })
  fails(() => csv('attribute,value\na,1,2'), { code: 'NOT_CSV', row: 2 })
  fails(() => csv('attribute,value\na,'), { code: 'INVALID_FIELD', row: 2, field: 'a' })
  fails(() => csv('attribute,value\n员工,1'), { code: 'INVALID_FIELD', row: 2 })
  fails(() => csv('attribute,value\na,"1'), { code: 'NOT_CSV' })
  const many = Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`a${i}`, '1']))
  fails(() => json({ enterprise: CODE, values: many }), { message: /more than 256/ })
  t.end()
})

t.test('names that mean something to JavaScript', (t) => {
  const text = `{"enterprise":"${CODE}","values":{"constructor":"1","__proto__":"2","toString":"3"}}`
  const { values } = parseDeclaration(utf8(text), 'd.json')
  t.equal(values.get('constructor'), '1')
  t.equal(values.get('toString'), '3')
  t.equal(({} as Record<string, unknown>)['2'], undefined)
  t.end()
})

t.test('the published JSON Schema is the one that is checked', (t) => {
  const file = path.resolve(process.cwd(), 'schemas/declaration.schema.json')
  const schema = { $id: 'declaration.schema.json', title: 'Declaration', ...z.toJSONSchema(declarationSchema) }
  if (process.env.WRITE_SCHEMAS === '1') writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`)
  t.same(JSON.parse(readFileSync(file, 'utf8')), JSON.parse(JSON.stringify(schema)))
  t.end()
})

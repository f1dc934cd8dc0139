import fc from 'fast-check'
import t from 'tap'
import { DeclarationError } from '../../../src/agent/declaration/declarationError.js'
import { type PackageDeclaration, readPackage } from '../../../src/agent/declaration/readPackage.js'
import { parseTemplate } from '../../../src/agent/declaration/template.js'
import { sameText, sumOf, type TransformName, transformed } from '../../../src/agent/declaration/transforms.js'
import { utf8 } from '../../../src/core/bytes.js'
import { declarationFaultsMax } from '../../../src/core/limits.js'
import { writeWorkbook } from './zipWriter.js'

const CODE = '91510104000000017X'
type Content = string | Uint8Array | object
const bytesOf = (content: Content) =>
  content instanceof Uint8Array ? content : utf8(typeof content === 'string' ? content : JSON.stringify(content))

/** A package with the built-in template, or `template`. */
function read(
  forms: Record<string, Content>,
  { template = undefined as object | undefined, manifest = {}, entry = {} } = {},
): PackageDeclaration {
  const files = new Map(Object.entries(forms).map(([name, content]) => [name, bytesOf(content)]))
  if (template) files.set('template.json', bytesOf(template))
  const described = {
    format: 'concordat-declaration/1',
    enterprise: CODE,
    title: 'test',
    date: '2026-03-31',
    salt: '11'.repeat(32),
    template: template ? 'template.json' : 'table2',
    forms: Object.keys(forms).map((file) => ({ file, form: file.split('.')[0], ...entry })),
    ...manifest,
  }
  files.set('manifest.json', utf8(JSON.stringify(described)))
  return readPackage(files, 'pack')
}
const values = (...args: Parameters<typeof read>) => Object.fromEntries(read(...args).values)
const faultsOf = (run: () => unknown): readonly DeclarationError[] => {
  try {
    run()
  } catch (error) {
    if (error instanceof DeclarationError) return error.faults.length > 0 ? error.faults : [error]
    throw error
  }
  return []
}
const template = (attributes: object, forms: object = { f: {} }) => ({
  format: 'concordat-declaration-template/1',
  name: 't',
  forms,
  attributes,
})

t.test('the same form as a workbook, as CSV and as JSON', async (t) => {
  const row = (n: number, a: string, b: string) =>
    `<row r="${n}"><c t="inlineStr"><is><t>${a}</t></is></c><c t="inlineStr"><is><t>${b}</t></is></c></row>`
  const workbook = writeWorkbook({
    基本情况: `<sheetData>${row(1, '企业名称：', '甲公司')}${row(2, ' 注册资本 (万元)', '1,234.5678')}${row(3, '成立日期', '2015年3月9日')}</sheetData>`,
  })
  const expected = { companyName: '甲公司', registeredCapital: '12345678', registrationDate: '2015-03-09' }
  t.same(values({ 'registration.xlsx': workbook }), expected)
  t.same(
    values({ 'registration.csv': '公司名称,甲公司\n＊注册资本（万元）：,"1,234.5678"\n成立日期,2015/3/9\n' }),
    expected,
  )
  t.same(
    values({
      'registration.json': { companyName: '甲公司', registeredCapital: 12345678, registrationDate: '2015-03-09' },
    }),
    expected,
  )
})

t.test('GB18030 and a byte order mark', async (t) => {
  const gb = Uint8Array.from([
    0xc6, 0xf3, 0xd2, 0xb5, 0xc3, 0xfb, 0xb3, 0xc6, 0x2c, 0xbc, 0xd7, 0xb9, 0xab, 0xcb, 0xbe, 0x0a,
  ])
  t.same(values({ 'registration.csv': gb }, { entry: { encoding: 'gb18030' } }), { companyName: '甲公司' })
  t.throws(() => values({ 'registration.csv': gb }), { code: 'NOT_UTF8', message: /"encoding": "gb18030"/ })
  t.throws(() => values({ 'registration.csv': Uint8Array.of(0x81) }, { entry: { encoding: 'gb18030' } }), {
    code: 'BAD_ENCODING',
  })
  t.same(values({ 'registration.csv': '\ufeff企业名称,甲公司\n' }), { companyName: '甲公司' })
  t.same(values({ 'registration.csv': '企业名称;甲公司\n' }, { entry: { delimiter: 'semicolon' } }), {
    companyName: '甲公司',
  })
})

t.test('lists: counts by kind, ends, numbers without entries', async (t) => {
  const list =
    '知识产权清单\n序号,类型,专利号\n1,发明专利,A1\n2,发明,A2\n3,外观设计专利,B1\n4,,\n合计,3,\n\n注：以上属实,,\n'
  const found = read({ 'rights.csv': list })
  t.match(Object.fromEntries(found.values), {
    intellectualPropertyRights: '3',
    inventionPatents: '2',
    designPatents: '1',
    softwareCopyrights: '0',
  })
  t.equal(found.places.get('inventionPatents'), 'rights.csv, row 2: count of 2 rows')
  t.ok(found.undeclared.includes('companyName'))
  const fails = (csv: string, expected: object) => t.match(faultsOf(() => read({ 'rights.csv': csv }))[0], expected)
  fails('类型,号码\n', { code: 'NOT_FOUND', message: /专利号/ })
  fails('类型,专利号\n秘密,A1\n', {
    code: 'INVALID_FIELD',
    row: 2,
    field: 'A',
    message: /must be one of 发明专利, 实用新型专利/,
  })
  fails('类型,专利号\n发明,A1\n发明,Ａ１\n', { code: 'DUPLICATE_FIELD', row: 3, field: 'B', message: /also in row 2/ })
  fails('类型,专利号\n发明,\n', {
    code: 'INVALID_FIELD',
    row: 2,
    message: /needs a value under 专利号|needs a value under/,
  })
  fails('类型,专利号\n发明,A1\n\n发明,A2\n', { code: 'AMBIGUOUS', row: 4, message: /follows the empty row 3/ })
  fails('类型,专利号,专利号\n发明,A1,A2\n', { code: 'AMBIGUOUS', row: 1, message: /twice/ })
  t.equal(values({ 'rights.json': { rights: [{ Kind: 'design', Number: 7 }] } }).designPatents, '1')
  t.match(faultsOf(() => read({ 'rights.json': { rights: [{ Kind: 'x', Number: 1 }] } }))[0], {
    field: '/rights/0/Kind',
  })
})

t.test('two places that differ are a fault that names both', async (t) => {
  const forms = {
    'registration.csv': '职工人数,3\n法定代表人,王芳\n',
    'staff.csv': '姓名,身份证号,是否参保\n张,1,是\n李,2,否\n',
  }
  const [fault, other] = faultsOf(() => read(forms))
  t.match(fault, {
    code: 'CONFLICT',
    field: 'employees',
    message: /registration.csv, row 1, field B.*staff.csv, row 1: count of 2 rows/,
  })
  t.equal(other, undefined)
  t.equal(values({ ...forms, 'registration.csv': '职工人数,2.0\n' }).employees, '2.0', 'equal numbers agree')
  t.match(faultsOf(() => read({ 'registration.csv': '统一社会信用代码,91510104000000018X\n' }))[0], {
    code: 'CONFLICT',
    field: 'enterprise',
  })
})

t.test('many faults at once, and not without end', async (t) => {
  const rows = (n: number) => `类型,专利号\n${Array.from({ length: n }, (_, i) => `秘密,A${i}`).join('\n')}\n`
  const faults = faultsOf(() => read({ 'rights.csv': rows(3), 'registration.csv': '注册资本（万元）,many\n' }))
  t.same(
    faults.map(({ file, row }) => [file, row]),
    [
      ['registration.csv', 1],
      ['rights.csv', 2],
      ['rights.csv', 3],
      ['rights.csv', 4],
    ],
  )
  t.equal(faultsOf(() => read({ 'rights.csv': rows(declarationFaultsMax + 30) })).length, declarationFaultsMax)
  t.throws(() => read({ 'rights.csv': rows(2) }), {
    code: 'FAULTY',
    message: /^pack: 2 faults:\n- rights.csv, row 2, field A: /,
  })
})

t.test('labels and cells of a template of one’s own', async (t) => {
  const csv = ',本期,上期\n资产总计,100,90\n员工,5,4\n'
  const own = template({
    assets: {
      required: true,
      sources: [{ kind: 'label', form: 'f', labels: ['资产总计'], under: ['本期'], transforms: ['times-10000'] }],
    },
    before: { sources: [{ kind: 'cell', form: 'f', cell: 'c3' }] },
  })
  t.same(values({ 'f.csv': csv }, { template: own }), { assets: '1000000', before: '4' })
  const fails = (text: string, expected: object) =>
    t.match(faultsOf(() => read({ 'f.csv': text }, { template: own }))[0], expected)
  fails('x,本期\ny,1\nz,2,3\n', { code: 'NOT_FOUND', field: 'assets', message: /label 资产总计 of form f/ })
  fails(',本期\n资产总计,1\n资产总计,2\n', { code: 'AMBIGUOUS', message: /also in f.csv, row 3/ })
  fails('本期,本期\n资产总计,1\n', { code: 'AMBIGUOUS', message: /header 本期/ })
  fails('资产总计,1\n', { code: 'NOT_FOUND', message: /header 本期/ })
})

t.test('aggregates', async (t) => {
  const forms = {
    f: {
      list: {
        columns: {
          kind: { headers: ['k'] },
          amount: { headers: ['n'], transforms: ['remove-group-separators'] },
          day: { headers: ['d'], optional: true },
        },
      },
    },
  }
  const source = (kind: string, column?: string, where?: object) => ({
    sources: [{ kind, form: 'f', ...(column && { column }), ...(where && { where }) }],
  })
  const own = template(
    {
      total: source('sum', 'amount'),
      ofA: source('sum', 'amount', { kind: 'a' }),
      none: source('sum', 'amount', { kind: 'zzz' }),
      first: source('first', 'kind'),
      from: source('earliest', 'day'),
      to: source('latest', 'day'),
      only: source('only', 'day', { kind: 'b' }),
    },
    forms,
  )
  const csv = 'k,n,d\na,"1,000.10",2020/1/2\na,0.2,2019年12月31日\nb,-5,20210101\n'
  t.same(values({ 'f.csv': csv }, { template: own }), {
    total: '995.30',
    ofA: '1000.30',
    none: '0',
    first: 'a',
    from: '2019-12-31',
    to: '2021-01-01',
    only: '20210101',
  })
  const fault = (text: string) => faultsOf(() => read({ 'f.csv': text }, { template: own }))
  t.match(fault('k,n,d\na,x,2020/1/2\n')[0], { code: 'NOT_CONVERTIBLE', row: 2, field: 'B' })
  t.match(fault('k,n,d\na,1,never\n')[0], { code: 'NOT_CONVERTIBLE', row: 2, field: 'C' })
  t.match(fault('k,n,d\nb,1,2020/1/1\nb,1,2021/1/1\n')[0], { code: 'AMBIGUOUS', row: 2 })
})

t.test('transforms are exact', async (t) => {
  const to = (text: string, ...names: TransformName[]) => {
    const result = transformed(text, names)
    return result.ok ? result.text : null
  }
  const cases: [string, TransformName, string | null][] = [
    ['0.000001', 'times-10000', '0.01'],
    ['-12.5', 'times-1000', '-12500'],
    ['1e3', 'times-1000', null],
    ['1,234', 'remove-group-separators', '1234'],
    ['12,34', 'remove-group-separators', null],
    ['500万元人民币', 'yuan-of-amount', '5000000'],
    ['人民币 1.2 亿元整', 'yuan-of-amount', '120000000'],
    ['３０００元', 'yuan-of-amount', '3000'],
    ['伍佰万元', 'yuan-of-amount', null],
    ['5 constructor', 'yuan-of-amount', null],
    ['31/12/2020', 'date-day-month-year', '2020-12-31'],
    ['31/12/2020', 'date-month-day-year', null],
    ['2020-02-30', 'date-year-month-day', null],
    ['20200229', 'date-year-month-day', '2020-02-29'],
    ['0001-01-01', 'date-year-month-day', '0001-01-01'],
    ['2020-01-31 08:30:00', 'date-without-time', '2020-01-31'],
    ['6222 0244　01', 'remove-spaces', '6222024401'],
    ['（ＡＢ１）', 'half-width', '(AB1)'],
  ]
  for (const [text, name, expected] of cases) t.equal(to(text, name), expected, `${text} ${name}`)
  const decimal = fc.tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.nat(8))
  const written = ([units, scale]: readonly [bigint, number]) => {
    const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0')
    return `${units < 0n ? '-' : ''}${digits.slice(0, digits.length - scale)}${scale ? `.${digits.slice(-scale)}` : ''}`
  }
  fc.assert(
    fc.property(decimal, ([units, scale]) =>
      sameText(to(written([units, scale]), 'times-10000')!, written([units * 10n ** 4n, scale])),
    ),
  )
  fc.assert(
    fc.property(fc.array(decimal, { maxLength: 20 }), (numbers) => {
      const exact = numbers.reduce((sum, [units, scale]) => sum + units * 10n ** BigInt(8 - scale), 0n)
      const result = sumOf(numbers.map(written))
      return 'sum' in result && sameText(result.sum, written([exact, 8]))
    }),
  )
})

t.test('templates: faults are named, references are checked', async (t) => {
  const list = {
    list: { columns: { a: { headers: ['A'], oneOf: { yes: ['y'], no: ['n'] } }, b: { headers: ['a '] } } },
  }
  const broken = template(
    {
      one: { sources: [{ kind: 'cell', form: 'none', cell: 'A1' }] },
      two: { sources: [{ kind: 'cell', form: 'f', cell: '1A' }] },
      three: { sources: [{ kind: 'sum', form: 'f', column: 'zz' }] },
      four: { sources: [{ kind: 'count', form: 'f', where: { a: 'maybe' } }] },
      five: { sources: [{ kind: 'count', form: 'g' }] },
    },
    { f: list, g: {} },
  )
  const faults = faultsOf(() => parseTemplate(broken, 't.json'))
  t.same(
    faults.map(({ field }) => field),
    [...['one', 'two', 'three', 'four', 'five'].map((a) => `attributes.${a}.sources.0`), 'forms.f.list'],
  )
  for (const wrong of [
    null,
    [],
    {},
    { ...broken, extra: 1 },
    template({ a: { sources: [{ kind: 'regex', form: 'f' }] } }),
    template({ 名: { sources: [] } }),
  ]) {
    t.ok(faultsOf(() => parseTemplate(wrong, 't.json')).every(({ code }) => code === 'BAD_TEMPLATE'))
  }
  const cursed = JSON.parse(
    '{"format":"concordat-declaration-template/1","name":"t","forms":{"f":{}},"attributes":{"x":{"sources":[{"kind":"cell","form":"constructor","cell":"A1"}]}}}',
  )
  t.match(faultsOf(() => parseTemplate(cursed, 't.json'))[0], { message: /no form constructor/ })
})

t.test('any CSV: values, or an error with a code', async () => {
  const cell = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.constantFrom('类型', '专利号', '发明', '合计', '', '"', '企业名称', '注册资本', '\r'),
  )
  fc.assert(
    fc.property(
      fc.array(fc.array(cell, { maxLength: 5 }), { maxLength: 8 }),
      fc.constantFrom('rights.csv', 'registration.csv', 'staff.csv'),
      (rows, file) => {
        faultsOf(() => read({ [file]: rows.map((cells) => cells.join(',')).join('\n') }))
      },
    ),
    { numRuns: 400 },
  )
  fc.assert(
    fc.property(fc.json(), (json) => void faultsOf(() => read({ 'rights.json': json }))),
    { numRuns: 200 },
  )
  fc.assert(
    fc.property(fc.anything(), (json) => void faultsOf(() => parseTemplate(json, 't.json'))),
    { numRuns: 200 },
  )
})

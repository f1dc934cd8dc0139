import { readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { DeclarationError } from '../../../src/agent/declaration/declarationError.js'
import { cellAddress, columnName, type Grid } from '../../../src/agent/declaration/grid.js'
import { dateOfSerial, plainNumber, shownAs } from '../../../src/agent/declaration/numberFormat.js'
import { readWorkbook } from '../../../src/agent/declaration/workbook.js'
import { scanXml } from '../../../src/agent/declaration/xml.js'
import { gridColumnsMax, gridRowsMax, xmlDepthMax } from '../../../src/core/limits.js'
import { writeWorkbook } from './zipWriter.js'

const fixture = (name: string) => {
  return readWorkbook(readFileSync(path.join(process.cwd(), 'test/agent/declaration/fixtures', name)), name)
}
const at = (grid: Grid, address: string): string => {
  const cell = cellAddress(address)!
  return grid.text(cell.row, cell.column)
}
const sheet = (xml: string, options = {}) => readWorkbook(writeWorkbook({ S: xml }, options), 'w.xlsx')[0]!.grid
const cells = (xml: string, options = {}) => sheet(`<sheetData>${xml}</sheetData>`, options)

t.test('a workbook of openpyxl shows what a spreadsheet program shows', async (t) => {
  const [types, hidden] = fixture('types-openpyxl.xlsx')
  const { grid } = types!
  const shown = {
    B1: '0.3',
    B2: '123456789012345',
    B4: '1234567.5',
    B6: '000042',
    B7: '2020-02-29',
    B8: '2020-02-29 13:45:10',
  }
  for (const [address, text] of Object.entries(shown)) t.equal(at(grid, address), text, address)
  t.equal(at(grid, 'B10'), 'TRUE')
  t.equal(at(grid, 'B12'), '6222024402000000123', 'digits as text keep all')
  for (const address of ['B13', 'C13', 'B14', 'C14']) t.equal(at(grid, address), 'over two', `merged ${address}`)
  t.equal(at(grid, 'A16'), 'space')
  t.equal(at(grid, 'B16'), '中文 <&> "q"')
  t.equal(at(grid, 'B17'), '88')
  t.equal(at(grid, 'B20'), '1900-01-01')
  const fails = (address: string, expected: { code: string; [fact: string]: unknown }) =>
    t.throws(() => at(grid, address), expected, address)
  fails('B3', { code: 'CELL_UNUSABLE', message: /types-openpyxl.xlsx, sheet Types, row 3, field B: is shown rounded/ })
  fails('B5', { code: 'CELL_UNUSABLE', message: /another number/ })
  fails('B9', { code: 'CELL_UNUSABLE', message: /formula without a saved result/ })
  fails('B11', { code: 'CELL_UNUSABLE', message: /more than 15 digits/ })
  fails('B18', { code: 'CELL_UNUSABLE', message: /another number/ })
  fails('B19', { code: 'CELL_UNUSABLE', message: /#N\/A/ })
  fails('A15', { code: 'HIDDEN', row: 15 })
  fails('E1', { code: 'HIDDEN', field: 'E' })
  t.same([hidden?.name, hidden?.hidden], ['Hidden', true])
})

t.test('both date systems of XlsxWriter give the same days; saved results of formulas count', async (t) => {
  for (const system of ['1900', '1904']) {
    const { grid } = fixture(`types-${system}-xlsxwriter.xlsx`)[0]!
    const days = ['A1', 'A2', 'A3', 'A4'].map((address) => at(grid, address))
    t.same(days, ['1904-01-02', '1999-12-31', '2024-02-29', '2099-12-31'], system)
    t.same(
      ['A5', 'A6', 'A7', 'A8'].map((address) => at(grid, address)),
      ['3.5', 'ab', 'rich text here', 'FALSE'],
    )
  }
})

t.test('day numbers: the leap day that never was, and an independent calendar', async (t) => {
  t.same(dateOfSerial(59, false)?.date, '1900-02-28')
  t.equal(dateOfSerial(60, false), undefined)
  t.same(dateOfSerial(61, false)?.date, '1900-03-01')
  t.same(dateOfSerial(0, true)?.date, '1904-01-01')
  for (const serial of [0, -1, 2_958_466, Number.NaN, 1e300]) t.equal(dateOfSerial(serial, false), undefined)
  t.same(dateOfSerial(45_000.5, false), { date: '2023-03-15', time: '12:00:00' })
  fc.assert(
    fc.property(fc.integer({ min: 61, max: 2_958_465 }), (serial) => {
      const expected = new Date(Date.UTC(1899, 11, 30) + serial * 86_400_000).toISOString().slice(0, 10)
      return (
        dateOfSerial(serial, false)?.date === expected &&
        dateOfSerial(serial - 1462, true)?.date === (serial >= 1462 ? expected : undefined)
      )
    }),
  )
})

t.test('numbers: 15 digits, never an exponent', async (t) => {
  const pairs: Record<string, string | undefined> = {
    '1E+3': '1000',
    '0.1': '0.1',
    '.5': '0.5',
    '-0.30000000000000004': '-0.3',
    '1.5E-7': '0.00000015',
    '999999999999999': '999999999999999',
    '1000000000000000': undefined,
    '-0': '0',
    '1e400': undefined,
    '1e-300': undefined,
    '1,000': undefined,
    '0x10': undefined,
    Infinity: undefined,
  }
  for (const [given, expected] of Object.entries(pairs)) t.equal(plainNumber(given), expected, given)
  fc.assert(
    fc.property(fc.integer({ min: -999_999_999_999, max: 999_999_999_999 }), fc.nat(3), (units, scale) => {
      return Number(plainNumber(String(units / 10 ** scale))) === units / 10 ** scale
    }),
  )
})

t.test('number formats', async (t) => {
  const kind = (format: string, sign = 1) => {
    const shown = shownAs(format, sign)
    return shown.kind === 'fixed'
      ? `fixed ${shown.decimals} ${shown.pad}`
      : shown.kind === 'date'
        ? `date ${shown.time}`
        : shown.kind
  }
  const formats: Record<string, string> = {
    General: 'general',
    '@': 'general',
    '#,##0.00': 'fixed 2 1',
    '0000': 'fixed 0 4',
    '_ ¥* #,##0.00_ ;_ ¥* -#,##0.00_ ;_ ¥* "-"??_ ;_ @_ ': 'fixed 2 1',
    '[$¥-804]#,##0.0;[Red]-[$¥-804]#,##0.0': 'fixed 1 1',
    'yyyy"年"m"月"': 'date false',
    '[$-409]d-mmm-yy;@': 'date false',
    '[h]:mm:ss': 'date true',
    '0.0%': 'other',
    '0.00E+00': 'other',
    '# ?/?': 'other',
    '#,##0,': 'other',
    '0!.0,"万"': 'other',
  }
  for (const [format, expected] of Object.entries(formats)) t.equal(kind(format), expected, format)
  t.equal(kind('0;0.00', -1), 'fixed 2 1', "the negative's own section")
})

t.test('cells: shared, inline and plain text, positions left out', async (t) => {
  const grid = cells(
    '<row><c t="s"><v>0</v></c><c t="inlineStr"><is><r><t>in</t></r><r><t>line</t></r><rPh><t>x</t></rPh></is></c><c t="str"><f>1</f><v>f</v></c></row><row r="3"><c r="C3"><v>7</v></c><c t="d"><v>2024-02-29T00:00:00</v></c></row>',
    { strings: '<si><t xml:space="preserve"> _x4E2D_ </t><phoneticPr/></si>' },
  )
  t.same(
    ['A1', 'B1', 'C1', 'C3', 'D3', 'Z9'].map((a) => at(grid, a)),
    ['中', 'inline', 'f', '7', '2024-02-29', ''],
  )
  for (const n of [0, 25, 26, 701, 702, 16_383]) t.equal(cellAddress(`${columnName(n)}1`)?.column, n)
})

t.test('hostile workbooks end with a code', async (t) => {
  const bad = (run: () => unknown, code: string, message: RegExp = /./) => t.throws(run, { code, message })
  bad(() => readWorkbook(Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 1, 2), 'w.xlsx'), 'ENCRYPTED', /\.xls/)
  bad(() => sheet('<!DOCTYPE x [<!ENTITY a "b">]>'), 'BAD_XML', /document type/)
  bad(() => cells('<row><c t="str"><v>&xxe;</v></c></row>'), 'BAD_XML', /entity/)
  bad(() => cells('<row><c t="s"><v>5</v></c></row>'), 'BAD_WORKBOOK')
  bad(() => cells('<row r="0"/>'), 'BAD_WORKBOOK')
  bad(() => cells('<row r="1"><c r="A2"><v>1</v></c></row>'), 'BAD_WORKBOOK')
  bad(() => cells('<row><c></row>'), 'BAD_XML')
  bad(() => sheet('<mergeCells><mergeCell ref="B2:A1"/></mergeCells>'), 'BAD_WORKBOOK')
  bad(() => sheet(`<mergeCells>${'<mergeCell ref="A1:A100000"/>'.repeat(11)}</mergeCells>`), 'TOO_LARGE')
  const cell = (address: string) => () => cells(`<row r="${/\d+/.exec(address)}"><c r="${address}"><v>1</v></c></row>`)
  t.equal(cell(`A${gridRowsMax}`)().rowCount, gridRowsMax)
  bad(cell(`A${gridRowsMax + 1}`), 'TOO_LARGE')
  t.equal(at(cell(`${columnName(gridColumnsMax - 1)}1`)(), `${columnName(gridColumnsMax - 1)}1`), '1')
  bad(cell(`${columnName(gridColumnsMax)}1`), 'TOO_LARGE')
  t.equal(sheet('<cols><col min="-1000000000" max="1000000000000" hidden="1"/></cols>').rowCount, 0)
  bad(
    () => readWorkbook(writeWorkbook({}, { extra: [{ name: 'xl/vba', data: 'x', flags: 1 }] }), 'w.xlsx'),
    'ENCRYPTED',
  )
  const nested = (n: number) => () => scanXml(`${'<a>'.repeat(n)}${'</a>'.repeat(n)}`, silent, fail)
  t.doesNotThrow(nested(xmlDepthMax))
  t.throws(nested(xmlDepthMax + 1), /deep/)
})

const silent = { open() {}, text() {}, close() {} }
const fail = (problem: string): never => {
  throw new Error(problem)
}

t.test('XML: what is taken and what is not', async (t) => {
  const seen = (xml: string) => {
    const events: string[] = []
    const open = (name: string, attributes: ReadonlyMap<string, string>) =>
      void events.push(`<${name}${[...attributes].map(([k, v]) => ` ${k}=${v}`).join('')}`)
    scanXml(xml, { open, text: (text) => void events.push(text), close: (name) => void events.push(`>${name}`) }, fail)
    return events.join('|')
  }
  t.equal(
    seen('<?xml version="1.0"?><!-- c --><x:a b = "1 &lt; 2" y:c=\'"\'>t&#20013;<![CDATA[<&]]><d/></x:a>\n'),
    '<a b=1 < 2 c="|t中|<&|<d|>d|>a',
  )
  const refused = [
    '',
    'x',
    '<a>',
    '<a></b>',
    '<a/><b/>',
    '<a b/>',
    '<a b=c/>',
    '<a b="c/>',
    '<a>&#0;</a>',
    '<a>&#x110000;</a>',
    '<a>&amp</a>',
    '<!DOCTYPE a><a/>',
    '<?xml version="1.0" encoding="utf-16"?><a/>',
    '<a/>x',
    '< a/>',
    '<a><!-- </a>',
    '<a/ >',
  ]
  for (const xml of refused) t.throws(() => seen(xml), JSON.stringify(xml))
})

t.test('any bytes: sheets, or an error with a code', async () => {
  const good = readFileSync(path.join(process.cwd(), 'test/agent/declaration/fixtures/types-openpyxl.xlsx'))
  const attempt = (bytes: Uint8Array) => {
    try {
      for (const { grid } of readWorkbook(bytes, 'w.xlsx')) {
        for (let row = 0; row < Math.min(grid.rowCount, 30); row++) {
          for (const column of grid.columnsOf(row)) grid.text(row, column)
        }
      }
    } catch (error) {
      if (!(error instanceof DeclarationError)) throw error
    }
  }
  const flip = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(flip, (changes) => {
      const bytes = Uint8Array.from(good)
      for (const [at, value] of changes) bytes[at] = value
      attempt(bytes)
    }),
    { numRuns: 300 },
  )
  // Broken XML inside of a whole archive, which the checksums would hide.
  const row =
    '<row r="1" hidden="0"><c r="A1" t="s" s="1"><f>A2</f><v>0</v></c><c t="inlineStr"><is><t>x</t></is></c></row>'
  const xml = `<cols><col min="1" max="2" hidden="1"/></cols><sheetData>${row}</sheetData><mergeCells><mergeCell ref="A1:B2"/></mergeCells>`
  const splice = fc.tuple(
    fc.nat(xml.length),
    fc.nat(12),
    fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom('<', '>', '"', '&#', ']]>', '<![CDATA[', '<!--', '</c>', '-1', '1e9', 'XFD99999999'),
    ),
  )
  fc.assert(
    fc.property(fc.array(splice, { minLength: 1, maxLength: 3 }), (edits) => {
      let broken = xml
      for (const [at, length, text] of edits) broken = broken.slice(0, at) + text + broken.slice(at + length)
      attempt(writeWorkbook({ S: broken }, { strings: '<si><t>s</t></si>' }))
    }),
    { numRuns: 400 },
  )
})

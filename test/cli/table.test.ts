import fc from 'fast-check'
import t from 'tap'
import { renderTable } from '../../src/cli/table.js'

t.test('a table without a width keeps its cells on one line', async (t) => {
  const long = 'x'.repeat(300)
  t.ok(renderTable(['a'], [[long]]).includes(long))
})

t.test('a table is no wider than the terminal, and no letter is lost', async () => {
  const cell = fc.string({ unit: fc.constantFrom(...'abcdefgh 0123'), maxLength: 90 })
  const rows = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(rows, fc.integer({ min: 50, max: 120 }), (rows, width) => {
      const lines = renderTable(['one', 'two', 'three'], rows, width).split('\n')
      const inside = lines.filter((line) => line.startsWith('│')).map((line) => line.split('│').slice(1, -1))
      const column = (index: number) => inside.map((cells) => cells[index]!.trim()).join('')
      const squeezed = (text: string) => text.replaceAll(' ', '')
      return (
        lines.every((line) => line.length <= width) &&
        [0, 1, 2].every((index) => {
          const head = ['one', 'two', 'three'][index]!
          return squeezed(column(index)) === squeezed(head + rows.map((row) => row[index]).join(''))
        })
      )
    }),
  )
})

t.test('Chinese letters are two columns wide', async (t) => {
  const lines = renderTable(['名称'], [['成都晨曦软件有限公司高新技术产业开发区']], 30).split('\n')
  t.ok(lines.length > 4, 'so the name is wrapped')
})

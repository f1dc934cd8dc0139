/** How values and ticks are written. */
import t from 'tap'
import { axisTitle, formatMeasured, formatValue, significant, tickLabels } from '../../bench/report/format.js'
import { ticksOf } from '../../bench/report/ticks.js'

t.test('values in the unit that suits them', async (t) => {
  const cases = [
    [12.345, 'ms', '12.3 ms'],
    [999.4, 'ms', '999 ms'],
    [999.6, 'ms', '1.00 s'],
    [1_234, 'ms', '1.23 s'],
    [0.5, 'ms', '500 µs'],
    [0.0042, 's', '4.20 ms'],
    [5_400, 's', '5,400 s'],
    [0.25, 'µs', '0.250 µs'],
    [1_500, 'µs', '1.50 ms'],
    [0, 'ms', '0 ms'],
    [999, 'bytes', '999 B'],
    [999_600, 'bytes', '1.00 MB'],
    [1_500, 'bytes', '1.50 kB'],
    [123_456_789, 'bytes', '123 MB'],
    [-2_500_000, 'bytes', '-2.50 MB'],
    [4.2e12, 'bytes', '4.20 TB'],
    [1.234, 'ratio', '1.23 x'],
    [0.01234, 'ratio', '0.0123 x'],
    [1_234.5, '1/s', '1,230/s'],
    [45.678, 'MB/s', '45.7 MB/s'],
    [12, '%', '12.0 %'],
    [16_384, 'count', '16,384'],
    [2.5, 'count', '2.50'],
  ] as const
  for (const [value, unit, written] of cases) t.equal(formatValue(value, unit), written)
})

t.test('an interval stands in the unit of its value', async (t) => {
  t.equal(formatMeasured({ value: 12.345, low: 11.9, high: 12.84, unit: 'ms' }), '12.3 ms [11.9, 12.8]')
  t.equal(formatMeasured({ value: 1.2e6, low: 900_000, high: 1.5e6, unit: 'bytes' }), '1.20 MB [0.900, 1.50]')
  t.equal(formatMeasured({ value: 3, unit: 'ratio' }), '3.00 x')
})

t.test('what is no number says so', async (t) => {
  t.equal(significant(Number.NaN), 'undefined')
  t.equal(significant(Number.POSITIVE_INFINITY), 'infinite')
  t.equal(significant(1.234e-9), '1.23e-9')
  t.equal(formatValue(Number.POSITIVE_INFINITY, 'ratio'), 'infinite x')
})

t.test('axes', async (t) => {
  t.same(tickLabels([0, 500_000, 1_000_000], 'bytes', false), ['0', '0.5 MB', '1 MB'])
  t.same(tickLabels([1e5, 1e6], 'bytes', true), ['100 kB', '1 MB'])
  t.equal(axisTitle('time', 'ms'), 'time (ms)')
  t.equal(axisTitle('offered', '1/s'), 'offered (per second)')
  t.equal(axisTitle('disk', 'bytes'), 'disk')
})

t.test('ticks hold all values, and their labels do not touch', async (t) => {
  const room = (label: string) => label.length * 8 + 14
  const ranges = [
    [0],
    [0, 0],
    [3],
    [1, 10],
    [0.001, 7],
    [12, 13],
    [999, 1_001],
    [1, 1e9],
    [2, 4, 8, 16],
    [5e-5, 4e5],
    [-3, 8],
  ]
  for (const values of ranges)
    for (const log of [false, true])
      for (const length of [150, 320, 560]) {
        if (log && values.some((value) => value <= 0)) continue
        const { domain, values: ticks, labels } = ticksOf({ unit: 'ms', log, values, fromZero: false, length, room })
        const name = `${values} ${log ? 'log' : 'linear'} ${length}`
        t.ok(domain[0] < domain[1] && Math.min(...values) >= domain[0] && Math.max(...values) <= domain[1], name)
        t.ok(ticks.length >= 2 && ticks.every((tick) => tick >= domain[0] && tick <= domain[1]), `${name}: ${ticks}`)
        const at = (tick: number) => {
          const scaled = (value: number) => (log ? Math.log(value) : value)
          return ((scaled(tick) - scaled(domain[0])) / (scaled(domain[1]) - scaled(domain[0]))) * length
        }
        const gaps = ticks
          .slice(1)
          .map((tick, i) => at(tick) - at(ticks[i]!) - (room(labels[i]!) + room(labels[i + 1]!)) / 2)
        t.ok(
          gaps.every((gap) => gap > -1e-6),
          `${name}: ${labels.join(' ')}`,
        )
      }
})

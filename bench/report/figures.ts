/** Figures: numbers that follow from rows. Whatever number the report says is one, so each can be traced to what was measured. */
import type { Row, Unit } from '../harness/row.js'
import { medianInterval } from '../harness/statistics.js'

export interface Figure {
  /** `storage.F3` */
  readonly id: string
  readonly label: string
  readonly value: number
  /** 95 % interval of a median (or the range where fewer than six repeats allow less); absent for what is not a median. */
  readonly low?: number
  readonly high?: number
  readonly unit: Unit
  /** How it follows from its rows or figures: `median of 6`, `slope of a line through 7 points`, `A / B`. */
  readonly derivation: string
  /** Ids of the rows (`storage-17`) and figures (`storage.F1`) that it follows from. */
  readonly from: readonly string[]
}

/** The figures of one section, numbered as they are made. */
export class Figures {
  readonly all: Figure[] = []

  constructor(
    private readonly section: string,
    /** Rows of this section's experiment. */
    readonly rows: readonly Row[],
  ) {}

  /** Rows with these properties. */
  select(wanted: Partial<Row>): Row[] {
    const entries = Object.entries(wanted) as [keyof Row, Row[keyof Row]][]
    return this.rows.filter((row) => entries.every(([key, value]) => row[key] === value))
  }

  /** Median over the repeats of rows that measure the same; undefined when there are none. */
  median(label: string, wanted: Partial<Row>): Figure | undefined {
    const rows = this.select(wanted)
    if (rows.length === 0) return undefined
    if (new Set(rows.map(({ unit }) => unit)).size > 1) throw new Error(`${label}: rows of different units`)
    const values = rows.map(({ value }) => value)
    const from = rows.map(({ id }) => id)
    if (rows.length === 1)
      return this.#add({ label, value: values[0]!, unit: rows[0]!.unit, derivation: 'one value', from })
    const { median: value, low, high, confidence } = medianInterval(values)
    const derivation = `median of ${rows.length}, interval of ${(confidence * 100).toFixed(1)} %`
    return this.#add({ label, value, low, high, unit: rows[0]!.unit, derivation, from })
  }

  /** Any other function of rows or figures; `derivation` says which. */
  derive(label: string, unit: Unit, value: number, derivation: string, from: readonly (Row | Figure)[]): Figure {
    return this.#add({ label, value, unit, derivation, from: from.map(({ id }) => id) })
  }

  /** `above / below`. */
  ratio(label: string, above: Figure, below: Figure): Figure {
    return this.derive(label, 'ratio', above.value / below.value, `${above.id} / ${below.id}`, [above, below])
  }

  /** Median of the ratios of rows of the same repeat, of which the sides lie close in time; undefined when there are none. */
  pairedRatio(label: string, above: Partial<Row>, below: Partial<Row>): Figure | undefined {
    const pairs = this.select(above).flatMap((row) => {
      const other = this.select({ ...below, repeat: row.repeat })[0]
      return other === undefined ? [] : [[row, other] as const]
    })
    if (pairs.length === 0) return undefined
    const { median: value, low, high, confidence } = medianInterval(pairs.map(([a, b]) => a.value / b.value))
    const derivation = `median of ${pairs.length} ratios of the same repeat, interval of ${(confidence * 100).toFixed(1)} %`
    const from = pairs.flatMap(([a, b]) => [a.id, b.id])
    return this.#add({ label, value, ...(pairs.length > 1 && { low, high }), unit: 'ratio', derivation, from })
  }

  #add(figure: Omit<Figure, 'id'>): Figure {
    const numbered = { id: `${this.section}.F${this.all.length + 1}`, ...figure }
    this.all.push(numbered)
    return numbered
  }
}

/** Every number that the storage section uses. */
import type { Row } from '../harness/row.js'
import type { Figure } from '../report/figures.js'
import {
  CENTRE,
  CONCORDAT,
  COPIES,
  GROWING_PARTS,
  type Line,
  last,
  type StorageFigures,
  VARIANTS,
  type Variant,
} from './storageFigures.js'

export type GrowingPart = (typeof GROWING_PARTS)[number]

/** Of one way to use the chain. Per enterprise, unless it says otherwise. */
export interface OfVariant {
  /** Everything on disk, journals included. */
  readonly line: Line
  readonly at: Figure | undefined
  /** Without journals, which grow and shrink by themselves. */
  readonly slope: Figure | undefined
  readonly parts: Readonly<Record<GrowingPart, Figure | undefined>>
  /** On all nodes. */
  readonly chain: Figure | undefined
  readonly chainOfNode: Figure | undefined
  /** The chain over the records. */
  readonly times: Figure | undefined
  /** Everything over the centre, at the most enterprises. */
  readonly timesCentre: Figure | undefined
  /** What there is beside the owners' records: the chain, and portrait keys in databases. */
  readonly beside: Figure | undefined
  /** Size of an enterprise's records from which copies for the network's departments take more. */
  readonly breakEven: Figure | undefined
  /** Everything with as many enterprises as the centre had, by the line. */
  readonly extended: Figure | undefined
}

export interface Known {
  readonly copies: {
    readonly line: Line
    readonly slope: Figure | undefined
    /** The owners' databases and the copies, of one more enterprise. */
    readonly parts: { readonly owners: Figure | undefined; readonly copies: Figure | undefined }
  }
  readonly centre: { readonly line: Line; readonly owners: Figure | undefined }
  readonly databases: Line
  readonly variants: Readonly<Record<Variant, OfVariant>>
  readonly empty: OfVariant
  readonly full: OfVariant
  readonly submitted: OfVariant
  /** An enterprise's records in one database. */
  readonly record: Figure | undefined
  /** The most that the journals of all nodes took. */
  readonly journals: Figure | undefined
  /** The departments' databases with their agents' portrait keys, over the centre. */
  readonly keysInDatabases: Figure | undefined
  readonly departments: OfDepartments
  readonly running: readonly { readonly part: string; readonly figure: Figure }[]
}

interface OfDepartments {
  readonly copies: Line
  readonly concordat: Line
  readonly ratios: readonly (Figure | undefined)[]
  readonly most: Figure | undefined
  /** What a further department takes for one enterprise. */
  readonly copyOfOne: Figure | undefined
  readonly keyOfOne: Figure | undefined
  readonly crossing: Figure | undefined
  readonly recordForCopy: Figure | undefined
}

const DISK = { quantity: 'disk', part: '' } as const
const DATABASES = 'department databases'
const JOURNAL = { quantity: 'disk', part: 'journal' } as const

export function knownOf(make: StorageFigures): Known {
  const copies = make.line('copies', { ...DISK, system: COPIES })
  const centre = make.line('centre', { ...DISK, system: CENTRE })
  const copiesSlope = make.perEnterprise('copies, one more enterprise', { ...DISK, system: COPIES })
  const record = make.perEnterprise('centre, one more enterprise', { ...DISK, system: CENTRE })
  const slopeOf = (part: string) =>
    make.perEnterprise(`${part}, one more enterprise`, { system: COPIES, quantity: 'disk', part })
  const without = { centre: last(centre), owners: slopeOf(DATABASES), copies: slopeOf('copies'), record }
  const of = (variant: Variant) => ofVariant(make, variant, without)
  const variants = Object.fromEntries(VARIANTS.map((variant) => [variant, of(variant)])) as Record<Variant, OfVariant>
  const databases = make.line('departments’ databases', {
    system: CONCORDAT,
    variant: 'portrait empty',
    quantity: 'disk',
    part: DATABASES,
  })
  const owners = make.line('owners’ databases', { system: COPIES, quantity: 'disk', part: DATABASES })
  return {
    copies: { line: copies, slope: copiesSlope, parts: without },
    centre: { line: centre, owners: overLast(make, 'owners’ databases over the centre', owners, centre) },
    databases,
    variants,
    empty: variants['portrait empty'],
    full: variants['portrait full'],
    submitted: variants.submitted,
    record,
    journals: make.most('journals of all nodes', { ...JOURNAL, system: CONCORDAT }),
    keysInDatabases: overLast(make, 'departments’ databases over the centre', databases, centre),
    departments: ofDepartments(make, record),
    running: runningParts(make),
  }
}

/** What the ways without a chain take: the centre at its largest, the others for one more enterprise. */
interface Without {
  readonly centre: Line[number] | undefined
  readonly owners: Figure | undefined
  readonly copies: Figure | undefined
  readonly record: Figure | undefined
}

function ofVariant(make: StorageFigures, variant: Variant, { centre, owners, copies, record }: Without): OfVariant {
  const own = { system: CONCORDAT, variant }
  const line = make.line(variant, { ...DISK, ...own })
  const at = last(line)
  const all = make.perEnterprise(`${variant}, with journals, one more enterprise`, { ...DISK, ...own })
  const journal = make.perEnterprise(`${variant}, journals, one more enterprise`, { ...own, ...JOURNAL })
  const slope = make.difference(`${variant}, one more enterprise`, all, journal)
  const part = (name: GrowingPart) =>
    make.perEnterprise(`${variant}, ${name}, one more enterprise`, { ...own, quantity: 'disk', part: name })
  const parts = Object.fromEntries(GROWING_PARTS.map((name) => [name, part(name)])) as OfVariant['parts']
  const chain = make.difference(`${variant}, chain of all nodes, one more enterprise`, slope, parts[DATABASES])
  const chainOfNode = make.perEnterprise(`${variant}, chain of one node, one more enterprise`, {
    ...own,
    quantity: 'chain of a node',
  })
  const beside = make.difference(`${variant}, beside the owners’ records, one more enterprise`, slope, owners)
  const times = make.ratio(`${variant}, beside the owners’ records, over copies`, beside, copies)
  return {
    line,
    at: at?.figure,
    slope,
    parts,
    chain,
    chainOfNode,
    times: make.ratio(`${variant}, chain over records`, chain, record),
    timesCentre:
      at?.x === centre?.x
        ? make.ratio(`${variant}, everything over the centre`, at?.figure, centre?.figure)
        : undefined,
    beside,
    extended:
      centre === undefined
        ? undefined
        : make.extended(`${variant}, everything at ${centre.x} enterprises`, line, centre.x),
    breakEven: make.product(`${variant}, size of records from which copies take more`, record, times),
  }
}

/** At the most using departments, and what each adds. */
function ofDepartments(make: StorageFigures, record: Figure | undefined): OfDepartments {
  const axis = 'using departments'
  const wanted = (system: string): Partial<Row> => ({ system, quantity: 'disk by departments', part: '' })
  const copies = make.line('copies', wanted(COPIES), axis)
  const concordat = make.line('concordat', wanted(CONCORDAT), axis)
  const ratios = concordat.map(({ x, figure }) =>
    make.ratio(`concordat over copies, ${x} using departments`, figure, copies.find((point) => point.x === x)?.figure),
  )
  const [enterprises] = make.figures.select({ quantity: 'enterprises of the departments' })
  const count =
    enterprises &&
    make.figures.derive('enterprises with more departments', 'count', enterprises.value, 'one value', [enterprises])
  const each = (label: string, all: Figure | undefined) => {
    if (all === undefined || count === undefined) return undefined
    return make.figures.derive(label, 'bytes', all.value / count.value, `${all.id} / ${count.id}`, [all, count])
  }
  const copyOfOne = each('a copy of one enterprise', make.perDepartment('one more copy', { system: COPIES }))
  const withJournals = make.perDepartment('one more department, with journals', { system: CONCORDAT })
  const journals = make.perDepartment('one more department, journals', { system: CONCORDAT, part: 'journal' })
  const keyOfOne = each(
    'a portrait key of one enterprise',
    make.difference('one more department', withJournals, journals),
  )
  const most = last(concordat)
  return {
    copies,
    concordat,
    ratios,
    most: most && make.figures.derive('most using departments', 'count', most.x, 'x of its row', [most.figure]),
    copyOfOne,
    keyOfOne,
    crossing: make.crossing('using departments from which concordat takes less', copies, concordat),
    recordForCopy: make.product(
      'size of records from which a copy takes more than a portrait key',
      record,
      make.ratio('portrait key over copy', keyOfOne, copyOfOne),
    ),
  }
}

/** Both at the most enterprises that both have. */
function overLast(make: StorageFigures, label: string, above: Line, below: Line): Figure | undefined {
  const common = above.filter(({ x }) => below.some((point) => point.x === x))
  const x = common.at(-1)?.x
  return make.ratio(label, common.at(-1)?.figure, below.find((point) => point.x === x)?.figure)
}

function runningParts({ figures }: StorageFigures) {
  return figures.select({ variant: 'running network', quantity: 'disk' }).flatMap(({ part }) => {
    const figure = figures.median(`running network, ${part || 'everything'}`, {
      variant: 'running network',
      quantity: 'disk',
      part,
    })
    return figure === undefined ? [] : [{ part: part || 'everything', figure }]
  })
}

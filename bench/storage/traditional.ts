/** Measures the ways without a chain: departments with imported copies, one data centre. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type DatasetCompany,
  type DatasetOptions,
  datasetCompanies,
  datasetSizes,
} from '../../src/agent/dataset/generate.js'
import { interleaved, type Run } from '../harness/experiment.js'
import { type DiskUse, sumOf } from './disk.js'
import { FIRST_USERS, OWNERS, RecordStores } from './recordStores.js'
import { USERS } from './sizes.js'

const SYSTEMS = ['traditional copies', 'traditional centre'] as const
const COMPACT = { compact: true } as const
/** Enterprises kept in memory at a time. */
const CHUNK = 12_000

/** With how many enterprises the number of using departments was varied. */
export const COUNTED = { quantity: 'enterprises of the departments', unit: 'count' } as const

type Report = (share: number) => void

/** Both ways, fed with the same enterprises step by step. */
export async function growTraditional(
  run: Run,
  companies: readonly DatasetCompany[],
  steps: number,
  report: Report,
): Promise<void> {
  const { repeats } = run.settings
  let done = 0
  for (const { repeat, side } of interleaved(SYSTEMS, repeats)) {
    await withFolder(async (dir) => {
      const stores = storesOf(side, dir)
      await stores.add([], COMPACT)
      record(run, side, 0, repeat, stores.uses())
      for (let step = 1; step <= steps; step++) {
        run.check()
        await stores.add(stepOf(companies, step, steps), COMPACT)
        record(run, side, countAt(companies.length, step, steps), repeat, stores.uses())
        report((done + step / steps) / (repeats * SYSTEMS.length))
      }
    })
    done++
  }
}

/** A multiple of the dataset, once. */
export async function fillTraditional(run: Run, dataset: DatasetOptions, report: Report): Promise<void> {
  const total = Math.max(...Object.values(datasetSizes(dataset)))
  await withFolder(async (dir) => {
    const sides = SYSTEMS.map((side) => ({ side, stores: storesOf(side, join(dir, side)) }))
    let added = 0
    for (const companies of chunks(datasetCompanies(dataset))) {
      run.check()
      for (const { stores } of sides) await stores.add(companies, { compact: added + companies.length === total })
      added += companies.length
      report(added / total)
    }
    for (const { side, stores } of sides) record(run, side, total, 0, stores.uses())
  })
}

/** The same enterprises with more and more departments that use their records. */
export async function addCopies(run: Run, companies: readonly DatasetCompany[], report: Report): Promise<void> {
  const { repeats } = run.settings
  run.record({ ...COUNTED, system: SYSTEMS[0], value: companies.length })
  for (let repeat = 1; repeat <= repeats; repeat++) {
    run.check()
    await withFolder(async (dir) => {
      const stores = RecordStores.copies(dir, Math.max(...USERS))
      await stores.add(companies, COMPACT)
      const uses = stores.uses()
      for (const x of USERS) {
        const { bytes: value } = sumOf(uses.slice(0, OWNERS + x))
        const quantity = 'disk by departments'
        run.record({ system: SYSTEMS[0], quantity, unit: 'bytes', value, axis: 'using departments', x, repeat })
      }
    })
    report(repeat / repeats)
  }
}

function storesOf(side: (typeof SYSTEMS)[number], dir: string): RecordStores {
  return side === 'traditional copies' ? RecordStores.copies(dir, FIRST_USERS.length) : RecordStores.centre(dir)
}

function record(run: Run, system: (typeof SYSTEMS)[number], x: number, repeat: number, uses: readonly DiskUse[]): void {
  const at = { system, unit: 'bytes', axis: 'enterprises', x, repeat } as const
  const { bytes, allocatedBytes } = sumOf(uses)
  run.record({ ...at, quantity: 'disk', value: bytes })
  run.record({ ...at, quantity: 'disk allocated', value: allocatedBytes })
  if (system === 'traditional centre') return
  run.record({ ...at, quantity: 'disk', part: 'department databases', value: sumOf(uses.slice(0, OWNERS)).bytes })
  run.record({ ...at, quantity: 'disk', part: 'copies', value: sumOf(uses.slice(OWNERS)).bytes })
}

/** Enterprises after `step` of `steps` equal steps. */
export const countAt = (total: number, step: number, steps: number): number => Math.round((total * step) / steps)

/** What comes with this step. */
export function stepOf<T>(items: readonly T[], step: number, steps: number): readonly T[] {
  return items.slice(countAt(items.length, step - 1, steps), countAt(items.length, step, steps))
}

export function* chunks<T>(items: Iterable<T>): Generator<T[]> {
  let chunk: T[] = []
  for (const item of items) {
    chunk.push(item)
    if (chunk.length < CHUNK) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}

async function withFolder(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'concordat-stores-'))
  try {
    await use(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

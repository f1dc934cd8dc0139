/** Measures concordat: networks that grow, one for each way in which the chain is used. */
import type { DatasetCompany, DatasetOptions } from '../../src/agent/dataset/generate.js'
import { datasetCompanies, datasetSizes } from '../../src/agent/dataset/generate.js'
import type { Run } from '../harness/experiment.js'
import type { Measurement } from '../harness/row.js'
import { CHAIN_PARTS } from './nodeDisk.js'
import { FIRST_USERS } from './recordStores.js'
import { type NetworkDisk, SharingNetwork } from './sharingNetwork.js'
import { USERS } from './sizes.js'
import { within } from './stages.js'
import { COUNTED, chunks, countAt, stepOf } from './traditional.js'

type Report = (share: number) => void
type Companies = readonly DatasetCompany[]

/** Enterprises are registered and share their portrait keys; nobody asks. */
export function growEmpty(run: Run, companies: Companies, steps: number, report: Report): Promise<void> {
  return withNetwork(run, async (network) => {
    recordGrowth(run, 'portrait empty', 0, await network.measure())
    for (let step = 1; step <= steps; step++) {
      await network.join(stepOf(companies, step, steps), FIRST_USERS, within(report, (step - 1) / steps, step / steps))
      recordGrowth(run, 'portrait empty', countAt(companies.length, step, steps), await network.measure())
    }
  })
}

/** The same with a multiple of the dataset, measured at its end. */
export function fillEmpty(run: Run, dataset: DatasetOptions, report: Report): Promise<void> {
  const total = Math.max(...Object.values(datasetSizes(dataset)))
  return withNetwork(run, async (network) => {
    for (const companies of chunks(datasetCompanies(dataset))) {
      const from = network.enterprises.length
      await network.join(companies, FIRST_USERS, within(report, from / total, (from + companies.length) / total))
    }
    recordGrowth(run, 'portrait empty', total, await network.measure())
  })
}

/**
 * One network has both libraries at several sizes, since a library that is full is half full as soon as as many enterprises
 * have joined again. In quarters of `companies`.
 */
const LIBRARY = [
  { joined: 1, asked: 1, variant: 'portrait full' },
  { joined: 2, asked: 1, variant: 'portrait half' },
  { joined: 2, asked: 2, variant: 'portrait full' },
  { joined: 4, asked: 2, variant: 'portrait half' },
  { joined: 4, asked: 4, variant: 'portrait full' },
] as const

/** The access department asks about half of the enterprises, or about all. */
export function growLibrary(run: Run, companies: Companies, report: Report): Promise<void> {
  const at = (quarters: number) => countAt(companies.length, quarters, 4)
  return withNetwork(run, async (network) => {
    const empty = await network.measure()
    for (const variant of ['portrait half', 'portrait full'] as const) recordGrowth(run, variant, 0, empty)
    for (const [index, { joined, asked, variant }] of LIBRARY.entries()) {
      const before = LIBRARY[index - 1]?.asked ?? 0
      const coming = companies.slice(network.enterprises.length, at(joined))
      if (coming.length > 0) await network.join(coming, FIRST_USERS, () => report(before / 4))
      await network.ask(at(asked), within(report, before / 4, asked / 4))
      recordGrowth(run, variant, at(joined), await network.measure())
    }
  })
}

/** Every enterprise's records reach the departments through the chain. */
export function growSubmitted(run: Run, companies: Companies, steps: number, report: Report): Promise<void> {
  return withNetwork(run, async (network) => {
    recordGrowth(run, 'submitted', 0, await network.measure())
    for (let step = 1; step <= steps; step++) {
      await network.submit(stepOf(companies, step, steps), within(report, (step - 1) / steps, step / steps))
      recordGrowth(run, 'submitted', countAt(companies.length, step, steps), await network.measure())
    }
  })
}

/** More and more departments may ask: each needs every enterprise's portrait key. */
export function addUsers(run: Run, companies: Companies, report: Report): Promise<void> {
  run.record({ ...COUNTED, system: 'concordat', value: companies.length })
  return withNetwork(run, async (network) => {
    for (const [index, users] of USERS.entries()) {
      const progress = within(report, index / USERS.length, (index + 1) / USERS.length)
      if (index === 0) await network.join(companies, FIRST_USERS.slice(0, users), progress)
      else await network.share(network.enterprises, await usersBetween(network, USERS[index - 1]!, users), progress)
      const disk = await network.measure()
      recordParts(run, disk, {
        variant: 'portrait empty',
        quantity: 'disk by departments',
        axis: 'using departments',
        x: users,
      })
    }
  })
}

async function usersBetween(network: SharingNetwork, from: number, to: number): Promise<readonly string[]> {
  const own = FIRST_USERS.slice(from, to)
  const others = Array.from({ length: to - from - own.length }, (_, i) => `department-${from + own.length + i + 1}`)
  return [...own, ...(await network.addDepartments(others))]
}

function recordGrowth(run: Run, variant: string, x: number, disk: NetworkDisk): void {
  const at = { variant, axis: 'enterprises', x } as const
  recordParts(run, disk, { ...at, quantity: 'disk' })
  const allocated = disk.nodes.reduce((sum, node) => sum + node.allocatedBytes, disk.departments.allocatedBytes)
  run.record({ ...at, system: 'concordat', quantity: 'disk allocated', unit: 'bytes', value: allocated })
  for (const { name: part, bytes, parts } of disk.nodes) {
    const value = bytes - parts.journal
    run.record({ ...at, system: 'concordat', quantity: 'chain of a node', part, unit: 'bytes', value })
  }
}

/** The whole and its parts. */
export function recordParts(
  run: Run,
  { departments, nodes }: NetworkDisk,
  series: Pick<Measurement, 'quantity' | 'variant' | 'axis' | 'x'>,
): void {
  const add = (part: string, value: number) =>
    run.record({ ...series, system: 'concordat', part, unit: 'bytes', value: Math.round(value) })
  add(
    '',
    nodes.reduce((sum, { bytes }) => sum + bytes, departments.bytes),
  )
  add('department databases', departments.bytes)
  for (const part of CHAIN_PARTS)
    add(
      part,
      nodes.reduce((sum, { parts }) => sum + parts[part], 0),
    )
}

async function withNetwork(run: Run, use: (network: SharingNetwork) => Promise<void>): Promise<void> {
  run.check()
  const { settings, signal } = run
  const network = await SharingNetwork.open({ basePort: settings.basePort, seed: settings.seed, signal })
  try {
    await use(network)
  } catch (error) {
    const trouble = signal.aborted ? '' : network.testbed.trouble()
    if (trouble === '') throw error
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${trouble}`, { cause: error })
  } finally {
    await network.close()
  }
}

/** Storage (paper 5.1, Fig. 8): what the records of growing numbers of enterprises take on disk, and what sharing them adds. */
import { datasetCompanies } from '../../src/agent/dataset/generate.js'
import type { Experiment, Run, Settings } from '../harness/experiment.js'
import { addUsers, fillEmpty, growEmpty, growLibrary, growSubmitted } from './chainGrowth.js'
import { measureRunning } from './running.js'
import { CHAIN_SCALE_MAX, SECONDS, type Sizes, sizesOf, USERS } from './sizes.js'
import { runStages, type Stage, secondsOf } from './stages.js'
import { addCopies, fillTraditional, growTraditional } from './traditional.js'

const RUNNING_SECONDS = 20
/** Stores of both ways without a chain, in rows written for one enterprise: three owners, four copies, one centre. */
const STORES = 6

export const storageExperiment: Experiment = {
  name: 'storage',
  title: 'Storage',
  estimate: (settings) =>
    settings.network === undefined ? secondsOf(stagesOf(settings, sizesOf(settings))) : RUNNING_SECONDS,
  async run(run) {
    const { settings } = run
    if (settings.network !== undefined) return measureRunning(run, settings.network)
    const sizes = sizesOf(settings)
    noteLimits(run, sizes)
    await runStages(run, stagesOf(settings, sizes, run))
  },
}

/** Without `run` only for the expected duration. */
export function stagesOf(settings: Settings, sizes: Sizes, run?: Run): Stage[] {
  const { repeats, seed, scales } = settings
  const dataset = { seed, records: sizes.enterprises }
  const companies = run === undefined ? [] : [...datasetCompanies(dataset)]
  const stage = (
    label: string,
    seconds: number,
    work: (run: Run, report: (share: number) => void) => Promise<void>,
  ) => ({
    label,
    seconds,
    work: (report: (share: number) => void) => work(run!, report),
  })
  const grown = STORES * repeats * SECONDS.stored
  const stages = scales.includes(1)
    ? [
        stage('copies and centre', grown * sizes.enterprises, (run, report) =>
          growTraditional(run, companies, sizes.steps, report),
        ),
        stage('more copies', repeats * Math.max(...USERS) * SECONDS.stored * sizes.shared, (run, report) =>
          addCopies(run, companies.slice(0, sizes.shared), report),
        ),
        stage('chain, portrait empty', SECONDS.network + SECONDS.joined * sizes.enterprises, (run, report) =>
          growEmpty(run, companies, sizes.steps, report),
        ),
        stage('chain, portrait filling', SECONDS.network + SECONDS.asked * sizes.asked, (run, report) =>
          growLibrary(run, companies.slice(0, sizes.asked), report),
        ),
        stage('chain, submissions', SECONDS.network + SECONDS.submitted * sizes.submitted, (run, report) =>
          growSubmitted(run, companies.slice(0, sizes.submitted), sizes.steps, report),
        ),
        stage('chain, more departments', SECONDS.network + SECONDS.shared * sizes.shared, (run, report) =>
          addUsers(run, companies.slice(0, sizes.shared), report),
        ),
      ]
    : []
  for (const scale of scales.filter((one) => one > 1)) {
    const enterprises = sizes.enterprises * scale
    stages.push(
      stage(`copies and centre, ${scale} times`, STORES * SECONDS.stored * enterprises, (run, report) =>
        fillTraditional(run, { ...dataset, scale }, report),
      ),
    )
    if (scale > CHAIN_SCALE_MAX) continue
    stages.push(
      stage(`chain, ${scale} times`, SECONDS.network + SECONDS.joined * enterprises, (run, report) =>
        fillEmpty(run, { ...dataset, scale }, report),
      ),
    )
  }
  return stages
}

function noteLimits(run: Run, sizes: Sizes): void {
  run.note(
    'Each chain was measured once a point: what it has on disk follows from its transactions, and only the number of blocks differs between runs.',
  )
  const fewer = [sizes.asked, sizes.submitted, sizes.shared].filter((count) => count < sizes.enterprises)
  if (fewer.length > 0) {
    run.note(
      `Portraits were filled for ${sizes.asked} enterprises, ${sizes.submitted} submitted through the chain, and more departments were added with ${sizes.shared}, not ${sizes.enterprises}: these take tens of milliseconds an enterprise. What is said of more continues the line through the measured points.`,
    )
  }
  run.note(
    'The departments’ agents ran in the process of the bench, not beside their nodes, so that databases could be loaded and compacted between the steps.',
  )
  run.note(
    'Departments beyond the four of the network ask through its nodes; they have no node, agent or database of their own.',
  )
  for (const scale of run.settings.scales.filter((one) => one > CHAIN_SCALE_MAX)) {
    run.note(`The chain was not measured with ${scale} times the dataset: registering so many enterprises takes hours.`)
  }
}

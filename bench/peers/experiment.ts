/** `bench peers`: the paper's own stack (geth, Ethereum proof of authority, Solidity) beside ours, with the same agents and workload. */
import { datasetCompanies } from '../../src/agent/dataset/generate.js'
import { createRandom } from '../../src/agent/dataset/random.js'
import { type Experiment, interleaved, type Run } from '../harness/experiment.js'
import { untilIdle } from '../testbed/idle.js'
import { abortable } from '../testbed/loops.js'
import { enterpriseOf, registerEnterprises, sharePortraitKeys } from '../testbed/population.js'
import { findGeth, HOW_TO_GET } from './geth.js'
import { canMeasureProcesses } from './processUsage.js'
import { ASKING, Asker, type KnownAnswers } from './queries.js'
import { NETWORKS_MAX, type Preparation, Renewable } from './renewable.js'
import { concordat, gethClique, type Side, type System } from './side.js'
import { FULL, type PeersSizes, QUICK } from './sizes.js'
import { StandstillError } from './standstill.js'
import { Submitting } from './submissions.js'

/** Between the first ports of two networks; each has its RPC, metrics and p2p 1,000 apart. */
const PORTS_APART = 20
/** Queries and load of each side before what counts: caches, connections, compiled code. */
const WARM_UP_QUERIES = 1
const WARM_UP_SECONDS = 3
/** Shares of the experiment's time at which its parts end. */
const ENDS = { opening: 0.2, queries: 0.45, submissions: 0.95 } as const

export const peersExperiment: Experiment = {
  name: 'peers',
  title: 'Peers: geth with Clique',
  available: async () => 'version' in (await findGeth()),
  estimate: ({ quick }) => (quick ? 90 : 400),
  async run(run) {
    const geth = await findGeth()
    if ('problem' in geth) {
      run.note(`not measured: ${geth.problem}. ${HOW_TO_GET}`)
      process.stderr.write(`\n${geth.problem}. ${HOW_TO_GET}\n`)
      return
    }
    const sizes = run.settings.quick ? QUICK : FULL
    const repeats = Math.min(run.settings.repeats, sizes.repeatsMax)
    noteCircumstances(run, geth.version, repeats)
    try {
      await measure(run, sizes, repeats, [concordat, gethClique])
    } catch (error) {
      if (!(error instanceof StandstillError)) throw error
      run.note(`ended early after ${NETWORKS_MAX} standstills`)
      process.stderr.write(`\n${error.message}\n`)
    }
  },
}

function noteCircumstances({ note, settings }: Run, version: string, repeats: number): void {
  note(`geth ${version}; what its Solidity contracts leave out is listed in bench/peers/README.md`)
  note(
    'Clique knows no finality: a block counts as final here when a majority of the sealers has sealed it or a block upon it',
  )
  if (repeats < settings.repeats) note(`${repeats} repeats instead of ${settings.repeats}, to keep within the time`)
  if (!canMeasureProcesses()) note('CPU time and memory were not measured: this system has no /proc')
  if (settings.network !== undefined)
    note('the running network was not used: the systems have to run on one machine, side by side')
}

/** Opens the systems, measures all of them in turn, and closes them. */
export async function measure(run: Run, sizes: PeersSizes, repeats: number, systems: readonly System[]): Promise<void> {
  const known: KnownAnswers = new Map()
  const all = systems.map(
    (system, index) => new Renewable(system, run, preparation(run, sizes, repeats, index, system, known)),
  )
  try {
    for (const [index, one] of all.entries()) {
      run.check()
      run.progress((ENDS.opening * index) / all.length, `${one.system.name}: starting the network`)
      await one.open()
      await one.rest()
    }
    await queries(run, sizes, repeats, all)
    await Promise.all(all.map((one) => one.stopAgents()))
    await submissions(run, sizes, repeats, all)
    run.progress(ENDS.submissions, 'compacting the stores')
    for (const { side } of all) await disk(run, side)
  } finally {
    for (const { system, standstills } of all) {
      if (system.standsStill)
        run.record({ system: system.name, quantity: 'standstills', unit: 'count', value: standstills })
    }
    await Promise.all(all.map((one) => one.close()))
  }
}

function preparation(
  run: Run,
  sizes: PeersSizes,
  repeats: number,
  index: number,
  system: System,
  known: KnownAnswers,
): Preparation {
  const { settings, signal } = run
  const { seed, basePort } = settings
  const dataset = { seed, records: sizes.enterprises }
  return {
    open() {
      const companies = [...datasetCompanies(dataset)].slice(0, sizes.enterprises)
      const enterprises = companies.map((company) => enterpriseOf(company, seed))
      return system.open({ basePort: basePort + index * PORTS_APART, dataset, enterprises, signal })
    },
    async populate({ testbed, enterprises }, signal) {
      await registerEnterprises(testbed, enterprises, undefined, signal)
      const asked = enterprises.slice(0, WARM_UP_QUERIES + repeats * sizes.coldQueries)
      await sharePortraitKeys(testbed, asked, [ASKING], undefined, signal)
      await untilIdle(testbed.clients, signal)
    },
    async asker(side, signal) {
      const asker = await Asker.open(side, known)
      try {
        await asker.cold(side.enterprises.slice(0, WARM_UP_QUERIES), signal)
        return asker
      } catch (error) {
        asker.close()
        throw error
      }
    },
    async submitting(side, signal) {
      const submitting = await Submitting.open(side, run)
      await submitting.warmUp(signal, { clients: sizes.clients.at(-1)!, departments: 3, seconds: WARM_UP_SECONDS })
      return submitting
    },
  }
}

async function queries(run: Run, sizes: PeersSizes, repeats: number, all: readonly Renewable[]): Promise<void> {
  const { coldQueries: count, hits } = sizes
  const step = steps(run, ENDS.opening, ENDS.queries, all.length * (repeats + 1))
  for (const one of all) {
    step(`${one.system.name}: first query`)
    await one.asking(async () => {})
    await one.rest()
  }
  for (const { side: one, repeat } of interleaved(all, repeats)) {
    step(`${one.system.name}: queries`)
    const from = WARM_UP_QUERIES + (repeat - 1) * count
    await one.asking((asker, signal) => asker.measure(run, signal, repeat, { from, count, hits }))
    await one.rest()
  }
}

async function submissions(run: Run, sizes: PeersSizes, repeats: number, all: readonly Renewable[]): Promise<void> {
  const { clients, departments, loopSeconds: seconds } = sizes
  const shapes = clients.flatMap((count) => departments.map((each) => ({ clients: count, departments: each, seconds })))
  const step = steps(run, ENDS.queries, ENDS.submissions, all.length * (1 + repeats * (1 + shapes.length)))
  const random = createRandom(`${run.settings.seed}/peers`)
  for (const one of all) {
    step(`${one.system.name}: warm-up`)
    await one.submitting(async () => {})
    await one.rest()
  }
  for (const { side: one, repeat } of interleaved(all, repeats)) {
    step(`${one.system.name}: single submissions`)
    await one.submitting((submitting, signal) => submitting.writes(signal, repeat, sizes.writes, () => random.unit()))
    for (const shape of shapes) {
      step(`${one.system.name}: ${shape.clients} clients`)
      await one.submitting((submitting, signal) => submitting.loop(signal, repeat, shape))
    }
    await one.rest()
  }
}

async function disk(run: Run, side: Side): Promise<void> {
  run.check()
  const { system, testbed } = side
  const count = async (address: string) =>
    Number(await testbed.clients[0]!.request('eth_getTransactionCount', [address, 'latest']))
  const senders = [...Object.values(testbed.network.accounts), ...side.enterprises]
  const counts = await abortable(Promise.all(senders.map(({ address }) => count(address))), run.signal)
  const transactions = counts.reduce((sum, one) => sum + one, 0)
  const { bytes, journalBytes } = await side.disk(run.signal)
  run.record({ system, quantity: 'disk', unit: 'bytes', value: bytes })
  run.record({ system, quantity: 'disk', part: 'journal', unit: 'bytes', value: journalBytes })
  run.record({ system, quantity: 'transactions', unit: 'count', value: transactions })
  const perTransaction = (bytes - journalBytes) / testbed.network.nodes.length / transactions
  run.record({ system, quantity: 'disk of a transaction', unit: 'bytes', value: perTransaction })
}

/** Says what is done, with the share of the time; throws when the user has interrupted. */
function steps(run: Run, from: number, to: number, count: number): (label: string) => void {
  let done = 0
  return (label) => {
    run.check()
    run.progress(from + ((to - from) * done++) / count, label)
  }
}

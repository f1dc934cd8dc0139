/** `bench peers`: the paper's own stack (geth, Ethereum proof of authority, Solidity) beside ours, with the same agents and workload. */
import { datasetCompanies } from '../../src/agent/dataset/generate.js'
import { createRandom } from '../../src/agent/dataset/random.js'
import { type Experiment, interleaved, type Run } from '../harness/experiment.js'
import { untilIdle } from '../testbed/idle.js'
import { enterpriseOf, registerEnterprises, sharePortraitKeys } from '../testbed/population.js'
import { findGeth, HOW_TO_GET } from './geth.js'
import { canMeasureProcesses } from './processUsage.js'
import { ASKING, Asker, type KnownAnswers } from './queries.js'
import { awake, openConcordat, openGeth, type Side, type SideOptions } from './side.js'
import { FULL, type PeersSizes, QUICK } from './sizes.js'
import { StandstillError, unlessStandstill } from './standstill.js'
import { Submitting } from './submissions.js'

/** Patience with what precedes the first measurement. */
const POPULATE_TIMEOUT_MS = 120_000
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
      await measure(run, sizes, repeats, [openConcordat, openGeth])
    } catch (error) {
      if (!(error instanceof StandstillError)) throw error
      run.note(`ended early, since Clique's sealers waited for each other (EIP-3436): ${error.message}`)
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

type Opener = (options: SideOptions) => Promise<Side>

/** Opens the systems, measures all of them in turn, and closes them. */
export async function measure(run: Run, sizes: PeersSizes, repeats: number, openers: readonly Opener[]): Promise<void> {
  const sides: Side[] = []
  try {
    for (const [index, open] of openers.entries()) {
      run.check()
      run.progress((ENDS.opening * index) / openers.length, 'starting networks')
      sides.push(await opened(run, sizes, index, open))
      await populate(run, sizes, repeats, sides.at(-1)!)
    }
    await queries(run, sizes, repeats, sides)
    await Promise.all(sides.map((side) => side.stopAgents()))
    await submissions(run, sizes, repeats, sides)
    run.progress(ENDS.submissions, 'compacting the stores')
    for (const side of sides) await disk(run, side)
  } finally {
    await Promise.all(sides.map((side) => side.close()))
  }
}

function opened({ settings }: Run, { enterprises: records }: PeersSizes, index: number, open: Opener): Promise<Side> {
  const { seed, basePort } = settings
  const dataset = { seed, records }
  const companies = [...datasetCompanies(dataset)].slice(0, records)
  const enterprises = companies.map((company) => enterpriseOf(company, seed))
  return open({ basePort: basePort + index * PORTS_APART, dataset, enterprises })
}

/** Registers the enterprises; those that are asked about give their portrait keys to the asking department. */
async function populate({ signal }: Run, sizes: PeersSizes, repeats: number, side: Side): Promise<void> {
  const { system, testbed, enterprises } = side
  const work = async () => {
    await registerEnterprises(testbed, enterprises, undefined, signal)
    const asked = enterprises.slice(0, WARM_UP_QUERIES + repeats * sizes.coldQueries)
    await sharePortraitKeys(testbed, asked, [ASKING], undefined, signal)
    await untilIdle(testbed.clients, signal)
  }
  await unlessStandstill(work(), `registering enterprises on ${system}`, POPULATE_TIMEOUT_MS, signal)
  await side.setActive(false)
}

async function queries(run: Run, sizes: PeersSizes, repeats: number, sides: readonly Side[]): Promise<void> {
  const { coldQueries, hits } = sizes
  const known: KnownAnswers = new Map()
  const askers: Asker[] = []
  const step = steps(run, ENDS.opening, ENDS.queries, sides.length * (repeats + 1))
  try {
    for (const side of sides) {
      step(`${side.system}: first query`)
      const asker = await Asker.open(side, known)
      askers.push(asker)
      await awake(side, () => asker.cold(side.enterprises.slice(0, WARM_UP_QUERIES)))
    }
    for (const { side: asker, repeat } of interleaved(askers, repeats)) {
      step(`${asker.side.system}: queries`)
      const from = WARM_UP_QUERIES + (repeat - 1) * coldQueries
      await awake(asker.side, () => asker.measure(run, repeat, from, coldQueries, hits))
    }
  } finally {
    for (const asker of askers) asker.close()
  }
}

async function submissions(run: Run, sizes: PeersSizes, repeats: number, sides: readonly Side[]): Promise<void> {
  const { clients, departments, loopSeconds: seconds } = sizes
  const shapes = clients.flatMap((count) => departments.map((each) => ({ clients: count, departments: each, seconds })))
  const step = steps(run, ENDS.queries, ENDS.submissions, sides.length * (1 + repeats * (1 + shapes.length)))
  const random = createRandom(`${run.settings.seed}/peers`)
  const all: Submitting[] = []
  for (const side of sides) {
    step(`${side.system}: warm-up`)
    const submitting = await Submitting.open(side, run)
    all.push(submitting)
    await awake(side, () => submitting.warmUp({ clients: clients.at(-1)!, departments: 3, seconds: WARM_UP_SECONDS }))
  }
  for (const { side: submitting, repeat } of interleaved(all, repeats)) {
    const { side } = submitting
    await awake(side, async () => {
      step(`${side.system}: single submissions`)
      await submitting.writes(repeat, sizes.writes, () => random.unit())
      for (const shape of shapes) {
        step(`${side.system}: ${shape.clients} clients`)
        await submitting.loop(repeat, shape)
      }
    })
  }
}

async function disk(run: Run, side: Side): Promise<void> {
  run.check()
  const { system, testbed } = side
  const count = async (address: string) =>
    Number(await testbed.clients[0]!.request('eth_getTransactionCount', [address, 'latest']))
  const senders = [...Object.values(testbed.network.accounts), ...side.enterprises]
  const counts = await Promise.all(senders.map(({ address }) => count(address)))
  const transactions = counts.reduce((sum, one) => sum + one, 0)
  const { bytes, journalBytes } = await side.disk()
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

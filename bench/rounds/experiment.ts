/** What it costs when sealers are away: their turns are skipped, and rounds begin again when they return. */
import { type Experiment, interleaved, type Run, type Settings } from '../harness/experiment.js'
import { LinkProxies } from '../testbed/linkProxies.js'
import { LoadedNetwork } from '../testbed/loadedNetwork.js'
import { Events } from './events.js'
import { SIDES, Sides } from './sides.js'
import { FULL, QUICK, type RoundsSizes } from './sizes.js'

const NODES = 4
/** Submissions go to the nodes that are never away. */
const TAKING = 2
const START_SECONDS = 12
/** To kill a node, start it again and let it catch up. */
const CHANGE_SECONDS = 3

const sizesOf = (settings: Settings): RoundsSizes => (settings.quick ? QUICK : FULL)

export const roundsExperiment: Experiment = {
  name: 'rounds',
  title: 'Rounds',
  estimate(settings) {
    if (settings.network !== undefined) return 1
    const sizes = sizesOf(settings)
    return START_SECONDS + sizes.warmUpSeconds + sidesSeconds(sizes, settings) + eventsSeconds(sizes, settings)
  },
  run: (run) => measureRounds(run, sizesOf(run.settings)),
}

const repeatsOf = ({ repeatsMax }: RoundsSizes, { repeats }: Settings): number => Math.min(repeats, repeatsMax)
const eventsOf = ({ eventsMax }: RoundsSizes, { repeats }: Settings): number => Math.min(repeats, eventsMax)

function sidesSeconds(sizes: RoundsSizes, settings: Settings): number {
  return repeatsOf(sizes, settings) * SIDES.length * (sizes.closedSeconds + sizes.idleSeconds + CHANGE_SECONDS)
}

function eventsSeconds(sizes: RoundsSizes, settings: Settings): number {
  const { offeredSeconds, outageSeconds, splitSeconds, frozenSeconds } = sizes
  const each = 2 * offeredSeconds + outageSeconds[0]! + 3 * splitSeconds + 7 * CHANGE_SECONDS
  const once = outageSeconds.slice(1).reduce((sum, seconds) => sum + seconds, 0) + frozenSeconds
  return eventsOf(sizes, settings) * each + once
}

/** With other sizes than those of the settings: for tests. */
export async function measureRounds(run: Run, sizes: RoundsSizes): Promise<void> {
  const { network: running, seed, basePort } = run.settings
  if (running !== undefined) {
    run.note('Not measured on a running network: its nodes would be killed and parted.')
    return
  }
  run.progress(0, 'starting a network')
  const { signal } = run
  let proxies: LinkProxies | undefined
  const prepare = async (dir: string, created: Parameters<typeof LinkProxies.open>[0]) => {
    proxies = await LinkProxies.open(created)
    proxies.install(dir, created)
  }
  const options = { running, nodes: NODES, basePort, seed, senders: sizes.senders, signal, taking: TAKING, prepare }
  try {
    const network = await LoadedNetwork.open(options)
    try {
      await measure(run, sizes, network, proxies!)
    } finally {
      proxies!.healAll()
      await network.close()
    }
  } finally {
    proxies?.close()
  }
}

async function measure(run: Run, sizes: RoundsSizes, network: LoadedNetwork, proxies: LinkProxies): Promise<void> {
  const { settings } = run
  const [sidesTake, eventsTake] = [sidesSeconds(sizes, settings), eventsSeconds(sizes, settings)]
  const total = START_SECONDS + sidesTake + eventsTake
  noteShortfalls(run, sizes)
  const sides = new Sides(run, sizes, network)
  run.progress(START_SECONDS / total, 'warm-up')
  await sides.warmUp()
  const repeats = repeatsOf(sizes, settings)
  let done = 0
  for (const { repeat, side } of interleaved(SIDES, repeats)) {
    run.check()
    run.progress((START_SECONDS + (sidesTake * done++) / (repeats * SIDES.length)) / total, side)
    await sides.measure(side, repeat)
  }
  await sides.allUp()
  const events = new Events(run, sizes, network, proxies)
  const count = eventsOf(sizes, settings)
  for (let repeat = 1; repeat <= count; repeat++) {
    run.check()
    const share = (repeat - 1) / count
    await events.measure(repeat, (label) =>
      run.progress((START_SECONDS + sidesTake + eventsTake * share) / total, label),
    )
  }
  await events.measureOnce((label) => run.progress(0.8, label))
}

function noteShortfalls(run: Run, sizes: RoundsSizes): void {
  if (eventsOf(sizes, run.settings) < run.settings.repeats)
    run.note(
      'Outages, splits and standstills were repeated less often than other measurements, for the time they take.',
    )
}

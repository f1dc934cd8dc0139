/** Nodes that die, freeze and come back, and networks that split and heal. */
import { setTimeout as delay } from 'node:timers/promises'
import { CommandError } from '../../src/cli/errors.js'
import type { Run } from '../harness/experiment.js'
import type { LinkProxies } from '../testbed/linkProxies.js'
import type { Loaded, LoadedNetwork } from '../testbed/loadedNetwork.js'
import { timesOf } from '../testbed/loops.js'
import { blockNumber } from '../testbed/transactions.js'
import { LAST, SHAPE } from './sides.js'
import type { RoundsSizes } from './sizes.js'

const AWAY = [2, 3] as const
const STAYING = [0, 1] as const
const POLL_MS = 5
const PATIENCE_MS = 60_000

export class Events {
  constructor(
    private readonly run: Run,
    private readonly sizes: RoundsSizes,
    private readonly network: LoadedNetwork,
    private readonly proxies: LinkProxies,
  ) {}

  async measure(repeat: number, progress: (label: string) => void): Promise<void> {
    progress('a node dies')
    await this.#dying(repeat)
    progress('a node freezes')
    await this.#freezing(repeat)
    progress('two nodes return')
    await this.#outage(this.sizes.outageSeconds[0]!, repeat)
    for (const how of ['cut', 'silent'] as const) {
      progress('a split heals')
      await this.#split(how, repeat)
    }
    progress('a node that was cut off')
    await this.#isolated(repeat)
  }

  /** What takes long. */
  async measureOnce(progress: (label: string) => void): Promise<void> {
    for (const seconds of this.sizes.outageSeconds.slice(1)) {
      progress('two nodes return')
      await this.#outage(seconds, 1)
    }
    progress('a node that stood still')
    await this.#frozen()
  }

  #seconds(quantity: string, variant: string, ms: number, repeat: number): void {
    this.run.record({ system: 'concordat', quantity, variant, unit: 's', value: ms / 1_000, repeat })
  }

  /** Submissions that fall due at a fixed rate, so that a standstill shows in the times of all that were due meanwhile. */
  async #offered(variant: string, repeat: number, disturb: () => Promise<void> | void): Promise<void> {
    const { offeredPerSecond, offeredSeconds } = this.sizes
    const load = this.network.open(SHAPE, offeredPerSecond, offeredSeconds)
    await delay((offeredSeconds * 1_000) / 4)
    await disturb()
    const { operations } = await load
    this.run.samples(
      { system: 'concordat', quantity: 'time to final meanwhile', variant, unit: 'ms', repeat },
      timesOf(operations),
    )
  }

  async #dying(repeat: number): Promise<void> {
    const { testbed } = this.network
    await this.#offered('a node dies', repeat, () => testbed.killNode(LAST))
    await testbed.startNode(LAST)
    await this.#caughtUp()
  }

  async #freezing(repeat: number): Promise<void> {
    const { testbed } = this.network
    await this.#offered('a node freezes', repeat, () => testbed.signalNode(LAST, 'SIGSTOP'))
    testbed.signalNode(LAST, 'SIGCONT')
    await this.#caughtUp()
  }

  /** Two of four are away: nothing becomes final. From the start of the second one's process to the first block. */
  async #outage(seconds: number, repeat: number): Promise<void> {
    const { testbed } = this.network
    await Promise.all(AWAY.map((node) => testbed.killNode(node)))
    const view = await this.#view()
    const pending = this.#one()
    await delay(seconds * 1_000)
    await this.#standsStill(pending)
    const place = { system: 'concordat', variant: 'two of four killed', axis: 'seconds away', x: seconds, repeat }
    this.run.record({ ...place, quantity: 'views passed', unit: 'count', value: (await this.#view()) - view })
    for (const node of AWAY) testbed.launchNode(node)
    const startedAt = performance.now()
    const value = ((await finalAt(pending)) - startedAt) / 1_000
    this.run.record({ ...place, quantity: 'first block after return', unit: 's', value })
    await this.#caughtUp(AWAY)
  }

  async #split(how: 'cut' | 'silent', repeat: number): Promise<void> {
    const before = await this.#heights()
    this.proxies.split([STAYING, AWAY], how)
    const pending = this.#one()
    await delay(this.sizes.splitSeconds * 1_000)
    await this.#standsStill(pending)
    const progressed = (await this.#heights()).filter((height, node) => height > before[node]!).length
    const variant = how === 'cut' ? 'two and two, connections cut' : 'two and two, silence'
    this.run.record({
      system: 'concordat',
      quantity: 'nodes with a new block while split',
      variant,
      unit: 'count',
      value: progressed,
      repeat,
    })
    const healedAt = performance.now()
    this.proxies.healAll()
    this.#seconds('first block after healing', variant, (await finalAt(pending)) - healedAt, repeat)
    await this.#caughtUp(AWAY)
  }

  /** One is cut off in silence while the others go on; then it catches up. */
  async #isolated(repeat: number): Promise<void> {
    const { splitSeconds, offeredPerSecond } = this.sizes
    const others = [...STAYING, AWAY[0]]
    this.proxies.split([others, [LAST]], 'silent')
    await this.network.open(SHAPE, offeredPerSecond, splitSeconds)
    const healedAt = performance.now()
    this.proxies.healAll()
    await this.#caughtUp()
    this.#seconds('caught up after healing', 'one of four, silence', performance.now() - healedAt, repeat)
  }

  async #frozen(): Promise<void> {
    const { testbed } = this.network
    const { frozenSeconds, offeredPerSecond } = this.sizes
    testbed.signalNode(LAST, 'SIGSTOP')
    await this.network.open(SHAPE, offeredPerSecond, frozenSeconds)
    const goesOnAt = performance.now()
    testbed.signalNode(LAST, 'SIGCONT')
    await this.#caughtUp()
    const place = { system: 'concordat', variant: 'one of four stopped', axis: 'seconds away', x: frozenSeconds }
    this.run.record({ ...place, quantity: 'caught up', unit: 's', value: (performance.now() - goesOnAt) / 1_000 })
  }

  /** A single submission, which waits for the network. */
  #one(): Promise<Loaded> {
    const load = this.network.fill(SHAPE, 1, 1, 1)
    load.catch(() => {})
    return load
  }

  async #standsStill(pending: Promise<Loaded>): Promise<void> {
    const ended = await Promise.race([pending.then(() => true), delay(1, false)])
    if (ended) throw new CommandError('a submission became final while no quorum could have agreed')
  }

  async #view(): Promise<number> {
    return Number((await this.network.clients[0]!.call('concordat_consensusStatus')).view)
  }

  #heights(): Promise<number[]> {
    return Promise.all(this.network.testbed.clients.map((client) => blockNumber(client)))
  }

  /** Until these nodes have what the first one has now. */
  async #caughtUp(nodes: readonly number[] = [LAST]): Promise<void> {
    const { clients } = this.network.testbed
    const deadline = performance.now() + PATIENCE_MS
    const head = await blockNumber(clients[0]!)
    const behind = async (node: number) => (await blockNumber(clients[node]!).catch(() => -1)) < head
    for (const node of nodes) {
      while (await behind(node)) {
        this.run.check()
        if (performance.now() > deadline)
          throw new CommandError(`node ${node + 1} did not catch up\n${this.network.testbed.trouble()}`)
        await delay(POLL_MS)
      }
    }
  }
}

const finalAt = async (pending: Promise<Loaded>): Promise<number> => (await pending).operations[0]!.endedAt

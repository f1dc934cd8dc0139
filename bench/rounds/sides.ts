/** The network with all its nodes, and with one of them down. */
import type { Run } from '../harness/experiment.js'
import type { LoadedNetwork } from '../testbed/loadedNetwork.js'
import { rateOf, timesOf } from '../testbed/loops.js'
import { ENVELOPE_BYTES } from '../testbed/submissions.js'
import type { RoundsSizes } from './sizes.js'

export const SIDES = ['four up', 'one down'] as const
export type Side = (typeof SIDES)[number]

export const SHAPE = { departments: 3, envelopeBytes: ENVELOPE_BYTES }
/** The node that goes down. */
export const LAST = 3
const SIGNED_PER_SECOND = 400

export class Sides {
  #down = false

  constructor(
    private readonly run: Run,
    private readonly sizes: RoundsSizes,
    private readonly network: LoadedNetwork,
  ) {}

  async warmUp(): Promise<void> {
    const { clients, warmUpSeconds } = this.sizes
    if (warmUpSeconds > 0) await this.network.closed(SHAPE, clients, warmUpSeconds, SIGNED_PER_SECOND)
  }

  async measure(side: Side, repeat: number): Promise<void> {
    if (side === 'four up') await this.allUp()
    else await this.oneDown()
    const { clients, closedSeconds, idleSeconds } = this.sizes
    const series = { system: 'concordat', variant: side, repeat }
    const { inTime } = await this.network.closed(SHAPE, clients, closedSeconds, SIGNED_PER_SECOND)
    const rate = rateOf(inTime)
    if (Number.isFinite(rate)) this.run.record({ ...series, quantity: 'submissions', unit: '1/s', value: rate })
    this.run.samples({ ...series, quantity: 'time to final under load', unit: 'ms' }, timesOf(inTime))
    const idle = await this.network.closed(SHAPE, 1, idleSeconds, SIGNED_PER_SECOND / 4)
    this.run.samples({ ...series, quantity: 'time to final', unit: 'ms' }, timesOf(idle.operations))
  }

  async allUp(): Promise<void> {
    if (this.#down) await this.network.testbed.startNode(LAST)
    this.#down = false
  }

  async oneDown(): Promise<void> {
    if (!this.#down) await this.network.testbed.killNode(LAST)
    this.#down = true
  }
}

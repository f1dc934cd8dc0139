/** What is measured in each repeat, in order. */
import type { Hex } from '../../src/core/bytes.js'
import type { LoadedNetwork } from '../testbed/loadedNetwork.js'
import { nativeRecoverMicros } from '../testbed/nativeRecover.js'
import { portraitHits } from './hits.js'
import { FULL_SUBMISSION, SHORT_SUBMISSION } from './shapes.js'
import type { ThroughputSizes } from './sizes.js'
import { type Context, closed, idle, offered, saturated, sized } from './submissions.js'

export interface Bench extends Context {
  readonly network: LoadedNetwork
  /** Queries that the portrait answers; empty where portraits could not be filled. */
  readonly queries: readonly Hex[]
  readonly ladder: Ladder
}

export interface Step {
  readonly label: string
  /** Of load; draining, signing and counting come on top. */
  readonly seconds: number
  measure(bench: Bench, repeat: number): Promise<void>
}

export function plan(sizes: ThroughputSizes): Step[] {
  return [
    ...sizes.offeredPerSecond.map((perSecond) => offeredStep(sizes, perSecond)),
    ...[FULL_SUBMISSION, SHORT_SUBMISSION].flatMap((shape) =>
      sizes.clients.map((clients): Step => {
        const label = `${clients} submissions under way, to ${shape.departments} of the departments`
        const measure = (bench: Bench, repeat: number) => closed(bench, bench.network, { shape, clients, repeat })
        return { label, seconds: sizes.closedSeconds, measure }
      }),
    ),
    ...networkSteps(sizes),
    ...sizes.envelopeBytes.map((envelopeBytes): Step => {
      const measure = (bench: Bench, repeat: number) => sized(bench, bench.network, envelopeBytes, repeat)
      return { label: `envelopes of ${envelopeBytes} bytes`, seconds: sizes.saturatedSeconds, measure }
    }),
    ...sizes.hitClients.map((clients): Step => {
      const measure = (bench: Bench, repeat: number) => portraitHits(bench, bench.network, { clients, repeat })
      return { label: `portrait hits, ${clients} clients`, seconds: sizes.hitSeconds, measure }
    }),
    { label: 'one native recover', seconds: 0, measure: recover },
  ]
}

function offeredStep({ offeredSeconds }: ThroughputSizes, perSecond: number): Step {
  const measure = async (bench: Bench, repeat: number) => {
    if (!bench.ladder.wants(perSecond)) return
    bench.ladder.report(perSecond, await offered(bench, bench.network, perSecond, repeat))
  }
  return { label: `${perSecond} offered per second`, seconds: offeredSeconds, measure }
}

/** What is measured on networks of each number of nodes. */
export function networkSteps({ saturatedSeconds, idleSeconds }: ThroughputSizes): Step[] {
  const of = (measure: typeof idle) => (bench: Bench, repeat: number) => measure(bench, bench.network, repeat)
  return [
    { label: 'saturated', seconds: saturatedSeconds, measure: of(saturated) },
    { label: 'idle', seconds: idleSeconds, measure: of(idle) },
  ]
}

async function recover({ run }: Bench, repeat: number): Promise<void> {
  const value = nativeRecoverMicros()
  if (value === undefined)
    run.note('The native secp256k1 library does not load here: CPU times are not compared with it.')
  else run.record({ system: 'concordat', quantity: 'CPU of one native recover', unit: 'µs', value, repeat })
}

/** Rates that are offered, from the lowest up: after two in a row that the network did not keep up with, higher ones say nothing. */
export class Ladder {
  #behind = 0
  #highest = 0
  #top = Number.POSITIVE_INFINITY

  wants(perSecond: number): boolean {
    return perSecond <= this.#top
  }

  /** Only the first way up counts: later repeats measure the same rates. */
  report(perSecond: number, keptUp: boolean): void {
    if (perSecond <= this.#highest) return
    this.#highest = perSecond
    this.#behind = keptUp ? 0 : this.#behind + 1
    if (this.#behind === 2) this.#top = perSecond
  }
}

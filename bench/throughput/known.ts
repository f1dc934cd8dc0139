/** Figures of the throughput experiment; what was not measured is undefined or has no points. */
import type { Row } from '../harness/row.js'
import { type Curve, curveOf } from '../report/curve.js'
import type { Figure, Figures } from '../report/figures.js'

/** Of the offered rate: below it a network does not keep up. */
const KEPT_UP = 0.95

export type Known = ReturnType<typeof knownOf>

export function knownOf(figures: Figures) {
  const submissions = variantOf(figures, 'submissions to 3 departments')
  const short = variantOf(figures, 'submissions to 1 department')
  const ofOffered = (name: string, part: string) =>
    curveOf(figures, name, { quantity: 'time to final', part, axis: 'offered per second' })
  const ofNodes = (name: string, wanted: Partial<Row>) => curveOf(figures, name, { axis: 'nodes', ...wanted })
  const ofSizes = (name: string, wanted: Partial<Row>) =>
    curveOf(figures, name, { axis: 'transaction bytes', quantity: 'throughput', ...wanted })
  const clients = (name: string, variant: string) =>
    curveOf(figures, name, { quantity: 'throughput', axis: 'clients', variant })
  const achieved = curveOf(figures, 'achieved', { quantity: 'achieved rate', axis: 'offered per second' })
  const cpu = ofNodes('CPU time of a submission on a node', { quantity: 'CPU of a transaction on a node' })
  return {
    offered: {
      achieved,
      p50: ofOffered('p50', 'p50'),
      p99: ofOffered('p99', 'p99'),
      max: ofOffered('maximum', 'max'),
      keptUp: keptUp(figures, achieved),
    },
    clients: {
      submissions: clients('submissions to three departments', submissions),
      short: clients('submissions to one department', short),
      hits: clients('queries that the portrait answers', variantOf(figures, 'portrait hits')),
    },
    nodes: {
      throughput: ofNodes('saturated', { quantity: 'throughput', variant: 'saturated' }),
      p50: ofNodes('p50, idle network', { quantity: 'time to final', variant: 'idle', part: 'p50' }),
      p99: ofNodes('p99, idle network', { quantity: 'time to final', variant: 'idle', part: 'p99' }),
      cpu,
      resident: ofNodes('resident memory', { quantity: 'resident memory' }),
      transactions: ofNodes('submissions of a block', { quantity: 'transactions of a block' }),
      fillBytes: ofNodes('block fill, bytes', { quantity: 'block fill', part: 'bytes' }),
      fillGas: ofNodes('block fill, gas', { quantity: 'block fill', part: 'gas' }),
      interval: ofNodes('time between blocks', { quantity: 'time between blocks' }),
      recoveries: ofNodes('recoveries', { quantity: 'recoveries of a transaction on a node' }),
      generator: ofNodes('CPU time of a submission in the load generator', {
        quantity: 'CPU of a transaction in the generator',
      }),
    },
    sizes: { rate: ofSizes('submissions', { part: '' }), bytes: ofSizes('bytes of transactions', { part: 'bytes' }) },
    disk: figures.median('disk of a submission on a node', { quantity: 'disk of a transaction' }),
    budget: budgetOf(figures, cpu),
  }
}

/** The full name of the only variant that begins so: it also says how many nodes there are. */
function variantOf(figures: Figures, beginning: string): string {
  return figures.rows.find(({ variant }) => variant.startsWith(beginning))?.variant ?? beginning
}

/** The highest offered rate up to which all were achieved. */
function keptUp(figures: Figures, { byX }: Curve): Figure | undefined {
  const places = [...byX]
  const behind = places.findIndex(([x, { value }]) => value < KEPT_UP * x)
  const last = places[(behind === -1 ? places.length : behind) - 1]
  if (last === undefined) return undefined
  const derivation = `highest offered rate up to which at least ${100 * KEPT_UP} % were achieved`
  return figures.derive('offered rate that the network keeps up with', '1/s', last[0], derivation, [last[1]])
}

function budgetOf(figures: Figures, cpu: Curve) {
  const recover = figures.median('CPU time of one native recover', { quantity: 'CPU of one native recover' })
  const budget = figures.median('budget of CPU time, in native recoveries', { quantity: 'budget' })
  const [nodes, ofSubmission] = [...cpu.byX][0] ?? []
  const ratio =
    ofSubmission &&
    recover &&
    figures.ratio(`CPU time of a submission, ${nodes} nodes, in native recoveries`, ofSubmission, recover)
  const limit =
    budget &&
    recover &&
    figures.derive('budget of CPU time', 'µs', budget.value * recover.value, `${budget.id} * ${recover.id}`, [
      budget,
      recover,
    ])
  return { recover, budget, ratio, limit }
}

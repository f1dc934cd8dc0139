/** From an experiment file to its runs: every variant with every seed, all defaults filled in, all names resolved. */
import { type Extensions, policyNamed, scheduleNamed } from '../../consensus/extensions.js'
import { toleratesHeaviest } from '../../consensus/quorum.js'
import type { NamedSchedule } from '../../consensus/schedule.js'
import type { ConsensusTimers } from '../../consensus/types.js'
import type { WeightPolicy } from '../../consensus/weightPolicy.js'
import { type CreditParameters, defaultCreditParameters } from '../../contracts/creditRules.js'
import { CodedError } from '../../core/codedError.js'
import type { Conditions, ExperimentFile, Fault, Load } from './file.js'

export type ExperimentErrorCode =
  /** Parts of the file do not fit together. */
  | 'INCONSISTENT'
  /** An invariant broke in a run. */
  | 'BROKEN'

/** An experiment that cannot be run, or that ran into what no chain survives; the message names the part. */
export class ExperimentError extends CodedError<ExperimentErrorCode> {}

export interface Variant {
  readonly name: string
  readonly nodes: number
  readonly policy: WeightPolicy
  readonly schedule: NamedSchedule
  readonly epochBlocks: number
  /** One a node. */
  readonly scores: readonly number[]
  /** Of epoch 0, one a node; null: the policy's. */
  readonly weights: readonly number[] | null
  readonly credit: CreditParameters
  readonly delayMs: readonly [number, number]
  readonly loss: number
  readonly duplication: number
  readonly fsyncMs: number
  readonly commitMs: number
  readonly executeMs: number
  readonly timers: ConsensusTimers
  readonly blockTransactionsMax: number
  readonly load: readonly Load[]
  readonly faults: readonly Fault[]
}

export interface Plan {
  readonly title: string
  readonly durationMs: number
  readonly seeds: readonly number[]
  readonly variants: readonly Variant[]
}

/** What a run keeps in memory. */
const transactionsMax = 500_000

/** Those of a node with its default configuration. */
const TIMERS: ConsensusTimers = {
  viewTimeoutMs: 400,
  viewTimeoutMaxMs: 4_000,
  resendMs: 250,
  idleStatusMs: 1_000,
  inactivityMs: 3_000,
  finalizeGraceMs: 50,
}

/** `quick`: one seed and a tenth of the time, to see whether a file says what was meant. Throws ExperimentError, ExtensionError. */
export function planOf(file: ExperimentFile, extensions: Extensions, quick = false): Plan {
  const { title, seeds, durationMs, variants, extensions: _modules, ...common } = file
  const all = typeof seeds === 'number' ? Array.from({ length: seeds }, (_, i) => i + 1) : seeds
  const named = variants.length === 0 ? [{ name: 'only' }] : variants
  const names = named.map(({ name }) => name)
  const double = names.find((name, i) => names.indexOf(name) !== i)
  if (double !== undefined)
    throw new ExperimentError('INCONSISTENT', `two variants are called '${double}'; give each its own name`)
  const scale = quick ? 0.1 : 1
  return {
    title,
    durationMs: durationMs * scale,
    seeds: quick ? all.slice(0, 1) : all,
    variants: named.map(({ name, ...changes }) =>
      variantOf(name, { ...common, ...changes }, extensions, scale, durationMs * scale),
    ),
  }
}

function variantOf(
  name: string,
  conditions: Conditions,
  extensions: Extensions,
  scale: number,
  durationMs: number,
): Variant {
  const { nodes = 4, policy = 'equal', schedule = 'round-robin', epochBlocks = 0 } = conditions
  const credit = creditOf(conditions.credit)
  const scores = conditions.scores ?? Array.from({ length: nodes }, () => credit.start)
  const fail = (what: string): never => {
    throw new ExperimentError('INCONSISTENT', `variant '${name}': ${what}`)
  }
  if (scores.length !== nodes) fail(`scores has ${scores.length} entries for ${nodes} nodes; give one a node`)
  const { weights = null } = conditions
  if (weights !== null) checkWeights(weights, nodes, fail)
  const faults = (conditions.faults ?? []).map((fault) => scaled(fault, scale))
  for (const fault of faults) checkFault(fault, nodes, fail)
  const load = (conditions.load ?? [{ perSecond: 10, fromMs: 0 }]).map((one) => scaled(one, scale))
  for (const one of load) checkPeriod(one, 'load', fail)
  const count = load.reduce((sum, one) => sum + transactionsOf(one, durationMs), 0)
  if (count > transactionsMax)
    fail(
      `the load comes to ${Math.round(count)} transactions; a run keeps at most ${transactionsMax}: lower perSecond or durationMs`,
    )
  return {
    name,
    nodes,
    policy: policyNamed(extensions, policy),
    schedule: { name: schedule, leader: scheduleNamed(extensions, schedule) },
    epochBlocks: scale === 1 ? epochBlocks : Math.ceil(epochBlocks * scale),
    scores,
    weights,
    credit,
    delayMs: conditions.network?.delayMs ?? [1, 5],
    loss: conditions.network?.loss ?? 0,
    duplication: conditions.network?.duplication ?? 0,
    fsyncMs: conditions.work?.fsyncMs ?? 1,
    commitMs: conditions.work?.commitMs ?? 5,
    executeMs: conditions.work?.executeMs ?? 2,
    timers: { ...TIMERS, ...given(conditions.timers) },
    blockTransactionsMax: conditions.blockTransactionsMax ?? 100,
    load,
    faults,
  }
}

function creditOf(credit: Conditions['credit']): CreditParameters {
  const { start = defaultCreditParameters.start, points } = credit ?? {}
  return { start, points: { ...defaultCreditParameters.points, ...given(points) } }
}

/** Without what is undefined, so that defaults under it show. */
function given<T extends object>(value: T | undefined): Partial<Required<T>> {
  return Object.fromEntries(Object.entries(value ?? {}).filter(([, one]) => one !== undefined)) as Partial<Required<T>>
}

function scaled<T extends object>(period: T, scale: number): T {
  const { fromMs, toMs } = period as { fromMs?: number; toMs?: number }
  return {
    ...period,
    ...(fromMs === undefined ? {} : { fromMs: fromMs * scale }),
    ...(toMs === undefined ? {} : { toMs: toMs * scale }),
  }
}

function transactionsOf({ perSecond, fromMs, toMs }: Load, durationMs: number): number {
  return (perSecond * Math.max(0, Math.min(toMs ?? durationMs, durationMs) - fromMs)) / 1_000
}

type Fail = (what: string) => never

function checkWeights(weights: readonly number[], nodes: number, fail: Fail): void {
  if (weights.length !== nodes) fail(`weights has ${weights.length} entries for ${nodes} nodes; give one a node`)
  if (nodes >= 4 && !toleratesHeaviest(weights))
    fail('weights gives one node a third of the weight or more, which no chain of four or more sealers takes')
}

function checkFault(fault: Fault, nodes: number, fail: Fail): void {
  if ('fromMs' in fault) checkPeriod(fault, fault.kind, fail)
  const numbers =
    fault.kind === 'partition' ? fault.groups.flat() : fault.kind === 'loss' ? [fault.from, fault.to] : [fault.node]
  const outside = numbers.find((number) => number !== undefined && number > nodes)
  if (outside !== undefined)
    fail(`the fault '${fault.kind}' names node ${outside}, but there are ${nodes} (counted from 1)`)
  if (fault.kind !== 'partition') return
  const double = numbers.find((number, i) => numbers.indexOf(number) !== i)
  if (double !== undefined) fail(`a partition has node ${double} in two groups`)
}

function checkPeriod(
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs?: number | undefined },
  what: string,
  fail: Fail,
): void {
  if (toMs !== undefined && toMs <= fromMs)
    fail(`'${what}' from ${fromMs} ms ends at ${toMs} ms; toMs must be later than fromMs`)
}

/** Weight policies and leader schedules by the names under which genesis chooses them. */
import { CodedError } from '../core/codedError.js'
import { builtinSchedules, type NamedSchedule } from './schedule.js'
import type { LeaderSchedule } from './types.js'
import { creditWeights, equalWeights, type WeightPolicy } from './weightPolicy.js'

/** What a researcher's module exports as its default. */
export interface Extension {
  readonly policies?: readonly WeightPolicy[]
  readonly schedules?: readonly NamedSchedule[]
}

export interface Extensions {
  readonly policies: ReadonlyMap<string, WeightPolicy>
  readonly schedules: ReadonlyMap<string, LeaderSchedule>
}

export type ExtensionErrorCode = 'INVALID' | 'NAME_TAKEN' | 'UNKNOWN_POLICY' | 'UNKNOWN_SCHEDULE'

/** An extension that cannot be used, or a name that no extension has; the message lists the names that are known. */
export class ExtensionError extends CodedError<ExtensionErrorCode> {}

/** Names stand in genesis files, on chain and in tables. */
const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/

/** Adds what an extension offers. Throws ExtensionError on a name that is taken or that is no name. */
export function withExtension(base: Extensions, { policies = [], schedules = [] }: Extension): Extensions {
  const withPolicies = new Map(base.policies)
  for (const policy of policies) add(withPolicies, 'policy', policy.name, policy, policy.weights)
  const withSchedules = new Map(base.schedules)
  for (const { name, leader } of schedules) add(withSchedules, 'schedule', name, leader, leader)
  return { policies: withPolicies, schedules: withSchedules }
}

/** What every node has: 'equal' and 'credit', 'round-robin' and 'weighted-round-robin'. */
export const builtinExtensions: Extensions = withExtension(
  { policies: new Map(), schedules: new Map() },
  { policies: [equalWeights, creditWeights], schedules: builtinSchedules },
)

/** Throws ExtensionError UNKNOWN_POLICY. */
export function policyNamed({ policies }: Extensions, name: string): WeightPolicy {
  const policy = policies.get(name)
  if (policy === undefined) throw new ExtensionError('UNKNOWN_POLICY', unknown('weight policy', name, policies))
  return policy
}

/** Throws ExtensionError UNKNOWN_SCHEDULE. */
export function scheduleNamed({ schedules }: Extensions, name: string): LeaderSchedule {
  const schedule = schedules.get(name)
  if (schedule === undefined) throw new ExtensionError('UNKNOWN_SCHEDULE', unknown('leader schedule', name, schedules))
  return schedule
}

/** The parts may come from a module that no compiler has seen. */
function add<T>(map: Map<string, T>, kind: string, name: unknown, value: T, run: unknown): void {
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new ExtensionError('INVALID', `the name of a ${kind} must match ${NAME.source}, got ${String(name)}`)
  }
  if (typeof run !== 'function') throw new ExtensionError('INVALID', `${kind} ${name} must be a function of the state`)
  if (map.has(name)) throw new ExtensionError('NAME_TAKEN', `${kind} ${name} exists already; choose another name`)
  map.set(name, value)
}

function unknown(kind: string, name: string, known: ReadonlyMap<string, unknown>): string {
  const names = [...known.keys()].join(', ')
  return `no ${kind} '${name}' here, known are ${names}; load the module that defines it (consensus.extensions in the configuration)`
}

/** Changes of the sealer set of a seed: sealers join, leave, are replaced, take a new key, get new weights. */
import type { Address } from '../core/bytes.js'
import { addressOf, machineOf } from './keys.js'
import { applyOperation, type Operation, type PlannedOperation } from './operations.js'
import type { Prng } from './prng.js'
import type { Spare } from './scenario.js'

export function drawOperations(
  rng: Prng,
  nodes: number,
  spares: readonly Spare[],
  chaosMs: number,
): PlannedOperation[] {
  const count = spares.length > 0 ? 1 + rng.below(4) : rng.pick([0, 0, 1, 2, 3])
  const times = Array.from({ length: count }, () => rng.between(50, chaosMs)).sort((a, b) => a - b)
  const generations = new Map<number, number>()
  const left: Address[] = []
  let sealers: readonly Address[] = Array.from({ length: nodes }, (_, machine) => addressOf(machine))
  return times.map((atMs) => {
    const waiting = spares.map((_, i) => nodes + i).filter((machine) => !sealers.map(machineOf).includes(machine))
    const operation = drawOperation(rng, sealers, waiting, left, generations)
    if (operation.kind === 'remove') left.push(operation.sealer)
    sealers = applyOperation(sealers, operation) ?? sealers
    return { atMs, operation }
  })
}

function drawOperation(
  rng: Prng,
  sealers: readonly Address[],
  waiting: readonly number[],
  left: Address[],
  generations: Map<number, number>,
): Operation {
  const newKey = (machine: number): Address => {
    const generation = generations.get(machine) ?? 0
    generations.set(machine, generation + 1)
    return addressOf(machine, generation)
  }
  const sealer = rng.pick(sealers)
  const chance = rng.next()
  if (left.length > 0 && rng.chance(0.4)) return { kind: 'add', sealer: left.pop()! }
  if (waiting.length > 0 && chance < 0.4) return { kind: 'add', sealer: newKey(rng.pick(waiting)) }
  if (waiting.length > 0 && chance < 0.6) return { kind: 'replace', sealer, by: newKey(rng.pick(waiting)) }
  if (chance < 0.75) {
    const machine = machineOf(sealer)
    generations.set(machine, Math.max(1, generations.get(machine) ?? 1))
    return { kind: 'replace', sealer, by: newKey(machine) }
  }
  if (chance < 0.9 && sealers.length > 1) return { kind: 'remove', sealer }
  return { kind: 'reweigh' }
}

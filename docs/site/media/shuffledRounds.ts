/**
 * A leader schedule: in every round each sealer leads once, in an order that changes from round to round.
 *
 * With strict turns a sealer always follows the same neighbour, and who follows a slow one always waits. Here nobody does for
 * long. The order is a permutation drawn from epoch and round alone, so that every node draws the same.
 */
import type { Extension, LeaderSchedule, NamedSchedule } from '../../src/consensus/index.js'

const leader: LeaderSchedule = ({ epoch, sealers }, view) => {
  const round = Math.floor(view / sealers.length)
  const order = permutation(sealers.length, mix(epoch + 1, round + 1))
  return sealers[order[view % sealers.length]!]!.address
}

/** Fisher and Yates' shuffle of 0 to n - 1. */
function permutation(n: number, seed: number): number[] {
  const order = Array.from({ length: n }, (_, i) => i)
  let state = seed
  for (let i = n - 1; i > 0; i--) {
    state = mix(state, i)
    const j = state % (i + 1)
    const held = order[i]!
    order[i] = order[j]!
    order[j] = held
  }
  return order
}

/** Spreads two whole numbers over 32 bits (the finalizer of MurmurHash3); exact on every machine. */
function mix(a: number, b: number): number {
  let hash = (Math.imul(a, 0x9e3779b1) ^ b) >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

export const shuffledRounds: NamedSchedule = { name: 'shuffled-rounds', leader }

const extension: Extension = { schedules: [shuffledRounds] }
export default extension

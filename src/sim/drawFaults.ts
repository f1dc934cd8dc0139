/** Faults of a seed. */
import type { Fault } from './faults.js'
import type { Prng } from './prng.js'

/** `forgetful`: the machine that loses its journal, once or twice. */
export function drawFaults(rng: Prng, machines: number, chaosMs: number, forgetful: number | null): Fault[] {
  const faults: Fault[] = []
  const add = (count: number, draw: (rng: Prng, machines: number, chaosMs: number) => Fault): void => {
    for (let i = 0; i < count; i++) faults.push(draw(rng, machines, chaosMs))
  }
  add(rng.pick([0, 1, 3, 8, 16]), drawCrash)
  add(rng.chance(0.25) ? 1 : 0, drawBlackout)
  add(rng.pick([0, 0, 1, 3]), drawCut)
  add(rng.pick([0, 0, 0, 1]), drawClog)
  add(rng.pick([0, 0, 0, 1]), drawSlowDisk)
  if (forgetful !== null) add(rng.pick([1, 2]), () => drawLostJournal(rng, forgetful, chaosMs))
  return faults
}

function drawCrash(rng: Prng, machines: number, chaosMs: number): Fault {
  return {
    kind: 'crash',
    atMs: rng.between(0, chaosMs),
    node: rng.below(machines),
    forMs: rng.between(1, rng.pick([100, 3000])),
    inSync: rng.chance(0.5),
  }
}

function drawLostJournal(rng: Prng, node: number, chaosMs: number): Fault {
  return {
    kind: 'lost-journal',
    atMs: rng.between(0, chaosMs),
    node,
    forMs: rng.between(1, rng.pick([20, 1000])),
    kept: rng.pick([0, 5]),
  }
}

function drawBlackout(rng: Prng, machines: number, chaosMs: number): Fault {
  const forMs = Array.from({ length: machines }, () => rng.between(1, 500))
  return { kind: 'blackout', atMs: rng.between(0, chaosMs), forMs }
}

/** Two groups, one node alone; both ways or one. */
function drawCut(rng: Prng, machines: number, chaosMs: number): Fault {
  const all = Array.from({ length: machines }, (_, i) => i)
  const alone = rng.below(machines)
  const side = new Set(rng.chance(0.5) ? [alone] : all.filter(() => rng.chance(0.5)))
  return {
    kind: 'cut',
    atMs: rng.between(0, chaosMs * 0.8),
    forMs: rng.between(100, chaosMs / 2),
    from: all.filter((i) => side.has(i)),
    to: all.filter((i) => !side.has(i)),
    oneWay: rng.chance(0.4),
  }
}

function drawClog(rng: Prng, machines: number, chaosMs: number): Fault {
  const shuffled = rng.shuffle(Array.from({ length: machines }, (_, i) => i))
  const nodes = shuffled.slice(0, 1 + rng.below(machines))
  return {
    kind: 'clog',
    atMs: rng.between(0, chaosMs * 0.6),
    nodes,
    release: rng.shuffle(nodes),
    stepMs: rng.between(1, 300),
    holdMs: rng.between(50, chaosMs / 4),
  }
}

function drawSlowDisk(rng: Prng, machines: number, chaosMs: number): Fault {
  return {
    kind: 'slow-disk',
    atMs: rng.between(0, chaosMs * 0.8),
    node: rng.below(machines),
    forMs: rng.between(200, chaosMs / 2),
    stallMs: rng.pick([50, 200]),
  }
}

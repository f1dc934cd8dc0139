/** Where a node stands, for status commands and diagnosis. */
import type { Address, Epoch, Hash, Height, View } from '../core/bytes.js'
import { type Core, finalView, leaderOf } from './core.js'
import { weightAt } from './council.js'
import { type Tally, tally } from './quorum.js'
import { overdueAt } from './timers.js'

/** Times in ms on the clock handed to `step`. */
export interface EngineView {
  readonly epoch: Epoch
  readonly view: View
  readonly leader: Address
  readonly finalHeight: Height
  readonly finalHash: Hash
  readonly finalView: View
  readonly tip: Hash
  readonly halted: 'no' | 'stop-voting' | 'stop-node'
  /** Something is expected of the view; `overdueAt` is when it is given up. */
  readonly waiting: boolean
  readonly overdueAt: number | null
  readonly sealers: readonly SealerView[]
  /** Whether the sealers heard of lately and connected could agree. */
  readonly quorum: Tally
  readonly missingBlocks: number
  readonly missingCertificates: boolean
}

export interface SealerView {
  readonly address: Address
  readonly weight: number
  readonly connected: boolean
  readonly heardAt: number | null
  readonly notarized: boolean
  readonly nullified: boolean
}

export function describe(core: Core): EngineView {
  const sealers = core.council.set.sealers.map((sealer, index) => sealerView(core, sealer.address, index))
  let reachable = 0
  for (const sealer of sealers) if (sealer.connected) reachable += sealer.weight
  return {
    epoch: core.council.set.epoch,
    view: core.cur,
    leader: leaderOf(core, core.cur),
    finalHeight: core.final.height,
    finalHash: core.final.hash,
    finalView: finalView(core),
    tip: core.tip ?? core.final.hash,
    halted: core.halted,
    waiting: core.armedAt !== null,
    overdueAt: overdueAt(core),
    sealers,
    quorum: tally(core.council.total, reachable, 0),
    missingBlocks: core.missing.size,
    missingCertificates: core.gap !== null,
  }
}

function sealerView(core: Core, address: Address, index: number): SealerView {
  const own = address === core.options.self
  const peer = core.peers.get(address)
  const ballots = core.views.get(core.cur)?.ballots
  return {
    address,
    weight: weightAt(core.council, index),
    connected: own || (peer?.connected ?? false),
    heardAt: own ? core.now : (peer?.heardAt ?? null),
    notarized: ballots?.notarize.votes.has(index) ?? false,
    nullified: ballots?.nullify.votes.has(index) ?? false,
  }
}

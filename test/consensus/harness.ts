/** One engine among sealers whose votes the test writes itself. */

import { formCertificate } from '../../src/consensus/certificate.js'
import { createEngine, type Engine } from '../../src/consensus/engine.js'
import { roundRobin } from '../../src/consensus/schedule.js'
import type {
  Certificate,
  ConsensusMessage,
  ConsensusTimers,
  Effect,
  Input,
  JournalRecord,
  Ready,
  Recovery,
  SealedBlock,
  SealerSet,
  SignedVote,
  Verdict,
  VoteKind,
} from '../../src/consensus/types.js'
import { asEpoch, asHeight, asView, type Hash, ZERO_HASH } from '../../src/core/bytes.js'
import { SimBlock } from '../../src/sim/blocks.js'
import { genesisHash } from '../../src/sim/chainState.js'
import { fakeHash } from '../../src/sim/hashing.js'
import { addressOf, Keys } from '../../src/sim/keys.js'

export const keys = new Keys()
export const genesis = { hash: genesisHash, height: asHeight(0), view: asView(0), certificate: null }
/** The state root of blocks without transactions. */
export const root = fakeHash('state')

export const timers: ConsensusTimers = {
  viewTimeoutMs: 400,
  viewTimeoutMaxMs: 3200,
  resendMs: 250,
  idleStatusMs: 2000,
  inactivityMs: 6000,
  finalizeGraceMs: 50,
}

export function setOf(count: number, epoch = 0): SealerSet {
  return {
    epoch: asEpoch(epoch),
    sealers: Array.from({ length: count }, (_, index) => ({ address: addressOf(index), weight: 1 })),
  }
}

/** Block in `view` by its leader among four, on `parent` or genesis. */
export function blockAt(view: number, parent: Pick<SealedBlock, 'hash' | 'height'> = genesis, salt = 0): SealedBlock {
  return new SimBlock(keys, {
    parent: parent.hash,
    height: parent.height + 1,
    epoch: 0,
    view,
    leader: addressOf(view % 4),
    txs: [],
    timeMs: 0,
    root,
    salt,
  })
}

export function voteBy(index: number, kind: VoteKind, view: number, block: Hash = ZERO_HASH, epoch = 0): SignedVote {
  const vote = { kind, epoch: asEpoch(epoch), view: asView(view), block }
  return { ...vote, signer: addressOf(index), signature: keys.sign(addressOf(index), vote) }
}

export function certificateBy(
  indices: readonly number[],
  kind: VoteKind,
  view: number,
  block: Hash = ZERO_HASH,
): Certificate {
  return formCertificate(voteBy(0, kind, view, block), new Map(indices.map((i) => [i, voteBy(i, kind, view, block)])))
}

export interface ProposalParts {
  readonly parentView?: number
  readonly justification?: readonly Certificate[]
  readonly by?: number
  readonly view?: number
}

export function proposalOf(block: SealedBlock, parts: ProposalParts = {}): ConsensusMessage {
  const view = parts.view ?? block.view
  const vote = voteBy(parts.by ?? view % 4, 'notarize', view, block.hash)
  const { parentView = view - 1, justification = [] } = parts
  return { type: 'proposal', block, parentView: asView(parentView), justification, vote }
}

/** Drives one engine; time stands still unless `pass` is called. */
export class Bench {
  now = 1_000_000
  wakeAt: number | null = null
  readonly journal: JournalRecord[] = []
  /** Effects of the last call, those of the first tick for a new bench. */
  effects: readonly Effect[] = []
  readonly engine: Engine

  constructor(
    readonly self: number,
    options: { count?: number; recovery?: Partial<Recovery> } = {},
  ) {
    const recovery = { final: genesis, set: setOf(options.count ?? 4), journal: [], ...options.recovery }
    const sign = (vote: Parameters<Keys['sign']>[1]) => keys.sign(addressOf(self), vote)
    const address = addressOf(self)
    this.engine = createEngine({ self: address, schedule: roundRobin, timers, sign }, recovery, this.now)
    this.step({ type: 'tick' })
  }

  step(input: Input): Ready {
    const ready = this.engine.step(input, this.now)
    this.journal.push(...ready.journal)
    this.effects = ready.effects
    this.wakeAt = ready.wakeAt
    return ready
  }

  pass(ms: number): Ready {
    this.now += ms
    return this.step({ type: 'tick' })
  }

  /** `message` from sealer `from`. */
  hear(from: number, message: ConsensusMessage): Ready {
    return this.step({ type: 'message', from: addressOf(from), message })
  }

  vote(from: number, kind: VoteKind, view: number, block?: Hash): Ready {
    return this.hear(from, { type: 'vote', vote: voteBy(from, kind, view, block) })
  }

  verified(block: SealedBlock, verdict: Verdict = { ok: true }): Ready {
    return this.step({ type: 'verified', hash: block.hash, verdict })
  }

  built(block: SealedBlock, verdict: Verdict = { ok: true }): Ready {
    return this.step({ type: 'built', view: block.view, block, verdict })
  }

  demand(wanted = true): Ready {
    return this.step({ type: 'demand', wanted })
  }

  /** Takes in `block` as proposed and executed, then notarized by everybody. */
  notarize(block: SealedBlock): void {
    this.hear(block.view % 4, proposalOf(block))
    this.verified(block)
    for (const i of [0, 1, 2, 3]) if (i !== this.self) this.vote(i, 'notarize', block.view, block.hash)
  }
}

/** Short names of effects: `cast notarize 3`, `build 2`, `send block`. */
export function names(effects: readonly Effect[]): string[] {
  return effects.map((effect) => {
    switch (effect.type) {
      case 'broadcast':
      case 'send': {
        const { message } = effect
        const what = message.type === 'vote' ? `${message.vote.kind} ${message.vote.view}` : message.type
        return `${effect.type} ${what}`
      }
      case 'build':
        return `build ${effect.view} height ${effect.height}`
      case 'commit':
        return `commit ${effect.blocks.map((block) => block.height)}`
      case 'tip':
        return `tip ${effect.height}`
      case 'halt':
        return `halt ${effect.severity}`
      default:
        return effect.type
    }
  })
}

/** Invariants I1-I10 of README.md, looked at whenever something leaves a node, becomes final or is stored. */

import { viewWindow } from '../../src/consensus/bounds.js'
import { verifyCertificate } from '../../src/consensus/certificate.js'
import type { Core } from '../../src/consensus/core.js'
import type {
  Certificate,
  ConsensusMessage,
  LeaderSchedule,
  SealedBlock,
  SignedVote,
} from '../../src/consensus/types.js'
import type { Address, Hash } from '../../src/core/bytes.js'
import { indexOf, Keys } from './fakes.js'
import type { Durable, SimNode } from './node.js'
import type { Scenario } from './scenario.js'

export class Violation extends Error {
  constructor(
    readonly invariant: string,
    message: string,
  ) {
    super(`${invariant}: ${message}`)
  }
}

export class Checker {
  private readonly keys = new Keys()
  private readonly finals: Hash[] = []
  private readonly roots: Hash[] = []
  private readonly signed = new Map<string, Hash>()
  readonly accused = new Set<Address>()

  constructor(
    private readonly scenario: Scenario,
    private readonly schedule: LeaderSchedule,
  ) {}

  isHonest(address: Address): boolean {
    return this.scenario.actors[indexOf(address)] === 'honest'
  }

  /** I3, I5: what an honest node says is durable and never contradicts what it said before. */
  onSend(node: SimNode, message: ConsensusMessage): void {
    if (node.actor !== 'honest') return
    if (message.type !== 'proposal' && message.type !== 'vote') return
    const { vote } = message
    if (vote.signer !== node.address) return
    this.checkDurable(node, vote)
    this.checkUnique(vote)
  }

  private checkDurable(node: SimNode, vote: SignedVote): void {
    const { final, set, journal } = node.durable
    if (vote.epoch < set.epoch || (vote.epoch === set.epoch && vote.view <= final.view)) return
    if (
      vote.epoch === set.epoch &&
      journal.some(
        (r) => r.type === 'certificate' && r.certificate.kind === 'finalize' && r.certificate.view >= vote.view,
      )
    )
      return
    const durable = journal.some(
      (record) =>
        record.type === 'vote' &&
        record.vote.kind === vote.kind &&
        record.vote.view === vote.view &&
        record.vote.epoch === vote.epoch &&
        record.vote.block === vote.block,
    )
    if (!durable)
      throw new Violation('I5', `node ${node.index} sent a vote to ${vote.kind} view ${vote.view} that is not durable`)
    if (vote.kind === 'nullify') return
    const block = journal.some((record) => record.type === 'block' && record.block.hash === vote.block)
    if (!block && !node.durable.chain.some((stored) => stored.block.hash === vote.block)) {
      throw new Violation(
        'I5',
        `node ${node.index} sent a vote to ${vote.kind} a block of view ${vote.view} that is not durable`,
      )
    }
  }

  private checkUnique(vote: SignedVote): void {
    const key = (kind: string) => `${vote.signer}|${vote.epoch}|${vote.view}|${kind}`
    const before = this.signed.get(key(vote.kind))
    if (before !== undefined && before !== vote.block) {
      throw new Violation('I3', `sealer ${indexOf(vote.signer)} signed two votes to ${vote.kind} view ${vote.view}`)
    }
    this.signed.set(key(vote.kind), vote.block)
    const opposite = vote.kind === 'nullify' ? 'finalize' : vote.kind === 'finalize' ? 'nullify' : null
    if (opposite && this.signed.has(key(opposite))) {
      throw new Violation('I3', `sealer ${indexOf(vote.signer)} signed to nullify and to finalize view ${vote.view}`)
    }
  }

  /** I1, I2, I4, I10. */
  onFinal(node: SimNode, block: SealedBlock, root: Hash, before: Durable): void {
    if (node.actor !== 'honest') return
    const known = this.finals[block.height]
    if (known === undefined) this.finals[block.height] = block.hash
    else if (known !== block.hash)
      throw new Violation('I1', `two final blocks at height ${block.height}, node ${node.index}`)
    if (block.parent !== before.final.hash)
      throw new Violation('I4', `final block ${block.height} does not follow its parent, node ${node.index}`)
    if (block.epoch !== before.set.epoch)
      throw new Violation('I4', `final block ${block.height} has epoch ${block.epoch}, not ${before.set.epoch}`)
    if (block.leader !== this.schedule(before.set, block.view))
      throw new Violation('I4', `final block ${block.height} is not by the leader of its view`)
    const knownRoot = this.roots[block.height]
    if (knownRoot === undefined) this.roots[block.height] = root
    else if (knownRoot !== root)
      throw new Violation('I10', `state roots differ at height ${block.height}, node ${node.index}`)
  }

  /** I4: certificates hold under the true rules, whatever bug is planted. */
  onCertificate(node: SimNode, certificate: Certificate, block: SealedBlock): void {
    if (node.actor !== 'honest') return
    const fault = verifyCertificate(this.scenario.setOf(block.epoch), certificate, (vote, signature) =>
      this.scenario.bug === 'no-epoch-in-vote'
        ? new Keys(false).recover(vote, signature)
        : this.keys.recover(vote, signature),
    )
    if (certificate.kind !== 'finalize' || certificate.block !== block.hash || fault) {
      throw new Violation(
        'I4',
        `certificate of final block ${block.height} does not hold at node ${node.index}: ${fault?.message ?? 'wrong vote'}`,
      )
    }
    if (this.scenario.bug === null && certificate.epoch !== block.epoch)
      throw new Violation('I4', 'epoch of certificate')
  }

  /** I8. */
  onEvidence(node: SimNode, first: SignedVote): void {
    if (node.actor !== 'honest') return
    if (this.isHonest(first.signer))
      throw new Violation('I8', `evidence against the honest sealer ${indexOf(first.signer)}`)
    this.accused.add(first.signer)
  }

  onHalt(node: SimNode, reason: string): void {
    if (node.actor === 'honest') throw new Violation('R14/R15', `honest node ${node.index} stopped: ${reason}`)
  }

  /** I9: nothing grows beyond sealers x views. */
  onStep(node: SimNode, core: Core): void {
    if (node.actor !== 'honest') return
    const base = core.pending?.view ?? core.final.view
    const views = core.cur - base + viewWindow + 1
    if (core.views.size > views) throw new Violation('I9', `${core.views.size} views kept, at most ${views} expected`)
    const blocks = 2 * (core.cur - core.final.view + 2)
    if (core.blocks.size > blocks)
      throw new Violation('I9', `${core.blocks.size} blocks kept, at most ${blocks} expected`)
    for (const record of core.views.values()) {
      for (const ballot of Object.values(record.ballots)) {
        if (ballot.votes.size > core.council.set.sealers.length) throw new Violation('I9', 'more votes than sealers')
      }
    }
  }

  get height(): number {
    return Math.max(0, this.finals.length - 1)
  }
}

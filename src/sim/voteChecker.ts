/** Invariants I3, I5 and I8: what sealers sign and what they are accused of. */
import { viewWindow } from '../consensus/bounds.js'
import { type Core, finalView } from '../consensus/core.js'
import type { ConsensusMessage, SignedVote, Vote, VoteKind } from '../consensus/types.js'
import { conflicts } from '../consensus/vote.js'
import type { Hash } from '../core/bytes.js'
import { type Checker, Violation } from './checker.js'
import { machineOf } from './keys.js'
import type { SimNode } from './node.js'

type Said = Partial<Record<VoteKind, Hash>>

/** Where the core stood before a step. */
export interface Before {
  readonly epoch: number
  readonly view: number
}

export class VoteChecker {
  /** What left honest sealers, by signer, epoch and view. */
  private readonly said = new Map<string, Said>()
  private readonly passed = new WeakSet<SignedVote>()
  /** Votes of faulty sealers that a node took in, by node, life, signer, epoch and view. */
  private readonly heard = new Map<string, SignedVote[]>()
  private readonly accused = new Set<string>()

  constructor(private readonly checker: Checker) {}

  /** R4: who has given up a view does not vote for it any more. */
  onSign(node: SimNode, vote: Vote): void {
    if (node.actor !== 'honest' || vote.kind !== 'notarize') return
    const said = this.said.get(`${node.address}|${vote.epoch}|${vote.view}`)
    if (said?.nullify !== undefined)
      throw new Violation('I3', `node ${node.index} votes to notarize view ${vote.view}, which it has nullified`)
  }

  /** I3, I5: what an honest node says is durable and never contradicts what it said before. */
  onSend(node: SimNode, message: ConsensusMessage): void {
    if (message.type !== 'proposal' && message.type !== 'vote') return
    const { vote } = message
    if (this.passed.has(vote) || vote.signer !== node.address) return
    checkDurable(node, vote)
    this.checkUnique(node, vote)
    this.passed.add(vote)
  }

  private checkUnique(node: SimNode, vote: SignedVote): void {
    const key = `${vote.signer}|${vote.epoch}|${vote.view}`
    const said = this.said.get(key) ?? {}
    const { kind, block, view } = vote
    if (said[kind] !== undefined && said[kind] !== block)
      throw new Violation('I3', `node ${node.index} signed two votes to ${kind} view ${view}`)
    if ((kind === 'nullify' && said.finalize !== undefined) || (kind === 'finalize' && said.nullify !== undefined))
      throw new Violation('I3', `node ${node.index} signed to nullify and to finalize view ${view}`)
    said[kind] = block
    this.said.set(key, said)
  }

  onEvidence(node: SimNode, first: SignedVote, second: SignedVote): void {
    if (node.actor !== 'honest') return
    if (!conflicts(first, second)) throw new Violation('I8', `evidence of node ${node.index} shows no conflict`)
    if (this.checker.isHonest(first.signer))
      throw new Violation('I8', `evidence against the honest sealer ${machineOf(first.signer)}`)
    this.accused.add(heardKey(node, first))
  }

  /** I8: a sealer of which an honest node took in two conflicting votes has been reported by it. */
  afterVote(node: SimNode, vote: SignedVote, before: Before, core: Core): void {
    if (this.checker.isHonest(vote.signer) || before.epoch !== vote.epoch || vote.view > before.view + viewWindow)
      return
    if (core.council.set.epoch !== vote.epoch || vote.view <= finalView(core) || core.halted !== 'no') return
    if (!core.council.indexOf.has(vote.signer) || core.views.get(vote.view)?.compact !== false) return
    const key = heardKey(node, vote)
    const heard = this.heard.get(key) ?? []
    this.heard.set(key, heard)
    if (heard.some((other) => conflicts(other, vote)) && !this.accused.has(key))
      throw new Violation(
        'I8',
        `node ${node.index} has two votes of sealer ${machineOf(vote.signer)} for view ${vote.view} and does not say so`,
      )
    heard.push(vote)
  }
}

function heardKey(node: SimNode, { signer, epoch, view }: SignedVote): string {
  return `${node.index}|${node.life}|${signer}|${epoch}|${view}`
}

function checkDurable(node: SimNode, vote: SignedVote): void {
  const { disk } = node
  if (disk.isSettled(vote)) return
  const what = `node ${node.index} sent a vote to ${vote.kind} view ${vote.view}`
  if (!disk.hasVote(vote)) throw new Violation('I5', `${what} that is not durable`)
  if (vote.kind !== 'nullify' && !disk.hasBlock(vote.block))
    throw new Violation('I5', `${what} for a block that is not durable`)
}

/** Invariants I1, I2, I4, I6, I10 and validity: what is final, at whichever node. docs/simulator.md lists all. */
import { verifyCertificate } from '../consensus/certificate.js'
import type { Certificate, SealedBlock, SealerSet } from '../consensus/types.js'
import type { Address, Hash } from '../core/bytes.js'
import { draftOf } from './blocks.js'
import { type ChainRules, type SimState, stateAfter } from './chainState.js'
import type { Disk } from './disk.js'
import { Keys, machineOf } from './keys.js'
import type { SimNode } from './node.js'
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
  private readonly keys: Keys
  private readonly finals: Hash[] = []
  private readonly roots: Hash[] = []
  private readonly submitted = new Set<number>()
  private readonly finalTxs = new Set<number>()
  /** States computed from genesis when a run is over. */
  private readonly replayed: SimState[] = []

  constructor(private readonly scenario: Scenario) {
    this.keys = new Keys(scenario.bug !== 'no-epoch-in-vote')
  }

  isHonest(address: Address): boolean {
    return this.scenario.actors[machineOf(address)] === 'honest'
  }

  onSubmit(tx: number): void {
    this.submitted.add(tx)
  }

  /** Before a block is stored at `node`, whose final state is `before` and will be `after`. */
  onFinal(node: SimNode, block: SealedBlock, before: SimState, after: SimState): void {
    if (node.actor !== 'honest') return
    const { height } = block
    const known = this.finals[height]
    if (known !== undefined && known !== block.hash)
      throw new Violation('I1', `two final blocks at height ${height}, node ${node.index}`)
    if (block.parent !== before.hash || height !== before.height + 1)
      throw new Violation('I2', `final block ${height} does not follow its parent, node ${node.index}`)
    if (block.epoch !== before.set.epoch)
      throw new Violation('I4', `final block ${height} has epoch ${block.epoch}, not ${before.set.epoch}`)
    if (block.view <= before.view || block.leader !== this.scenario.schedule.leader(before.set, block.view))
      throw new Violation('I4', `final block ${height} is not by the leader of its view`)
    if ((this.roots[height] ?? after.root) !== after.root || draftOf(block).root !== after.root)
      throw new Violation('I10', `state roots differ at height ${height}, node ${node.index}`)
    if (known !== undefined) return
    this.finals[height] = block.hash
    this.roots[height] = after.root
    for (const tx of after.txs) this.checkTx(tx)
  }

  private checkTx(tx: number): void {
    if (!this.submitted.has(tx)) throw new Violation('validity', `transaction ${tx} is final and was never submitted`)
    if (this.finalTxs.has(tx)) throw new Violation('validity', `transaction ${tx} is final twice`)
    this.finalTxs.add(tx)
  }

  /** I4: certificates hold under the true rules and the set of their epoch, whatever bug is planted. */
  onCertificate(node: SimNode, certificate: Certificate, block: SealedBlock, set: SealerSet): void {
    if (node.actor === 'honest') this.checkCertificate(`node ${node.index}`, certificate, block, set)
  }

  private checkCertificate(where: string, certificate: Certificate, block: SealedBlock, set: SealerSet): void {
    const fault = verifyCertificate(set, certificate, this.keys.recover)
    if (certificate.kind === 'finalize' && certificate.block === block.hash && !fault) return
    const why = fault?.message ?? `it is to ${certificate.kind} ${certificate.block}`
    throw new Violation('I4', `certificate of final block ${block.height} does not hold at ${where}: ${why}`)
  }

  /** I4, I6 over a whole chain: from genesis on, each epoch's set follows from the blocks before, each certificate holds under it. */
  onChain(node: SimNode, disk: Disk, rules: ChainRules, genesis: SimState): void {
    let state = genesis
    disk.chain.forEach(({ block, certificate }, i) => {
      if (block.parent !== state.hash) throw new Violation('I6', `the chain of node ${node.index} has a gap`)
      this.replayed[i] ??= { ...stateAfter(rules, state, draftOf(block)), hash: block.hash }
      const after = this.replayed[i]
      if (certificate) this.checkCertificate(`node ${node.index}, from genesis`, certificate, block, state.set)
      else if (after.closes)
        throw new Violation('I4', `block ${block.height} closes its epoch and has no certificate at node ${node.index}`)
      if (after.root !== draftOf(block).root) throw new Violation('I10', `root of block ${block.height} from genesis`)
      state = after
    })
  }

  onHalt(node: SimNode, reason: string): void {
    if (node.actor === 'honest') throw new Violation('R14/R15', `honest node ${node.index} stopped: ${reason}`)
  }

  /** Height of the longest final chain. */
  get height(): number {
    return Math.max(0, this.finals.length - 1)
  }
}

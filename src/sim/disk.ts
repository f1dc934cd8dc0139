/** What survives a crash of a simulated node: final chain, state, journal. */
import type { Certificate, FinalPoint, JournalRecord, SealedBlock, SignedVote } from '../consensus/types.js'
import { asEpoch, asHeight, asView, type Hash } from '../core/bytes.js'
import { genesisHash, type SimState } from './chainState.js'

export interface StoredBlock {
  readonly block: SealedBlock
  /** Null where a later block's certificate covers this one. */
  readonly certificate: Certificate | null
  readonly state: SimState
}

/** Final blocks in one answer to a node that syncs. */
const syncBlocksMax = 16
/** Blocks among which the next certificate is looked for, as many as a real node sends at most. */
const syncReachMax = 256

export class Disk {
  readonly chain: StoredBlock[] = []
  private records: JournalRecord[] = []
  private readonly votes = new Set<SignedVote>()
  private readonly blocks = new Set<Hash>()
  /** Highest view of which a finalization is in the journal, by epoch. */
  private finalized = { epoch: -1, view: -1 }

  constructor(private readonly genesis: SimState) {}

  /** State after the last final block. */
  get state(): SimState {
    return this.chain.at(-1)?.state ?? this.genesis
  }

  get height(): number {
    return this.chain.length
  }

  get final(): FinalPoint {
    const last = this.chain.at(-1)
    if (!last) return { hash: genesisHash, height: asHeight(0), view: asView(0), certificate: null }
    const { hash, height, view } = last.block
    return { hash, height, view, certificate: last.certificate }
  }

  get journal(): readonly JournalRecord[] {
    return this.records
  }

  append(records: readonly JournalRecord[]): void {
    for (const record of records) this.index(record)
    this.records.push(...records)
  }

  rewrite(records: readonly JournalRecord[]): void {
    this.records = []
    this.votes.clear()
    this.blocks.clear()
    this.finalized = { epoch: -1, view: -1 }
    this.append(records)
  }

  /** Only the first `kept` records are left; `noticed`: the node knows that there were more, and abstains (R16). */
  loseJournal(kept: number, noticed: boolean): void {
    const doubt: JournalRecord = { type: 'abstain', epoch: asEpoch(0), below: null, first: false }
    this.rewrite([...this.records.slice(0, kept), ...(noticed ? [doubt] : [])])
  }

  store(stored: StoredBlock): void {
    this.chain.push(stored)
  }

  /** The very vote, as it was signed in this life or read back in it. */
  hasVote(vote: SignedVote): boolean {
    return this.votes.has(vote)
  }

  hasBlock(hash: Hash): boolean {
    return this.blocks.has(hash) || this.chain.some(({ block }) => block.hash === hash)
  }

  /** Whether finality, in the chain or in the journal, has settled the view of `vote`. */
  isSettled({ epoch, view }: SignedVote): boolean {
    const { set } = this.state
    if (epoch < set.epoch || (epoch === set.epoch && view <= (this.chain.at(-1)?.block.view ?? 0))) return true
    return epoch === this.finalized.epoch && view <= this.finalized.view
  }

  private index(record: JournalRecord): void {
    if (record.type === 'vote') this.votes.add(record.vote)
    else if (record.type === 'block') this.blocks.add(record.block.hash)
    else if (record.type === 'certificate' && record.certificate.kind === 'finalize') {
      const { epoch, view } = record.certificate
      if (epoch > this.finalized.epoch || view > this.finalized.view) this.finalized = { epoch, view }
    }
  }

  /** Blocks of one epoch from height `from` on, up to one with a certificate; null when there is none. */
  certifiedRange(from: number): { blocks: readonly SealedBlock[]; certificate: Certificate } | null {
    const range: StoredBlock[] = []
    let certified = 0
    for (let height = from; height - from < syncReachMax; height++) {
      const stored = this.chain[height - 1]
      if (!stored || (range.length > 0 && stored.block.epoch !== range[0]!.block.epoch)) break
      range.push(stored)
      if (stored.certificate) certified = range.length
      if (certified >= syncBlocksMax) break
    }
    const certificate = range[certified - 1]?.certificate
    return certificate ? { blocks: range.slice(0, certified).map((stored) => stored.block), certificate } : null
  }
}

/** What one run leaves behind: blocks, transactions, standings over time, and how each fault was survived. Times in virtual ms. */
import type { SimState } from '../chainState.js'
import type { FinalEvent } from '../observer.js'
import { accusedBy } from '../operations.js'
import type { Fault } from './file.js'

export interface BlockRow {
  readonly height: number
  readonly epoch: number
  readonly view: number
  /** Node that sealed it, from 1. */
  readonly sealer: number
  readonly transactions: number
  /** Durable at the first honest node. */
  readonly finalMs: number
}

export interface TransactionRow {
  readonly transaction: number
  /** Node to which it was submitted, from 1. */
  readonly node: number
  readonly submittedMs: number
  /** Null: not final when the run ended. */
  readonly finalMs: number | null
}

/** One sealer at one moment. */
export interface StandingRow {
  readonly atMs: number
  readonly height: number
  readonly epoch: number
  readonly node: number
  readonly weight: number
  /** Of the total. */
  readonly weightShare: number
  readonly score: number
  readonly sealed: number
  readonly missed: number
}

export interface FaultRow {
  /** Position in the file, from 1. */
  readonly fault: number
  readonly kind: Fault['kind']
  readonly fromMs: number
  readonly toMs: number | null
  /** From its beginning until a block with a transaction submitted since then was final; null: never, or no load. */
  readonly blocksAgainMs: number | null
  /** From its end until every honest node had all blocks that were final anywhere when it ended; null: never, or no end. */
  readonly caughtUpMs: number | null
}

export interface RunTrace {
  readonly seed: number
  readonly blocks: readonly BlockRow[]
  readonly transactions: readonly TransactionRow[]
  readonly standings: readonly StandingRow[]
  readonly faults: readonly FaultRow[]
  readonly views: number
  readonly messages: number
}

interface Arrival {
  readonly atMs: number
  readonly node: number
  readonly height: number
}

/** Collects the events of one run; nodes count from 0 here, as in the simulator. */
export class Recorder {
  readonly #blocks: BlockRow[] = []
  readonly #submitted = new Map<number, { readonly node: number; readonly atMs: number }>()
  readonly #finalAt = new Map<number, number>()
  readonly #standings: StandingRow[] = []
  readonly #arrivals: Arrival[] = []
  #sampleAt = 0

  /** Standings are sampled every `sampleMs`, and at every change of epoch. */
  constructor(private readonly sampleMs: number) {}

  submitted(atMs: number, node: number, transaction: number): void {
    if (accusedBy(transaction) === null) this.#submitted.set(transaction, { node, atMs })
  }

  /** Submitted and not final yet. */
  get open(): number {
    return this.#submitted.size - this.#finalAt.size
  }

  /** A block became durable at an honest node. `sealer` counts from 0. */
  final({ atMs, node, block, txs, state }: FinalEvent, sealer: number): void {
    const { height, epoch, view } = block
    this.#arrivals.push({ atMs, node, height })
    if (height <= this.#blocks.length) return
    const load = txs.filter((tx) => this.#submitted.has(tx))
    this.#blocks.push({ height, epoch, view, sealer: sealer + 1, transactions: load.length, finalMs: atMs })
    for (const tx of load) this.#finalAt.set(tx, atMs)
    if (atMs >= this.#sampleAt || state.closes) this.#sample(atMs, state)
  }

  #sample(atMs: number, { height, set, credit }: SimState): void {
    this.#sampleAt = atMs + this.sampleMs
    const total = set.sealers.reduce((sum, { weight }) => sum + weight, 0)
    set.sealers.forEach(({ address, weight }, index) => {
      const record = credit.get(address)
      this.#standings.push({
        atMs,
        height,
        epoch: set.epoch,
        node: index + 1,
        weight,
        weightShare: weight / total,
        score: record?.score ?? 0,
        sealed: record?.counts.turnSealed ?? 0,
        missed: record?.counts.turnMissed ?? 0,
      })
    })
  }

  /** `honest`: nodes whose catching up counts. */
  trace(seed: number, faults: readonly Fault[], honest: readonly number[], messages: number): RunTrace {
    const transactions = [...this.#submitted].map(([transaction, { node, atMs }]) => ({
      transaction,
      node: node + 1,
      submittedMs: atMs,
      finalMs: this.#finalAt.get(transaction) ?? null,
    }))
    return {
      seed,
      blocks: this.#blocks,
      transactions,
      standings: this.#standings,
      faults: faults.map((fault, i) => this.#survived(fault, i + 1, transactions, honest)),
      views: this.#blocks.at(-1)?.view ?? 0,
      messages,
    }
  }

  #survived(
    fault: Fault,
    number: number,
    transactions: readonly TransactionRow[],
    honest: readonly number[],
  ): FaultRow {
    const { fromMs, toMs } = 'fromMs' in fault ? fault : { fromMs: 0, toMs: undefined }
    const later = transactions.flatMap(({ submittedMs, finalMs }) =>
      submittedMs >= fromMs && finalMs !== null ? [finalMs] : [],
    )
    const blocksAt = later.length === 0 ? null : later.reduce((least, at) => Math.min(least, at))
    const caughtUpAt = toMs === undefined ? null : this.#allAt(toMs, honest)
    return {
      fault: number,
      kind: fault.kind,
      fromMs,
      toMs: toMs ?? null,
      blocksAgainMs: blocksAt === null ? null : blocksAt - fromMs,
      caughtUpMs: caughtUpAt === null ? null : caughtUpAt - toMs!,
    }
  }

  /** When every node of `nodes` had what was final anywhere at `atMs`; null: never. */
  #allAt(atMs: number, nodes: readonly number[]): number | null {
    const height = this.#blocks.filter(({ finalMs }) => finalMs <= atMs).length
    let last = atMs
    for (const node of nodes) {
      const arrival = this.#arrivals.find((one) => one.node === node && one.height >= height)
      if (height > 0 && arrival === undefined) return null
      last = Math.max(last, arrival?.atMs ?? atMs)
    }
    return last
  }
}

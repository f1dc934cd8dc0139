/** What goes wrong in a run and when: plain data, drawn from the seed or written down by an experiment. */

/** Times in virtual ms since the run began. Nodes count from 0, spare machines after the first sealers. */
export type Fault =
  /** Power fails, in the middle of the next group commit or at once. */
  | {
      readonly kind: 'crash'
      readonly atMs: number
      readonly node: number
      readonly forMs: number
      readonly inSync: boolean
    }
  /** Power fails and the journal is lost but for its first `kept` records, which the node notices when it starts again. */
  | {
      readonly kind: 'lost-journal'
      readonly atMs: number
      readonly node: number
      readonly forMs: number
      readonly kept: number
    }
  /** Power fails everywhere; each node is back after its own time. */
  | { readonly kind: 'blackout'; readonly atMs: number; readonly forMs: readonly number[] }
  /** Nothing gets from any of `from` to any of `to`, nor back unless `oneWay`. */
  | {
      readonly kind: 'cut'
      readonly atMs: number
      readonly forMs: number
      readonly from: readonly number[]
      readonly to: readonly number[]
      readonly oneWay: boolean
    }
  /** Links of one node after another hold everything back, `stepMs` apart, and let go in the order of `release`, `holdMs` after the last. */
  | {
      readonly kind: 'clog'
      readonly atMs: number
      readonly nodes: readonly number[]
      readonly release: readonly number[]
      readonly stepMs: number
      readonly holdMs: number
    }
  /** Each write to the disk of a node takes up to `stallMs` longer. */
  | {
      readonly kind: 'slow-disk'
      readonly atMs: number
      readonly node: number
      readonly forMs: number
      readonly stallMs: number
    }

/** Transactions sent at random moments of a period to random nodes; what lies between periods is idle. */
export interface LoadPeriod {
  readonly fromMs: number
  readonly toMs: number
  readonly txs: number
}

export function describeFault(fault: Fault): string {
  const at = `${fault.kind} at ${fault.atMs.toFixed(0)}`
  switch (fault.kind) {
    case 'crash':
      return `${at} n${fault.node} for ${fault.forMs.toFixed(0)}${fault.inSync ? ' in a group commit' : ''}`
    case 'lost-journal':
      return `${at} n${fault.node} for ${fault.forMs.toFixed(0)}, ${fault.kept} records kept`
    case 'blackout':
      return `${at} for ${Math.max(...fault.forMs).toFixed(0)}`
    case 'cut':
      return `${at} for ${fault.forMs.toFixed(0)}: ${fault.from} ${fault.oneWay ? '->' : '<->'} ${fault.to}`
    case 'clog':
      return `${at}: ${fault.nodes}, released ${fault.release}`
    case 'slow-disk':
      return `${at} n${fault.node} for ${fault.forMs.toFixed(0)} by ${fault.stallMs.toFixed(0)}`
  }
}

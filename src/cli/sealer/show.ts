/** Tables of `concordat sealer`. */
import { type Output, short } from '../output.js'
import type { ChangeRow, SealersReport } from './read.js'

export function showSealers(out: Output, { epoch, weightPolicy, leaderSchedule, sealers }: SealersReport): void {
  out.line(`epoch ${epoch}, weights by '${weightPolicy}', leaders by '${leaderSchedule}'`)
  out.table(
    ['sealer', 'address', 'weight', 'score', 'sealed', 'missed', 'in a row', 'double signed', 'reached at'],
    sealers.map((row) => [
      row.id,
      row.address,
      row.weight,
      row.score,
      row.turnSealed,
      row.turnMissed,
      row.missedInRow,
      row.equivocations,
      row.multiaddr === '' ? 'as configured' : (row.multiaddr.split('/p2p/')[0] ?? ''),
    ]),
  )
}

export function showChanges(out: Output, changes: readonly ChangeRow[]): void {
  if (changes.length === 0) out.line('no change is open')
  else
    out.table(
      ['no', 'change', 'sealer', 'by', 'status', 'approved', 'reason', 'proposed at', 'settled at'],
      changes.map((change) => [
        change.id,
        change.kind,
        change.replacement === null ? change.sealer : `${change.sealer} by ${change.replacement}`,
        short(change.proposer),
        change.refusal === null ? change.status : `${change.status}: ${change.refusal}`,
        change.status === 'open' ? `${change.approvals.length} of ${change.needed}` : change.approvals.length,
        change.reason,
        change.proposedAt,
        change.settledAt ?? '-',
      ]),
    )
}

/** One sentence on where a change stands after block `block`. */
export function showChange(out: Output, change: ChangeRow, block: number): void {
  const { id, kind, status, approvals, needed, refusal } = change
  const outcome: Record<string, string> = {
    open: `${approvals.length} of ${needed} approvals; others approve it with: concordat sealer approve ${id}`,
    approved: 'approved; it takes effect with its block',
    settled: 'settled; the next block is sealed by the new set',
    refused: `refused when it was due: ${refusal}`,
    lapsed: 'lapsed; propose it again',
    withdrawn: 'withdrawn',
  }
  out.line(`change ${id} (${kind}), block ${block}: ${outcome[status] ?? status}`)
}

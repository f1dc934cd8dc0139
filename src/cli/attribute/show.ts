/** Tables and sentences of `concordat attribute`. */
import type { Output } from '../output.js'
import { contentRows } from './describe.js'
import type { ChangeRow, VersionRow } from './read.js'

export function showChanges(out: Output, changes: readonly ChangeRow[], height: number): void {
  if (changes.length === 0) {
    out.line('no change of the data portrait is open or scheduled')
    return
  }
  out.table(
    ['no', 'attribute', 'by', 'what changes', 'reason', 'where it stands'],
    changes.map((change) => [
      change.id,
      change.attribute,
      change.proposer,
      change.differences.length === 0 ? 'new attribute' : change.differences.join('\n'),
      change.reason,
      whereItStands(change, height),
    ]),
  )
}

/** One sentence after an action, and who has to act next. */
export function showChange(out: Output, change: ChangeRow, height: number): void {
  out.line(`change ${change.id} of ${change.attribute}: ${whereItStands(change, height)}`)
  if (change.status !== 'open') return
  out.line(`each of them approves it with: concordat attribute approve ${change.id} --as DEPARTMENT`)
}

export function whereItStands(change: ChangeRow, height: number): string {
  const { status, effectiveAt, refusals, refusal } = change
  const states: Record<string, string> = {
    open: `open: ${stillNeeded(change)}`,
    approved: `approved, in force from block ${effectiveAt} on (now ${height})`,
    settled: `in force since block ${effectiveAt}`,
    refused: `refused by ${refusals.at(-1) ?? '-'}${refusal === '' ? '' : `: ${refusal}`}`,
    lapsed: 'lapsed; propose it again',
    withdrawn: 'withdrawn',
    superseded: 'superseded: the entry has changed meanwhile; propose it again',
  }
  return states[status] ?? status
}

function stillNeeded({ missing, votes, votesNeeded, opens }: ChangeRow): string {
  const parts = missing.length === 0 ? [] : [`waits for ${missing.join(', ')}`]
  if (votes < votesNeeded) {
    parts.push(
      `it opens up ${opens.join(', ')}, so ${votesNeeded} departments have to approve (${votes} ${votes === 1 ? 'has' : 'have'})`,
    )
  }
  return parts.length === 0 ? 'one more call of approve completes it' : parts.join('; ')
}

export function showHistory(out: Output, attribute: string, versions: readonly VersionRow[]): void {
  out.line(`${attribute} has ${versions.length === 1 ? 'one version' : `${versions.length} versions`} here`)
  out.table(
    ['version', 'from block', 'proposed by', 'approved by', 'reason', 'what changed'],
    versions.map((version) => [
      version.number,
      version.from,
      version.proposer,
      version.approvals.join(', '),
      version.reason,
      version.number === 1 ? 'first version' : version.differences.join('\n'),
    ]),
  )
}

export function showVersion(out: Output, version: VersionRow): void {
  out.line(`version ${version.number}, in force from block ${version.from} on`)
  out.table(['field', 'value'], contentRows(version.content))
}

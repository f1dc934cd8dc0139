/** Taking in votes and certificates: counting, adoption (R1), evidence (R13), clone guard (R14) and conflicts (R15). */
import { asView, type View } from '../core/bytes.js'
import { viewWindow } from './bounds.js'
import { formCertificate, votesOf } from './certificate.js'
import { after, type Core, enterView, finalView, halt, recordOf, sabotaged } from './core.js'
import { weightAt } from './council.js'
import { abstains } from './doubt.js'
import { retireView } from './retire.js'
import type { Certificate, SignedVote, VoteKind } from './types.js'
import type { ViewRecord } from './viewRecord.js'
import { conflicts, sameVote } from './vote.js'

/** A slow finality is remembered over some ten views. */
const finalityLagDecay = 0.8

const KINDS: readonly VoteKind[] = ['notarize', 'nullify', 'finalize']

/** Counts a verified vote; a quorum becomes a certificate at once. */
export function takeVote(core: Core, vote: SignedVote): void {
  const index = core.council.indexOf.get(vote.signer)
  if (index === undefined || vote.epoch !== core.council.set.epoch) return
  if (vote.view <= finalView(core)) return
  if (vote.view > core.cur + viewWindow && !sabotaged(core, 'no-view-window')) return
  const record = recordOf(core, vote.view)
  if (record.compact || isClone(core, record, vote)) return
  reportConflicts(core, record, index, vote)
  const ballot = record.ballots[vote.kind]
  if (ballot.votes.has(index)) return
  ballot.votes.set(index, vote)
  const weight = (ballot.weights.get(vote.block) ?? 0) + weightAt(core.council, index)
  ballot.weights.set(vote.block, weight)
  core.changed = true
  if (weight >= core.council.quorum && !record.certificates[vote.kind]) {
    adopt(core, formCertificate(vote, ballot.votes))
  }
}

/** Takes in a verified certificate from outside: its votes count like any others, then it is adopted. */
export function takeCertificate(core: Core, certificate: Certificate): void {
  const { epoch } = core.council.set
  if (certificate.epoch < epoch && sabotaged(core, 'stale-certificate')) adopt(core, { ...certificate, epoch })
  if (certificate.epoch !== core.council.set.epoch || certificate.view <= finalView(core)) return
  for (const vote of votesOf(core.council.set, certificate)) takeVote(core, vote)
  adopt(core, certificate)
}

/** R1 and P3. `fromJournal`: it is durable already. */
export function adopt(core: Core, certificate: Certificate, fromJournal = false): void {
  if (certificate.epoch !== core.council.set.epoch || certificate.view <= finalView(core)) return
  const record = recordOf(core, certificate.view)
  if (contradicts(core, record, certificate) || record.certificates[certificate.kind]) return
  record.certificates[certificate.kind] = certificate
  core.parent = null
  core.changed = true
  if (certificate.kind === 'finalize') setPending(core, record, certificate, fromJournal)
  else if (!fromJournal) core.journal.push({ type: 'certificate', certificate })
  if (certificate.kind === 'notarize') {
    core.notarized.set(certificate.view, certificate)
    record.notarizedAt = core.now
    core.unfinalSince ??= core.now
  }
  if (certificate.view >= core.cur) enterView(core, after(certificate.view))
}

/** A finalization makes its view the base; everything at or below it is settled. */
function setPending(core: Core, record: ViewRecord, certificate: Certificate, fromJournal: boolean): void {
  const lagMs = record.notarizedAt === null ? 0 : core.now - record.notarizedAt
  const plausibleMs = Math.min(lagMs, 2 * core.options.timers.viewTimeoutMs)
  core.finalityLagMs = Math.max(plausibleMs, core.finalityLagMs * finalityLagDecay)
  core.pending = certificate
  core.pendingJournaled = fromJournal
  forgetViews(core, certificate.view)
}

/** Views at or below `view` are settled. */
export function forgetViews(core: Core, view: View): void {
  core.parent = null
  for (const [known, record] of core.views) {
    if (known > view) continue
    retireView(core, record)
    core.views.delete(known)
  }
  for (const known of core.notarized.keys()) if (known <= view) core.notarized.delete(known)
  core.unfinalSince = core.notarized.size > 0 ? core.now : null
  if (core.cur <= view) enterView(core, asView(view + 1))
}

/** R15: cannot happen while less than a third of the weight is faulty. */
function contradicts(core: Core, record: ViewRecord, certificate: Certificate): boolean {
  const { notarize, nullify, finalize } = record.certificates
  const { kind, view, block } = certificate
  const same = record.certificates[kind]
  let what: string | null = null
  if (same && same.block !== block) what = `two certificates to ${kind}`
  else if (kind === 'finalize' && nullify) what = 'a nullification and a finalization'
  else if (kind === 'nullify' && finalize) what = 'a finalization and a nullification'
  else if (kind === 'finalize' && notarize && notarize.block !== block) what = 'a notarization and another finalization'
  else if (kind === 'notarize' && finalize && finalize.block !== block) what = 'a finalization and another notarization'
  if (what === null) return false
  halt(core, 'stop-node', `view ${view} of epoch ${certificate.epoch} has ${what}: a third of the sealers is faulty`)
  return true
}

function reportConflicts(core: Core, record: ViewRecord, index: number, vote: SignedVote): void {
  if (record.reported.has(index) || sabotaged(core, 'drop-evidence')) return
  for (const kind of KINDS) {
    const other = record.ballots[kind].votes.get(index)
    if (!other || !conflicts(other, vote)) continue
    record.reported.add(index)
    core.effects.push({ type: 'evidence', first: other, second: vote })
    return
  }
}

/** R14: a valid own vote which the journal does not know was signed elsewhere with the same key, or before it was lost (R16). */
function isClone(core: Core, record: ViewRecord, vote: SignedVote): boolean {
  if (vote.signer !== core.options.self) return false
  const own = record.own[vote.kind]
  if ((own && sameVote(own, vote)) || abstains(core, vote.view)) return false
  const reason = `a vote to ${vote.kind} view ${vote.view} was signed with this sealer's key, but not by this node: the key is in use elsewhere`
  halt(core, 'stop-voting', reason)
  return true
}

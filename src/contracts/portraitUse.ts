/**
 * Use of the user portrait on record. Where a rule wants a basis, an answer from the portrait needs one as well: the free look-up
 * (portraitEntries) does not give it, this does, under the same rules as a question to the supervisors.
 */
import { type Hash, ZERO_HASH } from '../core/bytes.js'
import { requestItemsMax } from '../core/limits.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { admit, beginExamination, type Examination, examine } from './admission.js'
import { BASIS } from './codes.js'
import { readEntryHead, readRule } from './dataPortraitStorage.js'
import type { dataSharingAbi } from './dataSharing.abi.js'
import {
  dataSharingInterface as abi,
  portraitVersionOf,
  requireActing,
  requireActiveMember,
  requireCount,
} from './dataSharingStorage.js'
import { readMemberId } from './membersStorage.js'
import { NO_ENTRY, type PortraitAnswer, portraitAnswer } from './userPortrait.js'

type Args<N> = FunctionArgs<typeof dataSharingAbi, N>

/** Whether the portrait has an answer, without the answer. */
export function portraitHeld(host: ContractHost, { enterpriseId, items }: Args<'portraitHeld'>): boolean[] {
  requireCount('items', items.length, requestItemsMax)
  return items.map(({ attribute, digest }) => portraitAnswer(host, enterpriseId, attribute, digest).hit)
}

/**
 * Answers from the portrait, for a purpose and on a basis, and puts it on record; entries without a hit are to be asked for. A
 * refusal is on record too, and then nothing is a hit. Where there is no hit nothing is counted.
 */
export function usePortrait(host: ContractHost, args: Args<'usePortrait'>): readonly PortraitAnswer[] {
  const { enterpriseId, purpose, basis, items } = args
  const { account: requester, head } = requireActing(host)
  requireCount('items', items.length, requestItemsMax)
  const asking = { requester, role: head.role, enterpriseId, purpose, basis }
  const examination = beginExamination(asking, portraitVersionOf(host, enterpriseId))
  const entries = items.map(({ attribute, digest }) => portraitAnswer(host, enterpriseId, attribute, digest))
  checkHits(host, items, entries, examination)
  if (examination.asked.length === 0) return entries
  if (admit(host, examination) === undefined) return items.map(() => NO_ENTRY)
  emit(host, abi, 'PortraitUsed', { enterpriseId, requester, basis, purpose, items, entries })
  return entries
}

/**
 * The same for a service rule that a member has decided (contract `eligibility`). What the free look-up gives needs nothing here
 * either, and an enterprise needs nobody's leave about itself. Not granted: the refusal is on record.
 */
export function usePortraitFor(
  host: ContractHost,
  args: Args<'usePortraitFor'>,
): { granted: boolean; entries: readonly PortraitAnswer[] } {
  if (host.caller !== CONTRACT_ADDRESSES.eligibility) throw revert(abi, 'NotEligibility', { caller: host.caller })
  const { requester, enterpriseId, purpose, basis, items } = args
  const { role } = requireActiveMember(host, requester)
  requireCount('items', items.length, requestItemsMax)
  const entries = items.map(({ attribute, digest }) => portraitAnswer(host, enterpriseId, attribute, digest))
  if (readMemberId(host, requester) !== enterpriseId) {
    const asking = { requester, role, enterpriseId, purpose, basis }
    const examination = beginExamination(asking, portraitVersionOf(host, enterpriseId))
    const bound = entries.map((entry, i) => (isFree(host, items[i]!.attribute) ? NO_ENTRY : entry))
    checkHits(host, items, bound, examination)
    const refused = examination.asked.length > 0 && admit(host, examination) === undefined
    if (refused) return { granted: false, entries: items.map(() => NO_ENTRY) }
  }
  emit(host, abi, 'PortraitUsed', { enterpriseId, requester, basis, purpose, items, entries })
  return { granted: true, entries }
}

const isFree = (host: ContractHost, attribute: Hash): boolean => readRule(host, attribute).basis === BASIS.none

function checkHits(
  host: ContractHost,
  items: Args<'usePortrait'>['items'],
  entries: readonly PortraitAnswer[],
  examination: Examination,
): void {
  const seen = new Set<Hash>()
  for (const [i, { attribute, digest }] of items.entries()) {
    host.charge(GAS_STEP)
    if (seen.has(attribute)) throw revert(abi, 'DuplicateAttribute', { attribute })
    seen.add(attribute)
    if (readEntryHead(host, attribute) === undefined) throw revert(abi, 'UnknownAttribute', { attribute })
    if (digest === ZERO_HASH) throw revert(abi, 'ZeroDigest', { attribute })
    if (entries[i]!.hit) examine(host, examination, { attribute, digest }, readRule(host, attribute))
  }
}

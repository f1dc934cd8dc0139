/**
 * Budget of distinct declared values that one requester may try for one enterprise and attribute: without it GetConfirm
 * would be an oracle for guessing. The count starts anew when the value changes (generation) or the portrait key does.
 */
import type { Address, Hash } from '../core/bytes.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, revert } from '../vm/contract.js'
import { mappingSlot, packed, slotAfter } from '../vm/storage.js'
import { readEntryHead, readRule } from './dataPortraitStorage.js'
import type { dataSharingAbi } from './dataSharing.abi.js'
import { dataSharingInterface as abi, BUDGETS_SLOT, portraitVersionOf } from './dataSharingStorage.js'
import { generationOf } from './userPortrait.js'

/** Budget { head; mapping(bytes32 => mark) asked }. */
const ASKED = 1
const budgetHead = packed({ portraitVersion: 'uint32', generation: 'uint32', spent: 'uint16' })
const askedMark = packed({ portraitVersion: 'uint32', generation: 'uint32', asked: 'bool' })

export interface Asker {
  readonly requester: Address
  readonly enterpriseId: Hash
  /** The enterprise's current one. */
  readonly portraitVersion: number
}

function budgetSlot(host: ContractHost, { requester, enterpriseId }: Asker, attribute: Hash): Hash {
  return mappingSlot(host, mappingSlot(host, mappingSlot(host, BUDGETS_SLOT, requester), enterpriseId), attribute)
}

/** A digest that has to be counted if the question is asked. */
export interface Spending {
  readonly slot: Hash
  readonly head: Hash
  readonly markSlot: Hash
  readonly mark: Hash
}

/** What asking about a digest costs: undefined where it was asked before or nothing limits it, 'spent' where nothing is left. */
export function costOf(
  host: ContractHost,
  asker: Asker,
  attribute: Hash,
  digest: Hash,
  budget: number,
): Spending | 'spent' | undefined {
  if (budget === 0) return undefined
  const { portraitVersion } = asker
  const generation = generationOf(host, asker.enterpriseId, attribute)
  const slot = budgetSlot(host, asker, attribute)
  const mark = askedMark.write({ portraitVersion, generation, asked: true })
  const markSlot = mappingSlot(host, slotAfter(slot, ASKED), digest)
  if (host.load(markSlot) === mark) return undefined
  const spent = spentIn(host, slot, portraitVersion, generation)
  if (spent >= budget) return 'spent'
  return { slot, head: budgetHead.write({ portraitVersion, generation, spent: spent + 1 }), markSlot, mark }
}

export function spend(host: ContractHost, { slot, head, markSlot, mark }: Spending): void {
  host.store(markSlot, mark)
  host.store(slot, head)
}

/** Distinct values that the requester may still try; 65535 where there is no limit. */
export function digestBudgetLeft(
  host: ContractHost,
  args: FunctionArgs<typeof dataSharingAbi, 'digestBudgetLeft'>,
): number {
  const { requester, enterpriseId, attribute } = args
  if (readEntryHead(host, attribute) === undefined) throw revert(abi, 'UnknownAttribute', { attribute })
  const { digestBudget } = readRule(host, attribute)
  if (digestBudget === 0) return 0xffff
  const portraitVersion = portraitVersionOf(host, enterpriseId)
  const generation = generationOf(host, enterpriseId, attribute)
  const slot = budgetSlot(host, { requester, enterpriseId, portraitVersion }, attribute)
  return Math.max(0, digestBudget - spentIn(host, slot, portraitVersion, generation))
}

function spentIn(host: ContractHost, slot: Hash, portraitVersion: number, generation: number): number {
  const head = budgetHead.read(host.load(slot))
  return head.portraitVersion === portraitVersion && head.generation === generation ? head.spent : 0
}

/** Admits a question or refuses it: first every item is looked at, then, if nothing is against it, its costs are booked. */
import type { Hash } from '../core/bytes.js'
import type { ContractHost } from '../vm/contract.js'
import {
  type AskedRule,
  type Asking,
  askingFault,
  type Ground,
  type Refusal,
  recordRefusal,
  takeBasis,
} from './askingRules.js'
import { REFUSAL } from './codes.js'
import { type Asker, costOf, type Spending, spend } from './digestBudget.js'
import type { Rule } from './genesisTypes.js'
import { readTerms } from './sharingTerms.js'

/** What was found so far. */
export interface Examination {
  readonly asking: Asking
  readonly asker: Asker
  readonly asked: AskedRule[]
  /** To be counted when the question is admitted. */
  readonly spendings: Spending[]
  /** The first that a rule or a budget has against it. */
  refusal: Refusal | undefined
}

/** `portraitVersion`: the enterprise's current one. */
export function beginExamination(asking: Asking, portraitVersion: number): Examination {
  const { requester, enterpriseId } = asking
  const asker = { requester, enterpriseId, portraitVersion }
  return { asking, asker, asked: [], spendings: [], refusal: undefined }
}

/** Attributes are asked for once in a question: callers see to that. */
export function examine(
  host: ContractHost,
  examination: Examination,
  { attribute, digest }: { readonly attribute: Hash; readonly digest: Hash },
  rule: Rule,
): void {
  const { asking, asker, asked, spendings } = examination
  const item = { attribute, rule, terms: readTerms(host, attribute) }
  const cost = costOf(host, asker, attribute, digest, rule.digestBudget)
  const reason = askingFault(item, asking) || (cost === 'spent' ? REFUSAL.budgetSpent : 0)
  if (reason !== 0) examination.refusal ??= { attribute, reason }
  asked.push(item)
  if (cost !== undefined && cost !== 'spent') spendings.push(cost)
}

/** The ground on which the question rests, with its costs booked; undefined when it was refused, which is then on record. */
export function admit(host: ContractHost, { asking, asked, spendings, refusal }: Examination): Ground | undefined {
  const ground = refusal ?? takeBasis(host, asked, asking)
  if ('reason' in ground) {
    recordRefusal(host, ground, asking)
    return undefined
  }
  for (const spending of spendings) spend(host, spending)
  return ground
}

/** A question that the chain's rules refused; it is on record. */
import { nameOf, REFUSAL, type RefusalName } from '../contracts/codes.js'
import { idText, isTextId } from '../contracts/textId.js'
import { fromHex, type Hash } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import type { RpcReceipt } from '../rpc/wire.js'
import { dataSharing } from './contractClient.js'

/** What is against the question, and what to do. */
const WORDS: Readonly<Record<RefusalName, string>> = {
  role: 'its rule does not let this role ask: ask the supervising department',
  asker: 'its rule lets other departments ask, not this one: ask the supervising department',
  purpose: 'its rule does not allow this purpose: name one that it lists',
  budgetSpent: 'this department has tried too many different values: ask the enterprise for the right one',
  basisMissing: 'its rule wants a legal basis: name a consent of the enterprise or a statute',
  basisUnknown: 'its basis is neither a consent on chain nor a statute that the rule lists: grant the consent first',
  consentNeeded: 'this statute does not do for this purpose: name a consent of the enterprise',
  statuteNeeded: 'its rule wants a statute that it lists, a consent does not do',
  consentRequester: 'the consent was given to another department',
  consentEnterprise: 'the consent is one of another enterprise',
  consentAttribute: 'the consent does not name this attribute',
  consentPurpose: 'the consent was given for another purpose',
  consentExpired: 'the consent has expired: ask the enterprise for another',
  consentUsedUp: 'the consent is used up: ask the enterprise for another',
  consentRevoked: 'the enterprise has revoked the consent',
}

export class QuestionRefused extends CodedError<'QUESTION_REFUSED'> {
  constructor(
    readonly attribute: string,
    readonly reason: RefusalName,
    /** In which the refusal is on record. */
    readonly transaction: Hash,
  ) {
    super(
      'QUESTION_REFUSED',
      `the question about ${attribute} was refused, on record in ${transaction}: ${WORDS[reason]}`,
    )
  }
}

/** The refusal that a transaction put on record, if it did. */
export function refusalIn({ logs, transactionHash }: RpcReceipt): QuestionRefused | undefined {
  for (const { topics, data } of logs) {
    const event = dataSharing.abi.decodeEvent('VerificationRefused', { topics, data: fromHex(data) })
    if (event === undefined) continue
    const { attribute, reason } = event
    const name = isTextId(attribute) ? idText(attribute) : attribute
    return new QuestionRefused(name, nameOf(REFUSAL, reason) ?? 'role', transactionHash)
  }
  return undefined
}

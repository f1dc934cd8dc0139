/** A department's query (paper 4.3, Fig. 7). */
import { Requester, type RequesterOptions, type VerificationReport } from '../agent/requester.js'
import { textId } from '../contracts/textId.js'
import { asHash } from '../core/bytes.js'
import type { Member } from './connect.js'
import { requireValues } from './requireValues.js'

export interface Question {
  /** Unified social credit code of the enterprise that is asked about. */
  readonly creditCode: string
  /** Attribute -> value to be confirmed. */
  readonly values: Readonly<Record<string, string>>
  /** Why it is asked, 1 to 32 ASCII characters; default `verification`. */
  readonly purpose?: string
  /** Where a rule wants one: id of a consent on chain (0x...), or a statute's code. */
  readonly basis?: string
}

/** Portrait keys that were found stay with their connection. */
const requesters = new WeakMap<Member, { readonly options: RequesterOptions; readonly asks: Requester }>()

/**
 * Asks whether an enterprise has these attributes with these values: from the user portrait where it has the answers, in one
 * call; else the supervising departments answer. Throws ClientError, AgentError, QuestionRefused,
 * ContractRevert, RpcError or RpcClientError.
 */
export async function verify(
  member: Member,
  question: Question,
  options: RequesterOptions,
): Promise<VerificationReport> {
  requireValues('question', question)
  const { creditCode, values, purpose, basis } = question
  return requesterOf(member, options).verify({
    enterpriseId: textId(creditCode.trim().toUpperCase(), 'creditCode'),
    values: new Map(Object.entries(values)),
    ...(purpose !== undefined && { purpose: textId(purpose, 'purpose') }),
    ...(basis !== undefined && { basis: basis.startsWith('0x') ? asHash(basis, 'basis') : textId(basis, 'basis') }),
  })
}

function requesterOf(member: Member, options: RequesterOptions): Requester {
  const kept = requesters.get(member)
  if (kept && isSame(kept.options, options)) return kept.asks
  const asks = new Requester(options, member)
  requesters.set(member, { options, asks })
  return asks
}

const isSame = (a: RequesterOptions, b: RequesterOptions): boolean =>
  a.encryptionKeys === b.encryptionKeys && a.joint === b.joint && a.answerTimeoutMs === b.answerTimeoutMs

import { DataValidation, type Profiles, type ValueError, type Values } from '../contracts/dataFunctions.js'
import { CodedError } from '../core/codedError.js'

export type AgentErrorCode =
  /** The account is no member, or not an active one. */
  | 'NOT_A_MEMBER'
  /** The member has another key now. */
  | 'KEY_REPLACED'
  /** The member's role does not do this. */
  | 'WRONG_ROLE'
  /** The declaration is about another enterprise than the one that signs. */
  | 'OTHER_ENTERPRISE'
  /** Values that do not fit their attribute's schema, or attributes that no department supervises. */
  | 'INVALID_VALUES'
  /** A department has published no encryption key. */
  | 'NO_ENCRYPTION_KEY'
  /** The enterprise has not shared its portrait key with this department. */
  | 'NO_PORTRAIT_KEY'
  /** A transaction was final but had no effect. */
  | 'TRANSACTION_FAILED'
  /** An envelope could not be brought to its recipient's node. */
  | 'NOT_DELIVERED'
  | 'WRONG_CHAIN'

/** A submission or query that cannot be done; the message says what to change. */
export class AgentError extends CodedError<AgentErrorCode> {
  constructor(
    code: AgentErrorCode,
    message: string,
    readonly faults: readonly ValueError[] = [],
  ) {
    super(code, message)
  }
}

/** Canonical values; throws AgentError INVALID_VALUES with every fault. `places`: where each value was declared, for messages. */
export function validated(profiles: Profiles, values: Values, places?: ReadonlyMap<string, string>): Values {
  const { ok, errors, values: canonical } = DataValidation(profiles, values)
  if (ok) return canonical
  const shown = errors.slice(0, 5).map(({ attribute, message }) => {
    const place = places?.get(attribute)
    return place === undefined ? message : `${message} (${place})`
  })
  const more = errors.length > shown.length ? `; and ${errors.length - shown.length} more` : ''
  throw new AgentError('INVALID_VALUES', `${shown.join('; ')}${more}`, errors)
}

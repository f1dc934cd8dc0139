import { CodedError } from '../core/codedError.js'

export type ClientErrorCode =
  /** An argument has not the form that its type says. */
  | 'ARGUMENT'
  /** The node is on another chain than the one that was named. */
  | 'WRONG_CHAIN'
  /** The account has no way to sign what is wanted. */
  | 'ACCOUNT_CANNOT_SIGN'
  /** The node has no such block, transaction or certificate. */
  | 'NOT_FOUND'
  /** A proof, header or certificate does not hold. */
  | 'PROOF'

/** What cannot be done with this connection or account; the message says what to change. */
export class ClientError extends CodedError<ClientErrorCode> {}

import { CodedError } from '../core/codedError.js'

/**
 * Why a file proves nothing; the message names the part. Nothing of the file is proved where one part fails. ENVIRONMENT alone says
 * nothing against the file: what verifies it lacks something.
 */
export class EvidenceError extends CodedError<
  | 'NOT_CANONICAL'
  | 'MALFORMED'
  | 'GENESIS'
  | 'HEADER'
  | 'SEALERS'
  | 'CERTIFICATE'
  | 'PROOF_MISSING'
  | 'UNUSED'
  | 'CONTENT'
  | 'TOKEN'
  | 'ENVIRONMENT'
> {}

/** Throws EvidenceError unless `holds`. */
export function must(holds: boolean, code: EvidenceError['code'], problem: () => string): asserts holds {
  if (!holds) throw new EvidenceError(code, problem())
}

/** What every form of declaration is read into. */
import type { Hash } from '../../core/bytes.js'

/** The attribute that names the enterprise. */
export const CREDIT_CODE_ATTRIBUTE = 'unifiedSocialCreditCode'

export interface Declaration {
  /** Name of the file, for messages. */
  readonly file: string
  /** Unified social credit code, 18 characters, upper case. */
  readonly creditCode: string
  /** The credit code as the chain's id of the enterprise. */
  readonly enterpriseId: Hash
  /** Attribute -> declared text, not yet canonical; never empty. */
  readonly values: ReadonlyMap<string, string>
  /** Attribute -> where its value stands, where that is known. */
  readonly places?: ReadonlyMap<string, string>
  /** SHA-256 of the file's bytes; of a package, the root over its files (documentTree.ts). */
  readonly documentHash: Hash
}

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
  /** What StoreData carries: the hash over the files (documentTree.ts) or values, blinded so that nobody can try out what they hold. */
  readonly documentHash: Hash | KeyedHash
}

/** Hash of what has no salt of its own: it is blinded with the enterprise's portrait key. */
export type KeyedHash = (portraitKey: Uint8Array) => Hash

export function documentHashOf({ documentHash }: Pick<Declaration, 'documentHash'>, portraitKey: Uint8Array): Hash {
  return typeof documentHash === 'string' ? documentHash : documentHash(portraitKey)
}

/** A declaration whose document hash is known: the journal and the chain have it by that. */
import type { Hash } from '../../core/bytes.js'
import type { Declaration } from '../declaration.js'

export interface KnownDeclaration extends Declaration {
  readonly documentHash: Hash
}

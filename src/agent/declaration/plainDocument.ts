/**
 * The document of a plain declaration: a tree of one file (documentTree.ts). Whoever knows all of a file but one value could try out
 * what is missing against a hash of its bytes; so the salt comes from the enterprise's portrait key, and is the file's own: a proof,
 * which shows it, tells nothing about what else the enterprise has declared.
 */
import { fromHex, type Hash, toHex, utf8 } from '../../core/bytes.js'
import { hkdfExpand, hkdfExtract, sha256Bytes } from '../../crypto/hkdf.js'
import { primitives } from '../../crypto/primitives.js'
import { type DocumentTree, documentTree } from './documentTree.js'

const DOMAIN = utf8('concordat document salt v1')

/** As node:path has it: of the last part of a path, and none of a name that begins with its only dot. */
const EXTENSION = /(?<=[^/])\.[^./]*$/

/** Path in the document: the name of a file does not count, only whether it is read as .json or .csv. */
export const plainPath = (file: string): string => `declaration${(EXTENSION.exec(file)?.[0] ?? '').toLowerCase()}`

/**
 * Of a file of these bytes, named `file`; salt = HKDF-SHA256(salt: DOMAIN, key: portrait key, info: enterprise id | SHA-256 of the file).
 * The same for the same bytes and key, so that a submission can be found again by its document.
 */
export function plainDocument(
  bytes: Uint8Array,
  file: string,
  enterpriseId: Hash,
  portraitKey: Uint8Array,
): DocumentTree {
  const sha256 = primitives.sha256(bytes)
  const salt = hkdfExpand(hkdfExtract(DOMAIN, portraitKey), sha256Bytes, fromHex(enterpriseId), sha256)
  return documentTree(new Map([[plainPath(file), bytes]]), toHex(salt).slice(2))
}

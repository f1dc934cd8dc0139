import { toHex } from '../../core/bytes.js'
import { keccak256 } from '../../crypto/keccak.js'
import { StateError } from '../errors.js'
import { type ByteString, fromByteString, toByteString } from './byteString.js'
import { decodeNode } from './decode.js'
import { type LoadedNode, unpackNibbles } from './node.js'

/** Where a trie's nodes are kept, by path. */
export interface NodeSource {
  /** Encoded node that begins at `path` (one nibble a byte).  */
  load(path: Uint8Array): Uint8Array | undefined
}

/** Source of a trie that lives in memory only. */
export const NO_SOURCE: NodeSource = { load: () => undefined }

/**
 * The node that begins after `depth` nibbles of `key` and hashes to `hash`. Checking the hash costs less than reading the
 * node, and finds both a damaged store and a trie of a fork that is read after another block became final.
 */
export function loadNode(source: NodeSource, hash: ByteString, key: ByteString, depth: number): LoadedNode {
  const path = unpackNibbles(key, depth)
  const bytes = source.load(path)
  if (bytes === undefined) throw fault('MISSING_NODE', 'is not in the store', path, hash)
  if (toByteString(keccak256(bytes)) !== hash) throw fault('CORRUPT', 'is damaged', path, hash)
  try {
    return decodeNode(bytes, bytes.length < 32 ? toByteString(bytes) : hash, key, depth)
  } catch (cause) {
    throw fault('CORRUPT', 'cannot be decoded', path, hash, cause)
  }
}

function fault(
  code: 'MISSING_NODE' | 'CORRUPT',
  problem: string,
  path: Uint8Array,
  hash: ByteString,
  cause?: unknown,
): StateError {
  const nibbles = Array.from(path, (nibble) => nibble.toString(16)).join('')
  const message = `trie node ${toHex(fromByteString(hash))} at path "${nibbles}" ${problem}: stop the node and let it sync into an empty data folder`
  return new StateError(code, message, { cause })
}

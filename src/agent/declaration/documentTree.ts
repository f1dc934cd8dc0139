/**
 * One hash for all files of a package, from which each file can be proved alone. A Merkle tree as in RFC 9162 (leaves 0x00, nodes
 * 0x01) over the files in the order of their paths. Every leaf is blinded with a salt of its own, derived from the manifest's,
 * so that a proof of one file tells nothing about the others: short forms could otherwise be guessed from their hashes.
 */
import { asHash, concatBytes, fromHex, type Hash, toHash, toHex, utf8 } from '../../core/bytes.js'
import { CodedError } from '../../core/codedError.js'
import { primitives } from '../../crypto/primitives.js'
import type { FileProof } from './proofFile.js'
import type { Files } from './zip.js'

export type ProofErrorCode = 'MALFORMED' | 'OTHER_FILE' | 'OTHER_DOCUMENT' | 'NO_SUCH_FILE'

/** A file or a proof that does not belong to the document. */
export class ProofError extends CodedError<ProofErrorCode> {}

interface Leaf {
  readonly file: string
  readonly bytes: number
  readonly sha256: Uint8Array
  readonly salt: Uint8Array
}

export interface DocumentTree {
  readonly documentHash: Hash
  /** Throws ProofError NO_SUCH_FILE. */
  prove(file: string): FileProof
}

/** `salt`: the manifest's, 64 hex digits. Equal for a folder and a .zip of the same files. */
export function documentTree(files: Files, salt: string): DocumentTree {
  const key = fromHex(`0x${salt}`)
  const paths = [...files.keys()].sort(byUtf8)
  const leaves = paths.map((file): Leaf => {
    const bytes = files.get(file)!
    return { file, bytes: bytes.length, sha256: sha256(bytes), salt: hmac(key, utf8(file)) }
  })
  const hashes = leaves.map(leafHash)
  const documentHash = documentHashOf(rootOf(hashes), leaves.length)
  return {
    documentHash,
    prove(file) {
      const index = paths.indexOf(file.normalize('NFC'))
      const leaf = leaves[index]
      if (leaf === undefined) throw new ProofError('NO_SUCH_FILE', `${file} is not in the package: give its path in it`)
      return {
        format: 'concordat-declaration-proof/1',
        documentHash,
        file: leaf.file,
        bytes: leaf.bytes,
        sha256: toHex(leaf.sha256),
        salt: toHex(leaf.salt),
        index,
        count: leaves.length,
        siblings: pathTo(hashes, index).map((node) => toHex(node)),
      }
    },
  }
}

/** In the order of their bytes, which is that of their hex digits. */
function byUtf8(a: string, b: string): number {
  const [first, second] = [toHex(utf8(a)), toHex(utf8(b))]
  return first < second ? -1 : first > second ? 1 : 0
}

/** Throws ProofError unless these bytes are the file that the proof is about and it belongs to `documentHash`. */
export function verifyFile(bytes: Uint8Array, proof: FileProof, documentHash: Hash): void {
  const digest = sha256(bytes)
  if (bytes.length !== proof.bytes || toHex(digest) !== proof.sha256) {
    throw new ProofError('OTHER_FILE', `is not the file ${proof.file} of the proof: not one byte may differ`)
  }
  const leaf = leafHash({ file: proof.file, bytes: proof.bytes, sha256: digest, salt: fromHex(asHash(proof.salt)) })
  const siblings = proof.siblings.map((one) => fromHex(asHash(one)))
  const root = climb(leaf, proof.index, proof.count, siblings)
  if (root === undefined || documentHashOf(root, proof.count) !== documentHash) {
    throw new ProofError('OTHER_DOCUMENT', `does not belong to the document ${documentHash}`)
  }
}

/** Files are hashed alone and may be large; what is hashed in parts is short. */
const sha256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  primitives.sha256(parts.length === 1 ? parts[0]! : concatBytes(...parts))

const hmac = (key: Uint8Array, data: Uint8Array) => primitives.hmacSha256(key, [data])

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)
const DOCUMENT = utf8('concordat-declaration/1')

/** Every part but the last has a fixed length, so that no two leaves have one encoding. */
function leafHash({ file, bytes, sha256: digest, salt }: Leaf): Uint8Array {
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(bytes))
  return sha256(LEAF, salt, digest, length, utf8(file))
}

function documentHashOf(root: Uint8Array, count: number): Hash {
  const files = new Uint8Array(4)
  new DataView(files.buffer).setUint32(0, count)
  return toHash(sha256(DOCUMENT, files, root))
}

/** Largest power of two below n. */
const split = (n: number): number => 2 ** Math.floor(Math.log2(n - 1))

function rootOf(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 1) return hashes[0]!
  const k = split(hashes.length)
  return sha256(NODE, rootOf(hashes.slice(0, k)), rootOf(hashes.slice(k)))
}

/** Siblings from the leaf up. */
function pathTo(hashes: readonly Uint8Array[], index: number): Uint8Array[] {
  if (hashes.length <= 1) return []
  const k = split(hashes.length)
  return index < k
    ? [...pathTo(hashes.slice(0, k), index), rootOf(hashes.slice(k))]
    : [...pathTo(hashes.slice(k), index - k), rootOf(hashes.slice(0, k))]
}

/** Undefined when there are too many or too few siblings. */
function climb(
  leaf: Uint8Array,
  index: number,
  count: number,
  siblings: readonly Uint8Array[],
): Uint8Array | undefined {
  if (count === 1) return siblings.length === 0 ? leaf : undefined
  const last = siblings.at(-1)
  if (last === undefined) return undefined
  const k = split(count)
  const below = siblings.slice(0, -1)
  if (index < k) {
    const left = climb(leaf, index, k, below)
    return left && sha256(NODE, left, last)
  }
  const right = climb(leaf, index - k, count - k, below)
  return right && sha256(NODE, last, right)
}

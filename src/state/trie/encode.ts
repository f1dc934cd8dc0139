/** RLP of trie nodes in one shared scratch buffer, and the single hash pass over what changed. */
import { rlpHeaderBytes, writeListHeader, writeStringHeader } from '../../core/rlp.js'
import { keccak256 } from '../../crypto/keccak.js'
import { type ByteString, toByteString } from './byteString.js'
import {
  BRANCH,
  type Branch,
  EXTENSION,
  type Extension,
  LEAF,
  type Leaf,
  type LoadedNode,
  nibbleAt,
  type TrieNode,
  UNLOADED,
} from './node.js'

/** Never shared beyond one call: every result is copied out of it or hashed. */
let scratch = new Uint8Array(1024)
/** The same memory, for writing long strings. */
let scratchText = Buffer.from(scratch.buffer)

/** What the parent embeds for `node`, hashing every changed node below it exactly once. */
export function refOf(node: TrieNode, depth: number): ByteString {
  if (node.kind === UNLOADED || node.ref !== null) return node.ref!
  if (node.kind === BRANCH) {
    for (const child of node.children) if (child !== null && child.ref === null) refOf(child, depth + 1)
  } else if (node.kind === EXTENSION) {
    refOf(node.child, depth + node.length)
  }
  const length = encodeToScratch(node, depth)
  const encoded = scratch.subarray(0, length)
  const ref = toByteString(length < 32 ? encoded : keccak256(encoded))
  node.ref = ref
  return ref
}

/** A node's RLP, valid until the next call into this file. Everything below it must have been hashed. */
export function encodeNode(node: LoadedNode, depth: number): Uint8Array {
  return scratch.subarray(0, encodeToScratch(node, depth))
}

function encodeToScratch(node: LoadedNode, depth: number): number {
  switch (node.kind) {
    case LEAF:
      return encodeLeaf(node, depth)
    case EXTENSION:
      return encodeExtension(node, depth)
    case BRANCH:
      return encodeBranch(node)
  }
}

function reserve(bytes: number): void {
  if (scratch.length >= bytes) return
  scratch = new Uint8Array(2 * bytes)
  scratchText = Buffer.from(scratch.buffer)
}

function encodeLeaf(node: Leaf, depth: number): number {
  const { key, value } = node
  const pathBytes = ((2 * key.length - depth) >> 1) + 1
  const payload = pathItemBytes(pathBytes) + stringItemBytes(value)
  reserve(payload + 9)
  let at = writeListHeader(scratch, 0, payload)
  if (pathBytes > 1) at = writeStringHeader(scratch, at, pathBytes)
  // The number of nibbles in a key is even: what follows the odd one starts on a whole byte.
  scratch[at++] = depth & 1 ? 0x30 | (key.charCodeAt(depth >> 1) & 15) : 0x20
  for (let i = (depth + 1) >> 1; i < key.length; i++) scratch[at++] = key.charCodeAt(i)
  return writeStringItem(at, value)
}

function encodeExtension(node: Extension, depth: number): number {
  const { sample, length, child } = node
  const pathBytes = (length >> 1) + 1
  const payload = pathItemBytes(pathBytes) + refItemBytes(child.ref!)
  reserve(payload + 9)
  let at = writeListHeader(scratch, 0, payload)
  if (pathBytes > 1) at = writeStringHeader(scratch, at, pathBytes)
  let next = depth
  const end = depth + length
  scratch[at++] = length & 1 ? 0x10 | nibbleAt(sample, next++) : 0
  while (next < end) scratch[at++] = (nibbleAt(sample, next++) << 4) | nibbleAt(sample, next++)
  return writeRefItem(at, child.ref!)
}

function encodeBranch(node: Branch): number {
  const { children, value } = node
  let payload = value === null ? 1 : stringItemBytes(value)
  for (let i = 0; i < 16; i++) {
    const child = children[i]!
    payload += child === null ? 1 : refItemBytes(child.ref!)
  }
  reserve(payload + 9)
  let at = writeListHeader(scratch, 0, payload)
  for (let i = 0; i < 16; i++) {
    const child = children[i]!
    if (child === null) scratch[at++] = 0x80
    else at = writeRefItem(at, child.ref!)
  }
  if (value === null) scratch[at++] = 0x80
  else at = writeStringItem(at, value)
  return at
}

/** The first byte of a hex-prefix path is below 0x80: alone, it stands for itself. */
function pathItemBytes(pathBytes: number): number {
  return pathBytes === 1 ? 1 : rlpHeaderBytes(pathBytes) + pathBytes
}

function stringItemBytes(value: ByteString): number {
  return value.length === 1 && value.charCodeAt(0) < 0x80 ? 1 : rlpHeaderBytes(value.length) + value.length
}

function refItemBytes(ref: ByteString): number {
  return ref.length === 32 ? 33 : ref.length
}

function writeStringItem(at: number, value: ByteString): number {
  if (value.length === 1 && value.charCodeAt(0) < 0x80) {
    scratch[at] = value.charCodeAt(0)
    return at + 1
  }
  return writeBytes(writeStringHeader(scratch, at, value.length), value)
}

function writeRefItem(at: number, ref: ByteString): number {
  if (ref.length !== 32) return writeBytes(at, ref)
  scratch[at] = 0xa0
  return writeBytes(at + 1, ref)
}

function writeBytes(at: number, text: ByteString): number {
  const { length } = text
  // A loop beats the call into the runtime up to about two hashes.
  if (length > 64) scratchText.write(text, at, 'latin1')
  else for (let i = 0; i < length; i++) scratch[at + i] = text.charCodeAt(i)
  return at + length
}

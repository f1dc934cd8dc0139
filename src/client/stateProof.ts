/** Proofs of accounts and storage (EIP-1186, eth_getProof) against the state root of a header. */
import type { GetProofReturnType } from 'viem'
import {
  type Address,
  asAddress,
  asHash,
  bytesToUint,
  equalBytes,
  fromHex,
  type Hash,
  type Hex,
  toHash,
} from '../core/bytes.js'
import { EMPTY_TRIE_ROOT } from '../core/header.js'
import { rpcProofSlotsMax } from '../core/limits.js'
import { type RlpItem, rlpDecode } from '../core/rlp.js'
import { keccak256 } from '../crypto/keccak.js'
import { ClientError } from './clientError.js'

export interface ProvedAccount {
  readonly address: Address
  /** null: there is no such account. */
  readonly account: { readonly nonce: bigint; readonly balance: bigint; readonly codeHash: Hash } | null
  /** Slot -> word; 0 where nothing stands there. */
  readonly storage: ReadonlyMap<Hash, bigint>
}

/** Nodes of a path: a key has 64 nibbles. */
const NODES_MAX = 65

/**
 * What the proof says about the state with this root; what the node says beside it does not count. Take the root from a header
 * that `verifyFinality` gave. Throws ClientError PROOF.
 */
export function verifyProof(stateRoot: Hex, proof: GetProofReturnType): ProvedAccount {
  const address = wellFormed(() => asAddress(proof.address))
  const slots = listed(proof.storageProof, rpcProofSlotsMax, 'slots')
  const found = valueIn(stateRoot, keccak256(fromHex(address)), proof.accountProof)
  const fields = found === null ? null : listOf(found)
  if (fields !== null && fields.length !== 4) throw fault('an account has 4 fields')
  const storageRoot = fields === null ? EMPTY_TRIE_ROOT : toHash(bytesOf(fields[2]))
  const storage = slots.map(({ key, proof: nodes }) => {
    const slot = wellFormed(() => slotOf(key))
    const word = valueIn(storageRoot, keccak256(fromHex(slot)), nodes)
    return [slot, word === null ? 0n : bytesToUint(bytesOf(decoded(word)))] as const
  })
  return { address, account: fields && accountOf(fields), storage: new Map(storage) }
}

const accountOf = (fields: readonly RlpItem[]) => ({
  nonce: bytesToUint(bytesOf(fields[0])),
  balance: bytesToUint(bytesOf(fields[1])),
  codeHash: toHash(bytesOf(fields[3])),
})

/** Nodes answer a key as it was asked for: written short, too. */
const slotOf = (key: Hex): Hash => asHash(`0x${key.slice(2).padStart(64, '0')}`, 'slot')

/** The value under `key` in the trie with this root; null where the nodes prove that there is none (yellow paper, appendix D). */
function valueIn(root: Hex, key: Uint8Array, proof: readonly Hex[]): Uint8Array | null {
  const nodes = listed(proof, NODES_MAX, 'nodes').map((node) => wellFormed(() => fromHex(node, 'node')))
  if (root === EMPTY_TRIE_ROOT && nodes.length === 0) return null
  const path = nibblesOf(key)
  let next = 0
  let item: RlpItem = nodeBelow(fromHex(root), () => nodes[next++])
  let at = 0
  for (;;) {
    const node = item as readonly RlpItem[]
    if (node.length === 17) {
      if (at === path.length) return wordIn(node[16])
      const child: RlpItem = node[path[at++]!]!
      if (child instanceof Uint8Array && child.length === 0) return null
      item = nodeBelow(child, () => nodes[next++])
      continue
    }
    if (node.length !== 2) throw fault('a node has 2 or 17 items')
    const { nibbles, isLeaf } = pathOf(bytesOf(node[0]))
    const fits = nibbles.every((nibble, i) => path[at + i] === nibble)
    if (isLeaf) return fits && at + nibbles.length === path.length ? wordIn(node[1]) : null
    if (!fits) return null
    at += nibbles.length
    item = nodeBelow(node[1]!, () => nodes[next++])
  }
}

/** A node by its hash, or one shorter than a hash, which stands in its parent. */
function nodeBelow(reference: RlpItem, take: () => Uint8Array | undefined): RlpItem {
  if (!(reference instanceof Uint8Array)) return reference
  const node = take()
  if (node === undefined) throw fault('a node is missing')
  if (!equalBytes(keccak256(node), reference)) throw fault('a node is not the one that its parent names')
  const item = decoded(node)
  if (item instanceof Uint8Array) throw fault('a node is no list')
  return item
}

/** Hex-prefix encoding (yellow paper, appendix C). */
function pathOf(bytes: Uint8Array): { nibbles: readonly number[]; isLeaf: boolean } {
  const [flag, ...rest] = nibblesOf(bytes)
  if (flag === undefined || flag > 3) throw fault('a path has an unknown flag')
  return { nibbles: flag & 1 ? rest : rest.slice(1), isLeaf: flag >= 2 }
}

const nibblesOf = (bytes: Uint8Array): number[] => [...bytes].flatMap((byte) => [byte >> 4, byte & 15])

function decoded(bytes: Uint8Array): RlpItem {
  try {
    return rlpDecode(bytes, { depthMax: NODES_MAX })
  } catch (cause) {
    throw new ClientError('PROOF', 'the proof does not hold: a node is not RLP', { cause })
  }
}

const listOf = (bytes: Uint8Array): readonly RlpItem[] => {
  const item = decoded(bytes)
  if (item instanceof Uint8Array) throw fault('an account is a list')
  return item
}

function bytesOf(item: RlpItem | undefined): Uint8Array {
  if (item instanceof Uint8Array) return item
  throw fault('a value is missing')
}

const wordIn = (item: RlpItem | undefined): Uint8Array | null => {
  const bytes = bytesOf(item)
  return bytes.length === 0 ? null : bytes
}

/** What a node has answered may be anything. */
function listed<T>(items: readonly T[], max: number, what: string): readonly T[] {
  if (!Array.isArray(items)) throw fault(`the ${what} are no list`)
  if (items.length > max) throw fault(`more than ${max} ${what}`)
  return items
}

function wellFormed<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new ClientError('PROOF', `the proof does not hold: ${(cause as Error).message}`, { cause })
  }
}

const fault = (problem: string): ClientError => new ClientError('PROOF', `the proof does not hold: ${problem}`)

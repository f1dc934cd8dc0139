/** Values of tries whose root a header names, from the nodes in the file (Merkle Patricia proofs, EIP-1186). */
import { bytesToBigInt, bytesToHex, type Hex, hexToBytes, keccak256 } from 'viem'
import { EvidenceError, must } from './evidenceError.js'
import { bytesOf, decodeRlp, itemsOf, type RlpItem } from './rlp.js'
import { valueIn } from './trie.js'

/** Gives the node with this keccak-256, in RLP. Throws EvidenceError PROOF_MISSING; `what` needs it. */
export type TakeNode = (hash: Hex, what: () => string) => Hex

/** The nodes of a file, each where it is first needed. */
export class ListedNodes {
  #next = 0

  constructor(readonly nodes: readonly Hex[]) {}

  readonly take: TakeNode = (hash, what) => {
    const place = this.#next
    const node = this.nodes[place]
    if (node === undefined || keccak256(node) !== hash) {
      const problem = node === undefined ? 'is missing' : 'is altered, or not the one that is needed there'
      throw new EvidenceError('PROOF_MISSING', `${what()}: node ${place} of the file ${problem}`)
    }
    this.#next += 1
    return node
  }

  /** Throws EvidenceError UNUSED where a node was not taken. */
  end(): void {
    must(this.#next === this.nodes.length, 'UNUSED', () => `node ${this.#next} of the file is not needed`)
  }
}

export class Proofs {
  readonly #nodes = new Map<Hex, RlpItem>()

  /** `take` is asked once for each node, in the order of their first use. */
  constructor(readonly take: TakeNode) {}

  /** Value of `key` in the trie with this root; null where the nodes prove that there is none. Throws EvidenceError. */
  get(root: Hex, key: Uint8Array, what: () => string): Uint8Array | null {
    return valueIn(root, key, (hash) => this.#node(hash, what))
  }

  #node(hash: Hex, what: () => string): RlpItem {
    const known = this.#nodes.get(hash)
    if (known !== undefined) return known
    const node = decodeRlp(hexToBytes(this.take(hash, what)), 'a node of a trie')
    this.#nodes.set(hash, node)
    return node
  }
}

/** Called before a slot is read, by whoever gathers the nodes. */
export type Fetch = (contract: Hex, slot: Hex) => Promise<void>

/** Contract storage under one state root. */
export class State {
  /** By contract; null: there is no such account. */
  readonly #roots = new Map<Hex, Hex | null>()
  /** By contract and slot. */
  readonly #words = new Map<string, bigint>()

  constructor(
    readonly proofs: Proofs,
    readonly root: Hex,
    readonly fetch?: Fetch,
  ) {}

  /** The word in a slot; 0 where nothing stands there. Throws EvidenceError PROOF_MISSING. */
  async word(contract: Hex, slot: Hex): Promise<bigint> {
    const known = this.#words.get(contract + slot)
    if (known !== undefined) return known
    await this.fetch?.(contract, slot)
    const read = this.#read(contract, slot)
    this.#words.set(contract + slot, read)
    return read
  }

  #read(contract: Hex, slot: Hex): bigint {
    const what = () => `slot ${slot} of contract ${contract}`
    const root = this.#storageRoot(contract)
    const value = root === null ? null : this.proofs.get(root, keccak256(slot, 'bytes'), what)
    if (value === null) return 0n
    const word = bytesOf(decodeRlp(value, 'a slot'), 'a slot', 32)
    return word.length === 0 ? 0n : bytesToBigInt(word)
  }

  #storageRoot(contract: Hex): Hex | null {
    const known = this.#roots.get(contract)
    if (known !== undefined) return known
    const value = this.proofs.get(this.root, keccak256(contract, 'bytes'), () => `account ${contract}`)
    const account = value === null ? null : itemsOf(decodeRlp(value, 'an account'), 'an account')
    const root = account === null ? null : bytesToHex(bytesOf(account[2], "an account's storage root", 32))
    this.#roots.set(contract, root)
    return root
  }
}

/** Values of tries whose root a header names, from the nodes in the file (Merkle Patricia proofs, EIP-1186). */
import { RLP } from '@ethereumjs/rlp'
import { Trie } from '@ethereumjs/trie'
import { bytesToBigInt, bytesToHex, type Hex, hexToBytes, keccak256 } from 'viem'
import { EvidenceError, must } from './evidenceError.js'

const EMPTY_ROOT = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421'

export class NodePool {
  /** By hash, without 0x, as the library asks for them. */
  readonly #nodes = new Map<string, string>()
  readonly #used = new Set<string>()
  readonly #tries = new Map<Hex, Trie>()
  #isMissing = false

  constructor(nodes: Iterable<Hex> = []) {
    for (const node of nodes) this.add(node)
  }

  add(node: Hex): void {
    this.#nodes.set(keccak256(node).slice(2), node.slice(2))
  }

  /** Value of `key` in the trie with this root; null where the nodes prove that there is none. Throws EvidenceError. */
  async get(root: Hex, key: Uint8Array, what: () => string): Promise<Uint8Array | null> {
    if (root === EMPTY_ROOT) return null
    this.#isMissing = false
    try {
      return await this.#trie(root).get(key, true)
    } catch {
      const problem = this.#isMissing ? 'a node of its proof is missing or altered' : 'its proof is malformed'
      throw new EvidenceError(this.#isMissing ? 'PROOF_MISSING' : 'MALFORMED', `${what()}: ${problem}`)
    }
  }

  #trie(root: Hex): Trie {
    const known = this.#tries.get(root)
    if (known !== undefined) return known
    const trie = new Trie({ db: { ...NO_WRITES, get: async (hash) => this.#node(hash) }, root: hexToBytes(root) })
    this.#tries.set(root, trie)
    return trie
  }

  #node(hash: string): string | undefined {
    const node = this.#nodes.get(hash)
    if (node === undefined) this.#isMissing = true
    else this.#used.add(hash)
    return node
  }

  /** Nodes that were needed, in the order of their first use. */
  used(): Hex[] {
    return [...this.#used].map((hash) => `0x${this.#nodes.get(hash)!}` as Hex)
  }
}

const never = async (): Promise<never> => {
  throw new EvidenceError('MALFORMED', 'proofs are only read')
}
const NO_WRITES = { put: never, del: never, batch: never, open: async () => {}, shallowCopy: () => NO_DATABASE }
const NO_DATABASE = { ...NO_WRITES, get: async () => undefined } as never

/** Called before a slot is read, by whoever gathers the nodes. */
export type Fetch = (contract: Hex, slot: Hex) => Promise<void>

/** Contract storage under one state root. */
export class State {
  /** By contract; null: there is no such account. */
  readonly #roots = new Map<Hex, Hex | null>()

  constructor(
    readonly pool: NodePool,
    readonly root: Hex,
    readonly fetch?: Fetch,
  ) {}

  /** The word in a slot; 0 where nothing stands there. Throws EvidenceError PROOF_MISSING. */
  async word(contract: Hex, slot: Hex): Promise<bigint> {
    await this.fetch?.(contract, slot)
    const what = () => `slot ${slot} of contract ${contract}`
    const root = await this.#storageRoot(contract)
    const value = root === null ? null : await this.pool.get(root, keccak256(slot, 'bytes'), what)
    if (value === null) return 0n
    const word = RLP.decode(value)
    must(word instanceof Uint8Array && word.length <= 32, 'MALFORMED', () => `${what()} holds no word`)
    return bytesToBigInt(word)
  }

  async #storageRoot(contract: Hex): Promise<Hex | null> {
    const known = this.#roots.get(contract)
    if (known !== undefined) return known
    const account = await this.pool.get(this.root, keccak256(contract, 'bytes'), () => `account ${contract}`)
    const root = account === null ? null : bytesToHex((RLP.decode(account) as Uint8Array[])[2]!)
    this.#roots.set(contract, root)
    return root
  }
}

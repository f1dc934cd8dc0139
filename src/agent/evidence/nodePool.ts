import { type Hex, keccak256 } from 'viem'
import { EvidenceError } from '../../evidence/evidenceError.js'
import type { TakeNode } from '../../evidence/proofs.js'

/** Nodes of tries as they were fetched, and which of them a proof took, in its order. */
export class NodePool {
  readonly #nodes = new Map<Hex, Hex>()
  readonly used: Hex[] = []

  constructor(nodes: Iterable<Hex>) {
    for (const node of nodes) this.add(node)
  }

  add(node: Hex): void {
    this.#nodes.set(keccak256(node), node)
  }

  readonly take: TakeNode = (hash, what) => {
    const node = this.#nodes.get(hash)
    if (node === undefined)
      throw new EvidenceError('PROOF_MISSING', `${what()}: the node gave no node ${hash} of its proof`)
    this.used.push(node)
    return node
  }
}

/** Fetches proofs of storage from a node that keeps the state of few blocks: what one attempt asked for, the next gets in one call. */
import { type Address, asHash, type Hash, type Hex } from '../../core/bytes.js'
import { rpcProofSlotsMax } from '../../core/limits.js'
import type { RpcClient } from '../../rpc/client.js'
import type { NodePool } from './nodePool.js'
import { hexNumber } from './runs.js'

export class StateNodes {
  readonly #wanted = new Map<Hex, Set<Hex>>()

  constructor(readonly client: RpcClient) {}

  /** Fills `pool` from the state of a block. Returns what is to be called for each further slot. */
  async open(pool: NodePool, height: number): Promise<(contract: Hex, slot: Hex) => Promise<void>> {
    const have = new Set<string>()
    const fetch = async (contract: Hex, slots: readonly Hex[]) => {
      for (const slot of slots) have.add(contract + slot)
      const keys = slots.map((slot): Hash => asHash(slot))
      const proof = await this.client.call('eth_getProof', contract as Address, keys, hexNumber(height))
      for (const node of proof.accountProof) pool.add(node)
      for (const { proof: nodes } of proof.storageProof) for (const node of nodes) pool.add(node)
    }
    for (const [contract, slots] of this.#wanted) {
      const all = [...slots]
      for (let i = 0; i < all.length; i += rpcProofSlotsMax) await fetch(contract, all.slice(i, i + rpcProofSlotsMax))
    }
    return async (contract, slot) => {
      this.#want(contract, slot)
      if (!have.has(contract + slot)) await fetch(contract, [slot])
    }
  }

  #want(contract: Hex, slot: Hex): void {
    const slots = this.#wanted.get(contract)
    if (slots === undefined) this.#wanted.set(contract, new Set([slot]))
    else slots.add(slot)
  }
}

/** Where nodes can be reached, by what their members put on chain: sealers, those about to become one, and volunteers. */
import type { SealerSet } from '../consensus/types.js'
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import type { sealersAbi } from '../contracts/sealers.abi.js'
import { sealersInterface } from '../contracts/sealersStorage.js'
import type { Address } from '../core/bytes.js'
import { guestsMax } from '../core/limits.js'
import type { Receipt } from '../core/receipt.js'
import type { FunctionArgs, FunctionName } from '../vm/abiTypes.js'
import type { FinalCalls } from './finalCalls.js'
import { LruMap } from './lru.js'

export class ChainAddresses {
  readonly #calls: FinalCalls
  /** Volunteers since the start; those of before are dialled once somebody proposes them. */
  readonly #volunteers = new LruMap<Address, true>(guestsMax)

  constructor(calls: FinalCalls) {
    this.#calls = calls
  }

  /** Takes note of who came forward in a block. */
  note(receipts: readonly Receipt[]): void {
    for (const { logs } of receipts) {
      for (const log of logs) {
        if (log.address !== CONTRACT_ADDRESSES.sealers) continue
        const event = sealersInterface.decodeEvent('Volunteered', log)
        if (event !== undefined) this.#volunteers.set(event.account, true)
      }
    }
  }

  /** Multiaddr of everyone who gave one, by the last final block; `set` are the sealers. */
  read(set: SealerSet): ReadonlyMap<Address, string> {
    const found = new Map<Address, string>()
    for (const account of [...set.sealers.map((sealer) => sealer.address), ...this.#candidates()]) {
      const multiaddr = this.#view('p2pAddressOf', { account })
      if (multiaddr) found.set(account, multiaddr)
    }
    return found
  }

  *#candidates(): Iterable<Address> {
    yield* this.#volunteers.keys()
    for (const id of this.#view('openChanges', {}) ?? []) {
      const change = this.#view('changeOf', { id })
      if (change !== undefined) yield* [change.sealer, change.replacement]
    }
  }

  #view<N extends FunctionName<typeof sealersAbi>>(name: N, args: FunctionArgs<typeof sealersAbi, N>) {
    return this.#calls.view(CONTRACT_ADDRESSES.sealers, sealersInterface, name, args)
  }
}

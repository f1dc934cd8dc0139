/** The whole state of one block, out of a store and into an empty one, in pieces. */
import { type Address, type Hash, toAddress, toHash } from '../core/bytes.js'
import { EMPTY_TRIE_ROOT } from '../core/header.js'
import { keccakHash } from '../crypto/keccak.js'
import { type Account, decodeAccount } from './account.js'
import { StateError } from './errors.js'
import { FinalState, readWord, stateOperations } from './finalState.js'
import { StateOverlay } from './overlay.js'
import { codeKey, slotRange, tableRange } from './store/keys.js'
import type { KeyValueStore, WriteOperation } from './store/keyValueStore.js'

/** Codes first, then each account and behind it its slots. */
export type StateEntry =
  | { readonly code: Uint8Array }
  | { readonly address: Address; readonly account: Account }
  | { readonly slots: readonly (readonly [slot: Hash, word: Hash])[] }

/** Writes gathered for one batch: about 100 MiB with the tries they change. */
const WRITES_PER_BATCH = 50_000

/** Every entry of the state in `store`, with at most `slotsMax` slots in one. */
export async function* stateEntries(store: KeyValueStore, slotsMax: number): AsyncGenerator<StateEntry> {
  for await (const [, code] of store.range(tableRange('code'))) yield { code }
  for await (const [key, record] of store.range(tableRange('account'))) {
    const address = toAddress(key.subarray(1))
    const account = decodeAccount(record)
    yield { address, account }
    if (account.storageRoot === EMPTY_TRIE_ROOT) continue
    let slots: [Hash, Hash][] = []
    for await (const [slotKey, word] of store.range(slotRange(address))) {
      slots.push([toHash(slotKey.subarray(21)), readWord(word)])
      if (slots.length < slotsMax) continue
      yield { slots }
      slots = []
    }
    if (slots.length > 0) yield { slots }
  }
}

/** Writes a state into an empty store, trie by trie, and gives its root. Nothing in the store points to it yet. */
export class StateLoader {
  #state: FinalState
  #overlay: StateOverlay
  #writes = 0
  #address: Address | undefined

  constructor(private readonly store: KeyValueStore) {
    this.#state = FinalState.open(store, EMPTY_TRIE_ROOT)
    this.#overlay = new StateOverlay(this.#state)
  }

  /** Throws StateError CORRUPT for slots without an account. */
  async add(entry: StateEntry): Promise<void> {
    if ('code' in entry) {
      const put: WriteOperation = { type: 'put', key: codeKey(keccakHash(entry.code)), value: entry.code }
      await this.store.batch([put], { sync: false })
      return
    }
    if ('address' in entry) {
      this.#address = entry.address
      this.#overlay.setAccount(entry.address, entry.account)
      this.#writes++
    } else {
      const address = this.#address
      if (address === undefined) throw new StateError('CORRUPT', 'slots stand before any account')
      for (const [slot, word] of entry.slots) this.#overlay.setStorage(address, slot, word)
      this.#writes += entry.slots.length
    }
    if (this.#writes >= WRITES_PER_BATCH) await this.#flush()
  }

  /** Root of everything that was added. */
  async finish(): Promise<Hash> {
    await this.#flush()
    return this.#state.accountTrie().root()
  }

  async #flush(): Promise<void> {
    const operations: WriteOperation[] = []
    this.#overlay.root()
    const changes = this.#overlay.changes()
    stateOperations(changes, operations)
    await this.store.batch(operations, { sync: false })
    this.#state = this.#state.next(changes)
    this.#overlay = new StateOverlay(this.#state)
    this.#writes = 0
  }
}

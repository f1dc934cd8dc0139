/** The whole state of one block, out of a store and into an empty one, in pieces. */
import { type Address, type Hash, toAddress, toHash } from '../core/bytes.js'
import { EMPTY_TRIE_ROOT } from '../core/header.js'
import { keccakHash } from '../crypto/keccak.js'
import { type Account, decodeAccount, EMPTY_CODE_HASH } from './account.js'
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
  /** Codes that were added; true: an account names it. */
  readonly #codes = new Map<Hash, boolean>()

  constructor(private readonly store: KeyValueStore) {
    this.#state = FinalState.open(store, EMPTY_TRIE_ROOT)
    this.#overlay = new StateOverlay(this.#state)
  }

  /** Throws StateError CORRUPT for slots without an account and accounts without their code. */
  async add(entry: StateEntry): Promise<void> {
    if ('code' in entry) {
      const codeHash = keccakHash(entry.code)
      this.#codes.set(codeHash, false)
      await this.#write([{ type: 'put', key: codeKey(codeHash), value: entry.code }])
      return
    }
    if ('address' in entry) {
      this.#address = entry.address
      this.#useCode(entry.account.codeHash)
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

  /** Root of everything that was added. Throws StateError CORRUPT for a code that no account names: the root says nothing of it. */
  async finish(): Promise<Hash> {
    await this.#flush()
    for (const [codeHash, isUsed] of this.#codes)
      if (!isUsed) throw new StateError('CORRUPT', `code ${codeHash} belongs to no account`)
    return this.#state.accountTrie().root()
  }

  #useCode(codeHash: Hash): void {
    if (codeHash === EMPTY_CODE_HASH) return
    if (!this.#codes.has(codeHash)) throw new StateError('CORRUPT', `code ${codeHash} is missing`)
    this.#codes.set(codeHash, true)
  }

  /** Synced: LevelDB syncs only the log that it writes to, and the last batch, which makes a chain of it, may go to a later one. */
  #write(operations: readonly WriteOperation[]): Promise<void> {
    return this.store.batch(operations, { sync: true })
  }

  async #flush(): Promise<void> {
    const operations: WriteOperation[] = []
    this.#overlay.root()
    const changes = this.#overlay.changes()
    stateOperations(changes, operations)
    await this.#write(operations)
    this.#state = this.#state.next(changes)
    this.#overlay = new StateOverlay(this.#state)
    this.#writes = 0
  }
}

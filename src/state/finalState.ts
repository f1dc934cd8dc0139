/** The state of the latest final block, read from the store. */
import { type Address, concatBytes, EMPTY_BYTES, type Hash, toHash, ZERO_HASH } from '../core/bytes.js'
import { EMPTY_TRIE_ROOT } from '../core/header.js'
import { cachedAccountsMax, cachedSlotsMax, storageTriesMax, trieNodesInMemoryMax } from '../core/limits.js'
import { type Account, decodeAccount, EMPTY_CODE_HASH, encodeAccount } from './account.js'
import { GenerationCache, SlotCache } from './cache.js'
import { StateError } from './errors.js'
import { trimmedWord } from './keys.js'
import type { StateLayer } from './layer.js'
import type { StateChanges } from './overlay.js'
import { ByteArena } from './store/arena.js'
import { accountKey, accountNodePrefix, codeKey, slotKey, storageNodePrefix } from './store/keys.js'
import type { KeyValueReader, WriteOperation } from './store/keyValueStore.js'
import type { NodeSource } from './trie/load.js'
import { Trie } from './trie/trie.js'

/** Codes are those of the system contracts: few, and wanted at every call. */
const cachedCodesMax = 256

interface Caches {
  /** null: there is no such account. */
  readonly accounts: GenerationCache<Address, Account | null>
  readonly slots: SlotCache
  readonly codes: GenerationCache<Hash, Uint8Array>
}

/**
 * One final state. Valid until the next block is committed; reading it afterwards throws StateError SUPERSEDED, so that
 * nobody mixes two states by holding on to it.
 */
export class FinalState implements StateLayer {
  private superseded = false

  private constructor(
    private readonly reader: KeyValueReader,
    private readonly accounts: Trie,
    /** In order of last use. */
    private readonly storageTries: Map<Address, Trie>,
    private readonly caches: Caches,
    private readonly trieNodesMax: number,
  ) {}

  /** The state with this root, which `reader` holds. Keeps about `trieNodesMax` trie nodes in memory. */
  static open(reader: KeyValueReader, stateRoot: Hash, trieNodesMax = trieNodesInMemoryMax): FinalState {
    const caches = {
      accounts: new GenerationCache<Address, Account | null>(cachedAccountsMax),
      slots: new SlotCache(cachedSlotsMax),
      codes: new GenerationCache<Hash, Uint8Array>(cachedCodesMax),
    }
    return new FinalState(
      reader,
      Trie.at(stateRoot, nodeSource(reader, accountNodePrefix)),
      new Map(),
      caches,
      trieNodesMax,
    )
  }

  account(address: Address): Account | undefined {
    this.assertCurrent()
    const cached = this.caches.accounts.get(address)
    if (cached !== undefined) return cached ?? undefined
    const record = this.reader.getSync(accountKey(address))
    const account = record === undefined ? null : decodeAccount(record)
    this.caches.accounts.set(address, account)
    return account ?? undefined
  }

  storage(address: Address, slot: Hash): Hash {
    this.assertCurrent()
    const cached = this.caches.slots.get(address, slot)
    if (cached !== undefined) return cached
    const word = readWord(this.reader.getSync(slotKey(address, slot)))
    this.caches.slots.set(address, slot, word)
    return word
  }

  code(address: Address): Uint8Array {
    const codeHash = this.account(address)?.codeHash ?? EMPTY_CODE_HASH
    if (codeHash === EMPTY_CODE_HASH) return EMPTY_BYTES
    const code = this.codeByHash(codeHash)
    if (code === undefined) throw new StateError('CORRUPT', `code ${codeHash} of ${address} is not in the store`)
    return code
  }

  codeByHash(codeHash: Hash): Uint8Array | undefined {
    const code = this.caches.codes.get(codeHash) ?? this.reader.getSync(codeKey(codeHash))
    if (code !== undefined) this.caches.codes.set(codeHash, code)
    return code
  }

  accountTrie(): Trie {
    this.assertCurrent()
    return this.accounts
  }

  storageTrie(address: Address): Trie {
    this.assertCurrent()
    const open = this.storageTries.get(address)
    const root = this.account(address)?.storageRoot ?? EMPTY_TRIE_ROOT
    const trie = open ?? Trie.at(root, nodeSource(this.reader, storageNodePrefix(address)))
    this.storageTries.delete(address)
    this.storageTries.set(address, trie)
    return trie
  }

  /** The state after `changes`, which are in the store now. This one becomes invalid. */
  next(changes: StateChanges): FinalState {
    this.assertCurrent()
    this.superseded = true
    const { accounts, slots, codes } = this.caches
    for (const [address, account] of changes.accounts) accounts.set(address, account)
    for (const [address, words] of changes.storage) for (const [slot, word] of words) slots.set(address, slot, word)
    for (const [codeHash, code] of changes.code) codes.set(codeHash, code)
    changes.accountTrie?.settle()
    for (const [address, trie] of changes.storageTries) {
      trie.settle()
      this.storageTries.delete(address)
      this.storageTries.set(address, trie)
    }
    const next = new FinalState(
      this.reader,
      changes.accountTrie ?? this.accounts,
      this.storageTries,
      this.caches,
      this.trieNodesMax,
    )
    next.boundMemory()
    return next
  }

  private boundMemory(): void {
    for (const address of this.storageTries.keys()) {
      if (this.storageTries.size <= storageTriesMax) break
      this.storageTries.delete(address)
    }
    const tries = [this.accounts, ...this.storageTries.values()]
    const nodes = tries.reduce((sum, trie) => sum + trie.nodesInMemory, 0)
    if (nodes <= this.trieNodesMax) return
    for (const trie of tries) trie.shrink(Math.floor((trie.nodesInMemory * this.trieNodesMax) / (2 * nodes)))
  }

  private assertCurrent(): void {
    if (this.superseded) {
      throw new StateError(
        'SUPERSEDED',
        'this state was replaced by a later final block: ask the store for the state again',
      )
    }
  }
}

/**
 * Appends to `operations` what turns the stored state into the one after `changes`: flat values, code and trie nodes. `replaced`
 * is told of every key but code and of how to get the value that it had before; it has to ask at once.
 */
export function stateOperations(
  changes: StateChanges,
  operations: WriteOperation[],
  before?: { readonly state: StateLayer; readonly replaced: Replaced },
): void {
  for (const [address, account] of changes.accounts) {
    const key = accountKey(address)
    operations.push(account === null ? { type: 'del', key } : { type: 'put', key, value: encodeAccount(account) })
    before?.replaced(key, recordOf(before.state.account(address)))
  }
  for (const [address, words] of changes.storage) {
    for (const [slot, word] of words) {
      const key = slotKey(address, slot)
      operations.push(word === ZERO_HASH ? { type: 'del', key } : { type: 'put', key, value: trimmedWord(word) })
      before?.replaced(key, wordRecord(before.state.storage(address, slot)))
    }
  }
  for (const [codeHash, value] of changes.code) operations.push({ type: 'put', key: codeKey(codeHash), value })
  if (changes.accountTrie !== undefined)
    nodeOperations(changes.accountTrie, accountNodePrefix, operations, before?.replaced)
  for (const [address, trie] of changes.storageTries)
    nodeOperations(trie, storageNodePrefix(address), operations, before?.replaced)
}

/** `value` null: the key is new. Undefined: only the store knows. Both are valid during the call only. */
export type Replaced = (key: Uint8Array, value: Uint8Array | null | undefined) => void

const recordOf = (account: Account | undefined): Uint8Array | null =>
  account === undefined ? null : encodeAccount(account)

const wordRecord = (word: Hash): Uint8Array | null => (word === ZERO_HASH ? null : trimmedWord(word))

function nodeOperations(trie: Trie, prefix: Uint8Array, operations: WriteOperation[], replaced?: Replaced): void {
  const arena = new ByteArena()
  trie.visitChanges((path, encoded, before) => {
    const key = arena.concat(prefix, path)
    operations.push(encoded === null ? { type: 'del', key } : { type: 'put', key, value: arena.copyOf(encoded) })
    replaced?.(key, before())
  })
}

export function nodeSource(reader: KeyValueReader, prefix: Uint8Array): NodeSource {
  return { load: (path) => reader.getSync(concatBytes(prefix, path)) }
}

export function readWord(record: Uint8Array | undefined): Hash {
  if (record === undefined) return ZERO_HASH
  const word = new Uint8Array(32)
  word.set(record, 32 - record.length)
  return toHash(word)
}

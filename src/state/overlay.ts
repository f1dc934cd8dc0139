/** Changes on top of another state: what a block, or one transaction of it, writes. */
import { assert } from '../core/assert.js'
import { type Address, EMPTY_BYTES, type Hash, ZERO_HASH } from '../core/bytes.js'
import { EMPTY_TRIE_ROOT } from '../core/header.js'
import { keccakHash } from '../crypto/keccak.js'
import { type Account, EMPTY_ACCOUNT, EMPTY_CODE_HASH, encodeAccount } from './account.js'
import { encodeWord, trieKey } from './keys.js'
import type { StateLayer } from './layer.js'
import type { Trie } from './trie/trie.js'

/** What an overlay whose root is known changes in the layer below it. */
export interface StateChanges {
  /** null: the account is gone. */
  readonly accounts: ReadonlyMap<Address, Account | null>
  /** ZERO_HASH: the slot is cleared. */
  readonly storage: ReadonlyMap<Address, ReadonlyMap<Hash, Hash>>
  readonly code: ReadonlyMap<Hash, Uint8Array>
  /** Undefined when no account changed. */
  readonly accountTrie: Trie | undefined
  readonly storageTries: ReadonlyMap<Address, Trie>
}

/** How a write is taken back. `before` undefined: the overlay held nothing there. */
type Undo =
  | { readonly address: Address; readonly slot: null; readonly before: Account | null | undefined }
  | { readonly address: Address; readonly slot: Hash; readonly before: Hash | undefined }

/**
 * Layered on the final state or on another overlay whose root is known. Writable until `root()` is asked for, then frozen.
 * Nothing of the layer below is changed.
 */
export class StateOverlay implements StateLayer {
  private readonly accounts = new Map<Address, Account | null>()
  private readonly slots = new Map<Address, Map<Hash, Hash>>()
  private readonly codes = new Map<Hash, Uint8Array>()
  private readonly storageTries = new Map<Address, Trie>()
  private changedAccountTrie: Trie | undefined
  private readonly undo: Undo[] = []
  private rootHash: Hash | undefined
  private settled = false

  constructor(private below: StateLayer) {}

  account(address: Address): Account | undefined {
    const own = this.accounts.get(address)
    return own === undefined ? this.parent.account(address) : (own ?? undefined)
  }

  storage(address: Address, slot: Hash): Hash {
    return this.slots.get(address)?.get(slot) ?? this.parent.storage(address, slot)
  }

  code(address: Address): Uint8Array {
    const codeHash = this.account(address)?.codeHash ?? EMPTY_CODE_HASH
    if (codeHash === EMPTY_CODE_HASH) return EMPTY_BYTES
    const code = this.codeByHash(codeHash)
    assert(code !== undefined, `code ${codeHash} of ${address} is unknown`)
    return code
  }

  codeByHash(codeHash: Hash): Uint8Array | undefined {
    return this.codes.get(codeHash) ?? this.parent.codeByHash(codeHash)
  }

  /** Undefined removes the account; it must have no storage. `storageRoot` is ignored: it follows from the slots. */
  setAccount(address: Address, account: Account | undefined): void {
    assert(this.rootHash === undefined, 'an overlay is frozen once its root is known')
    this.undo.push({ address, slot: null, before: this.accounts.get(address) })
    this.accounts.set(address, account ?? null)
  }

  setNonce(address: Address, nonce: bigint): void {
    this.setAccount(address, { ...(this.account(address) ?? EMPTY_ACCOUNT), nonce })
  }

  /** `balance` in wei. */
  setBalance(address: Address, balance: bigint): void {
    assert(balance >= 0n, 'a balance is not negative')
    this.setAccount(address, { ...(this.account(address) ?? EMPTY_ACCOUNT), balance })
  }

  /** Keeps `code`: the caller must not change it afterwards. */
  setCode(address: Address, code: Uint8Array): void {
    const codeHash = keccakHash(code)
    this.setAccount(address, { ...(this.account(address) ?? EMPTY_ACCOUNT), codeHash })
    if (code.length > 0) this.codes.set(codeHash, code)
  }

  /** ZERO_HASH clears the slot. */
  setStorage(address: Address, slot: Hash, word: Hash): void {
    assert(this.rootHash === undefined, 'an overlay is frozen once its root is known')
    let slots = this.slots.get(address)
    if (slots === undefined) {
      slots = new Map()
      this.slots.set(address, slots)
    }
    this.undo.push({ address, slot, before: slots.get(slot) })
    slots.set(slot, word)
  }

  /** A mark to which `revert` can go back; marks nest. */
  checkpoint(): number {
    return this.undo.length
  }

  /** Takes back every write since the mark. */
  revert(checkpoint: number): void {
    assert(this.rootHash === undefined, 'an overlay is frozen once its root is known')
    assert(checkpoint >= 0 && checkpoint <= this.undo.length, 'checkpoint is not of this overlay, or was dropped')
    while (this.undo.length > checkpoint) {
      const { address, slot, before } = this.undo.pop()!
      if (slot === null) restore(this.accounts, address, before)
      else restore(this.slots.get(address)!, slot, before)
    }
  }

  /** Makes every write so far permanent: earlier marks are void, and what they cost is freed. */
  dropCheckpoints(): void {
    this.undo.length = 0
  }

  /** State root (yellow paper 4.1). The first call computes the tries, once, and freezes the overlay. */
  root(): Hash {
    this.rootHash ??= this.computeRoot()
    return this.rootHash
  }

  accountTrie(): Trie {
    this.root()
    return this.changedAccountTrie ?? this.parent.accountTrie()
  }

  storageTrie(address: Address): Trie {
    this.root()
    return this.storageTries.get(address) ?? this.parent.storageTrie(address)
  }

  /** Differences from the layer below; writes that changed nothing are left out. Freezes the overlay. */
  changes(): StateChanges {
    this.root()
    const { accounts, slots: storage, codes: code, changedAccountTrie: accountTrie, storageTries } = this
    return { accounts, storage, code, accountTrie, storageTries }
  }

  /** True when this overlay stands on `layer`, directly or over overlays that were settled. */
  standsOn(layer: StateLayer): boolean {
    return this.parent === layer
  }

  /** Called when these changes have become part of `state`: reads go there from now on, and what was held here is freed. */
  settle(state: StateLayer): void {
    assert(this.rootHash !== undefined, 'only a frozen overlay can be settled')
    this.below = state
    this.settled = true
    this.accounts.clear()
    this.slots.clear()
    this.codes.clear()
    this.storageTries.clear()
    this.changedAccountTrie = undefined
    this.dropCheckpoints()
  }

  private get parent(): StateLayer {
    while (this.below instanceof StateOverlay && this.below.settled) this.below = this.below.below
    return this.below
  }

  private computeRoot(): Hash {
    this.dropCheckpoints()
    for (const [address, slots] of this.slots) this.computeStorage(address, slots)
    this.dropUnchangedAccounts()
    if (this.accounts.size === 0) return this.parent.accountTrie().root()
    const trie = this.parent.accountTrie().fork()
    for (const [address, account] of this.accounts) {
      if (account === null) trie.delete(trieKey(address))
      else trie.put(trieKey(address), encodeAccount(account))
    }
    this.changedAccountTrie = trie
    return trie.root()
  }

  private computeStorage(address: Address, slots: Map<Hash, Hash>): void {
    const { parent } = this
    for (const [slot, word] of slots) if (parent.storage(address, slot) === word) slots.delete(slot)
    if (slots.size === 0) {
      this.slots.delete(address)
      return
    }
    const trie = parent.storageTrie(address).fork()
    for (const [slot, word] of slots) {
      if (word === ZERO_HASH) trie.delete(trieKey(slot))
      else trie.put(trieKey(slot), encodeWord(word))
    }
    this.storageTries.set(address, trie)
    if (!this.accounts.has(address)) this.accounts.set(address, this.account(address) ?? EMPTY_ACCOUNT)
  }

  /** Also gives each changed account the root of its storage. */
  private dropUnchangedAccounts(): void {
    for (const [address, account] of this.accounts) {
      const before = this.parent.account(address)
      const storageRoot = this.storageTries.get(address)?.root() ?? before?.storageRoot ?? EMPTY_TRIE_ROOT
      if (account === null) {
        assert(storageRoot === EMPTY_TRIE_ROOT, `account ${address} is removed but has storage`)
        if (before === undefined) this.accounts.delete(address)
        continue
      }
      const after = { ...account, storageRoot }
      if (before !== undefined && sameAccount(before, after)) this.accounts.delete(address)
      else this.accounts.set(address, after)
    }
  }
}

function sameAccount(a: Account, b: Account): boolean {
  return a.nonce === b.nonce && a.balance === b.balance && a.storageRoot === b.storageRoot && a.codeHash === b.codeHash
}

function restore<K, V>(map: Map<K, V>, key: K, before: V | undefined): void {
  if (before === undefined) map.delete(key)
  else map.set(key, before)
}

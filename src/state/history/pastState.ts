/** The state after one past block, read through the history. */
import { type Address, EMPTY_BYTES, type Hash } from '../../core/bytes.js'
import { EMPTY_TRIE_ROOT } from '../../core/header.js'
import { type Account, decodeAccount, EMPTY_CODE_HASH } from '../account.js'
import { StateError } from '../errors.js'
import { nodeSource, readWord } from '../finalState.js'
import type { StateLayer } from '../layer.js'
import { accountKey, accountNodePrefix, codeKey, slotKey, storageNodePrefix } from '../store/keys.js'
import type { KeyValueReader } from '../store/keyValueStore.js'
import { Trie } from '../trie/trie.js'

export class PastState implements StateLayer {
  /** `reader` gives what stood under a key of the state after that block. Tries check what they load against `stateRoot`. */
  constructor(
    private readonly reader: KeyValueReader,
    private readonly stateRoot: Hash,
  ) {}

  account(address: Address): Account | undefined {
    const record = this.reader.getSync(accountKey(address))
    return record && decodeAccount(record)
  }

  storage(address: Address, slot: Hash): Hash {
    return readWord(this.reader.getSync(slotKey(address, slot)))
  }

  code(address: Address): Uint8Array {
    const codeHash = this.account(address)?.codeHash ?? EMPTY_CODE_HASH
    if (codeHash === EMPTY_CODE_HASH) return EMPTY_BYTES
    const code = this.codeByHash(codeHash)
    if (code === undefined) throw new StateError('CORRUPT', `code ${codeHash} of ${address} is not in the store`)
    return code
  }

  codeByHash(codeHash: Hash): Uint8Array | undefined {
    return this.reader.getSync(codeKey(codeHash))
  }

  accountTrie(): Trie {
    return Trie.at(this.stateRoot, nodeSource(this.reader, accountNodePrefix))
  }

  storageTrie(address: Address): Trie {
    const root = this.account(address)?.storageRoot ?? EMPTY_TRIE_ROOT
    return Trie.at(root, nodeSource(this.reader, storageNodePrefix(address)))
  }
}

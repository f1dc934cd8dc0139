/** Account record of the state trie (yellow paper 4.1): rlp([nonce, balance, storageRoot, codeHash]). */
import { bytesToUint, fromHex, type Hash, toHash, uintToBytes } from '../core/bytes.js'
import { EMPTY_TRIE_ROOT } from '../core/header.js'
import { RlpReader, rlpEncode } from '../core/rlp.js'

export interface Account {
  readonly nonce: bigint
  /** In wei. */
  readonly balance: bigint
  /** Root of the storage trie. In an overlay: as of the layer below, until the overlay's root is computed. */
  readonly storageRoot: Hash
  readonly codeHash: Hash
}

/** keccak256 of no bytes. */
export const EMPTY_CODE_HASH = '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470' as Hash

/** An account as a first transfer to it finds it. */
export const EMPTY_ACCOUNT: Account = {
  nonce: 0n,
  balance: 0n,
  storageRoot: EMPTY_TRIE_ROOT,
  codeHash: EMPTY_CODE_HASH,
}

/** True for an account that the state does not hold (EIP-161): nothing but zeros and no code. */
export function isEmptyAccount(account: Account): boolean {
  return account.nonce === 0n && account.balance === 0n && account.codeHash === EMPTY_CODE_HASH
}

export function encodeAccount(account: Account): Uint8Array {
  return rlpEncode([
    uintToBytes(account.nonce),
    uintToBytes(account.balance),
    fromHex(account.storageRoot),
    fromHex(account.codeHash),
  ])
}

/** Throws RlpError or BytesError. */
export function decodeAccount(bytes: Uint8Array): Account {
  const list = new RlpReader(bytes).list()
  const nonce = list.uint(8)
  const balance = bytesToUint(list.string())
  const account = { nonce, balance, storageRoot: toHash(list.string()), codeHash: toHash(list.string()) }
  list.finish()
  return account
}

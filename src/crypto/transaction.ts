/** Hash and sender of transactions. */
import type { Address, Hash } from '../core/bytes.js'
import { bytesToUint } from '../core/bytes.js'
import { decodeTransaction, type Transaction, TransactionError, type UnsignedTransaction } from '../core/transaction.js'
import { encodeSigned, signatureOfRaw, signingPayload, signingPayloadOfRaw } from '../core/transactionEncode.js'
import { keccak256, keccakHash } from './keccak.js'
import { addressOf, secp256k1 } from './secp256k1.js'

export interface RecoveredTransaction extends Transaction {
  /** keccak256 of raw. */
  readonly hash: Hash
  readonly sender: Address
}

let recovered = 0

/** Transaction senders recovered in this process so far: the budget is one for each transaction. */
export function recoverCount(): number {
  return recovered
}

/**
 * Adds hash and sender to a decoded transaction, from its raw bytes: two keccaks and one recover. Throws
 * TransactionError BAD_SIGNATURE when the signature fits no key.
 */
export function recoverTransaction(tx: Transaction): RecoveredTransaction {
  recovered++
  const publicKey = secp256k1.recover(keccak256(signingPayloadOfRaw(tx)), signatureOfRaw(tx))
  if (publicKey === null)
    throw new TransactionError('BAD_SIGNATURE', 'signature fits no public key, sign the transaction again')
  return { ...tx, hash: keccakHash(tx.raw), sender: addressOf(publicKey) }
}

/** Throws TransactionError when a field is out of range, RangeError when the private key is. */
export function signTransaction(unsigned: UnsignedTransaction, privateKey: Uint8Array): RecoveredTransaction {
  const signature = secp256k1.sign(keccak256(signingPayload(unsigned)), privateKey)
  const raw = encodeSigned(unsigned, {
    r: bytesToUint(signature.subarray(0, 32)),
    s: bytesToUint(signature.subarray(32, 64)),
    yParity: signature[64] as 0 | 1,
  })
  const sender = addressOf(secp256k1.publicKey(privateKey))
  return { ...decodeTransaction(raw), hash: keccakHash(raw), sender }
}

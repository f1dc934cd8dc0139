/** Port: who signs for a member. A key at hand, or a wallet that keeps it. */
import type { Address, Hash } from '../core/bytes.js'
import type { UnsignedTransaction } from '../core/transaction.js'
import { privateKeyToAddress, secp256k1 } from '../crypto/secp256k1.js'
import { signTransaction } from '../crypto/transaction.js'

export interface SignedTransaction {
  readonly raw: Uint8Array
  readonly hash: Hash
}

/** What a wallet is asked to send: it chooses the nonce. */
export interface WantedTransaction {
  readonly to: Address
  readonly data: Uint8Array
  readonly gasLimit: bigint
}

/** EIP-712, as wallets take it. */
export interface TypedData {
  readonly domain: Readonly<Record<string, unknown>>
  readonly types: Readonly<Record<string, readonly { readonly name: string; readonly type: string }[]>>
  readonly primaryType: string
  readonly message: Readonly<Record<string, unknown>>
}

export interface TypedSigner {
  /** Signature of a digest of 32 bytes: r, s, yParity in 65 bytes. */
  sign(digest: Uint8Array): Promise<Uint8Array>
  /** The same of typed data, of which `digest` is the digest: wallets show what they sign. */
  signTypedData(data: TypedData, digest: Uint8Array): Promise<Uint8Array>
}

export interface Signer extends TypedSigner {
  readonly address: Address
  /** Signs, and leaves it to the caller to hand to a node; or signs and sends in one, as wallets do. */
  readonly transactions:
    | { sign(unsigned: UnsignedTransaction): Promise<SignedTransaction> }
    | { send(wanted: WantedTransaction): Promise<Hash> }
}

/** Signs with a secp256k1 private key of 32 bytes. */
export function keySigner(privateKey: Uint8Array): Signer {
  return {
    address: privateKeyToAddress(privateKey),
    sign: async (digest) => secp256k1.sign(digest, privateKey),
    signTypedData: async (_, digest) => secp256k1.sign(digest, privateKey),
    transactions: { sign: async (unsigned) => signTransaction(unsigned, privateKey) },
  }
}

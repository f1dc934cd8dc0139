/** What is signed about an envelope that travels from node to node: by its sender, by who received it, by who asks for it. */
import { type Address, fromHex, type Hash, toHash, uintToBytes, utf8 } from '../core/bytes.js'
import { rlpEncode } from '../core/rlp.js'
import { keccak256 } from './keccak.js'
import { primitives } from './primitives.js'

/** What goes with an envelope. The sender signs it, so that nobody else can fill nodes in its name. */
export interface EnvelopeSlip {
  /** SHA-256 of the envelope. */
  readonly hash: Hash
  readonly lengthBytes: number
  /** Last block for which it is kept. */
  readonly expiresAt: number
  /** Members. */
  readonly recipients: readonly Address[]
}

const SLIP = utf8('concordat envelope slip v1')
const RECEIPT = utf8('concordat envelope receipt v1')
const CLAIM = utf8('concordat envelope claim v1')

export const envelopeHash = (envelope: Uint8Array): Hash => toHash(primitives.sha256(envelope))

/** Signed by the sender. */
export function slipDigest(chainId: number, { hash, lengthBytes, expiresAt, recipients }: EnvelopeSlip): Uint8Array {
  const numbers = [uintToBytes(chainId), uintToBytes(lengthBytes), uintToBytes(expiresAt)]
  return keccak256(rlpEncode([SLIP, ...numbers, fromHex(hash), recipients.map((recipient) => fromHex(recipient))]))
}

/** Signed by a recipient's node once the envelope is on its disk. */
export const receiptDigest = (chainId: number, sender: Address, hash: Hash): Uint8Array =>
  keccak256(rlpEncode([RECEIPT, uintToBytes(chainId), fromHex(sender), fromHex(hash)]))

/** Signed by a recipient who asks a node for the envelope. */
export const claimDigest = (chainId: number, sender: Address, hash: Hash): Uint8Array =>
  keccak256(rlpEncode([CLAIM, uintToBytes(chainId), fromHex(sender), fromHex(hash)]))

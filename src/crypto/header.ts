/** Hash of headers, and the seal with which a sealer signs its own. */
import { type Address, concatBytes, type Hash, utf8 } from '../core/bytes.js'
import { encodeHeader, type Header } from '../core/header.js'
import { headerWithoutSeal, sealOf, withSeal } from '../core/seal.js'
import { keccak256, keccakHash } from './keccak.js'
import { recoverAddress, secp256k1 } from './secp256k1.js'

const SEAL_TAG = utf8('concordat seal v1')

/** keccak256 of the header's RLP: the block's identity. */
export function hashHeader(header: Header): Hash {
  return keccakHash(encodeHeader(header))
}

/** What the sealer signs: keccak256(tag | chain id u64 | RLP of the header with its extraData cut before the seal). */
export function sealDigest(header: Header, chainId: bigint | number): Uint8Array {
  const id = new Uint8Array(8)
  new DataView(id.buffer).setBigUint64(0, BigInt(chainId))
  return keccak256(concatBytes(SEAL_TAG, id, encodeHeader(headerWithoutSeal(header))))
}

/** The header with its seal; extraData must already have room for it (core/seal.ts). */
export function sealHeader(header: Header, chainId: bigint | number, privateKey: Uint8Array): Header {
  return withSeal(header, secp256k1.sign(sealDigest(header, chainId), privateKey))
}

/** Who sealed the header; null when the seal fits no key. Throws CodecError when extraData has no room for a seal. */
export function recoverSealer(header: Header, chainId: bigint | number): Address | null {
  return recoverAddress(sealDigest(header, chainId), sealOf(header))
}

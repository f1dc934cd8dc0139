/** A header as a verifier reads it (Ethereum's London fields; extraData: vanity, listed sealers, seal). */
import { RLP } from '@ethereumjs/rlp'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToHex, concat, type Hex, hexToBytes, keccak256, numberToBytes, stringToBytes } from 'viem'
import { must } from './evidenceError.js'
import { bytesOf, decodeRlp, itemsOf } from './rlp.js'

export interface Sealer {
  readonly address: Hex
  readonly weight: number
}

export interface ProvedHeader {
  readonly hash: Hex
  readonly number: number
  readonly parent: Hex
  readonly sealer: Hex
  readonly stateRoot: Hex
  readonly transactionsRoot: Hex
  readonly receiptsRoot: Hex
  /** Milliseconds since 1970, as the sealer's clock said. */
  readonly timeMs: number
  readonly epoch: number
  /** Sealers of the next epoch where this block closes its own. */
  readonly nextSet: readonly Sealer[] | null
  readonly fields: readonly Uint8Array[]
}

const SEAL_BYTES = 65
const VANITY_BYTES = 32
const EXTRA_DATA = 12
/** The last time that a calendar in JavaScript has, in ms since 1970. */
const TIME_MS_MAX = 8.64e15

/** Reads a header; its seal is checked by `checkSeal`. */
export function readHeader(raw: Hex): ProvedHeader {
  const fields = itemsOf(decodeRlp(hexToBytes(raw), 'a header'), 'a header').map((field) => bytesOf(field, 'a field'))
  must(fields.length === 16, 'HEADER', () => 'a header does not have 16 fields')
  const extra = fields[EXTRA_DATA]!
  must(
    extra.length >= VANITY_BYTES + SEAL_BYTES && bytesToHex(extra.subarray(0, 4)) === '0x63647431',
    'HEADER',
    () => "a header's extraData is none of this chain",
  )
  const vanity = new DataView(extra.buffer, extra.byteOffset)
  const timeMs = whole(fields[11]!) * 1_000 + vanity.getUint16(16)
  must(timeMs <= TIME_MS_MAX, 'HEADER', () => "a header's time is none")
  return {
    hash: keccak256(raw),
    number: whole(fields[8]!),
    parent: bytesToHex(fields[0]!),
    sealer: bytesToHex(fields[2]!),
    stateRoot: bytesToHex(fields[3]!),
    transactionsRoot: bytesToHex(fields[4]!),
    receiptsRoot: bytesToHex(fields[5]!),
    timeMs,
    epoch: vanity.getUint32(4),
    nextSet: readListed(extra, vanity.getUint8(18)),
    fields,
  }
}

/** 28 bytes a sealer: address, weight. */
function readListed(extra: Uint8Array, count: number): readonly Sealer[] | null {
  if (count === 0) return null
  must(extra.length === VANITY_BYTES + 28 * count + SEAL_BYTES, 'HEADER', () => 'listed sealers do not fit a header')
  return Array.from({ length: count }, (_, i) => {
    const at = VANITY_BYTES + 28 * i
    return { address: bytesToHex(extra.subarray(at, at + 20)), weight: whole(extra.subarray(at + 20, at + 28)) }
  })
}

/** The sealer that the header names signed it, without the seal and under a tag of its own. */
export function checkSeal({ number, sealer, fields }: ProvedHeader, chainId: number, recover: Recover): void {
  const extra = fields[EXTRA_DATA]!
  const unsealed = fields.map((field, i) => (i === EXTRA_DATA ? extra.subarray(0, extra.length - SEAL_BYTES) : field))
  const tagged = concat([stringToBytes('concordat seal v1'), numberToBytes(chainId, { size: 8 }), RLP.encode(unsealed)])
  const signer = recover(keccak256(tagged, 'bytes'), extra.subarray(extra.length - SEAL_BYTES))
  must(signer === sealer, 'HEADER', () => `block ${number} is not sealed by ${sealer}, whom it names`)
}

const HALF_N = secp256k1.Point.Fn.ORDER / 2n

/** Address whose key made `signature` (r, s, yParity) over `digest`; null for none, and for the twin with a high s. */
export type Recover = (digest: Uint8Array, signature: Uint8Array) => Hex | null

export const recoverSigner: Recover = (digest, signature) => {
  try {
    if (signature.length !== SEAL_BYTES || signature[64]! > 1) return null
    const parsed = secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact')
    if (parsed.s > HALF_N) return null
    const point = parsed.addRecoveryBit(signature[64]!).recoverPublicKey(digest)
    return bytesToHex(keccak256(point.toBytes(false).subarray(1), 'bytes').subarray(12))
  } catch {
    return null
  }
}

/** An integer of at most 53 bits. */
export function whole(bytes: Uint8Array): number {
  const value = bytes.reduce((number, byte) => number * 256 + byte, 0)
  must(Number.isSafeInteger(value), 'MALFORMED', () => 'a number is above 2^53')
  return value
}

/**
 * Votes of sealers: what a signature covers, which two votes contradict each other, and the bytes in which evidence carries
 * them. The caller hashes the preimage (keccak) and signs or recovers; no hash is computed here.
 */
import {
  type Address,
  asEpoch,
  asView,
  type Epoch,
  fromHex,
  type Hash,
  toHash,
  utf8,
  type View,
  ZERO_HASH,
} from './bytes.js'
import { CodecError } from './codec.js'

export type VoteKind = 'notarize' | 'nullify' | 'finalize'

/** What is signed. `block` is ZERO_HASH for nullify. */
export interface Vote {
  readonly kind: VoteKind
  readonly epoch: Epoch
  readonly view: View
  readonly block: Hash
}

/** A vote with its signature (65 bytes: r, s, yParity; low s); the signer is recovered from it. */
export interface CarriedVote extends Vote {
  readonly signature: Uint8Array
}

/** A vote with the sealer that signed it. */
export interface SignedVote extends CarriedVote {
  readonly signer: Address
}

/** Domain of one chain; a vote of another chain or genesis never verifies. */
export interface VoteContext {
  readonly chainId: bigint | number
  readonly genesisHash: Hash
}

/** kind 1 | epoch 8 | view 8 | block 32 | signature 65. */
export const signedVoteBytes = 114

/** 17 bytes; differs from every other tag that is signed with a sealer's key. */
const TAG = utf8('concordat vote v1')
const KIND_BYTE: Record<VoteKind, number> = { notarize: 1, nullify: 2, finalize: 3 }
const KIND_OF = new Map<number | undefined, VoteKind>([
  [1, 'notarize'],
  [2, 'nullify'],
  [3, 'finalize'],
])

/** tag 17 | chain id u64 | genesis hash 32 | epoch u64 | view u64 | kind u8 | block hash 32, big-endian: 106 bytes. */
export function votePreimage(context: VoteContext, vote: Vote): Uint8Array {
  const out = new Uint8Array(TAG.length + 8 + 32 + 8 + 8 + 1 + 32)
  const view = new DataView(out.buffer)
  out.set(TAG, 0)
  let at = TAG.length
  view.setBigUint64(at, BigInt(context.chainId))
  out.set(fromHex(context.genesisHash, 'genesisHash'), at + 8)
  at += 40
  view.setBigUint64(at, BigInt(vote.epoch))
  view.setBigUint64(at + 8, BigInt(vote.view))
  out[at + 16] = KIND_BYTE[vote.kind]
  out.set(fromHex(vote.block, 'vote block'), at + 17)
  return out
}

export function sameVote(a: Vote, b: Vote): boolean {
  return a.kind === b.kind && a.view === b.view && a.epoch === b.epoch && a.block === b.block
}

/** R13: what one sealer must never sign both, whatever else happened. */
export function contradict(a: Vote, b: Vote): boolean {
  if (a.epoch !== b.epoch || a.view !== b.view) return false
  if (a.kind === b.kind) return a.block !== b.block
  return a.kind !== 'notarize' && b.kind !== 'notarize'
}

/** R13: two votes of one sealer that contradict each other. */
export function conflicts(a: SignedVote, b: SignedVote): boolean {
  return a.signer === b.signer && contradict(a, b)
}

/** kind u8 | epoch u64 | view u64 | block 32 | signature 65, big-endian: 114 bytes. */
export function encodeSignedVote(vote: CarriedVote): Uint8Array {
  if (vote.signature.length !== 65) throw new CodecError('FIELD_LENGTH', 'vote signature', 'must have 65 bytes')
  const out = new Uint8Array(signedVoteBytes)
  const view = new DataView(out.buffer)
  out[0] = KIND_BYTE[vote.kind]
  view.setBigUint64(1, BigInt(vote.epoch))
  view.setBigUint64(9, BigInt(vote.view))
  out.set(fromHex(vote.block, 'vote block'), 17)
  out.set(vote.signature, 49)
  return out
}

/** Throws CodecError unless the bytes are what `encodeSignedVote` gives; the signature is a view of them. */
export function decodeSignedVote(bytes: Uint8Array): CarriedVote {
  if (bytes.length !== signedVoteBytes) {
    throw new CodecError('FIELD_LENGTH', 'signed vote', `must have ${signedVoteBytes} bytes, got ${bytes.length}`)
  }
  const kind = KIND_OF.get(bytes[0])
  if (kind === undefined)
    throw new CodecError('UNSUPPORTED', 'vote kind', 'must be 1 notarize, 2 nullify or 3 finalize')
  const block = toHash(bytes.subarray(17, 49))
  if (kind === 'nullify' && block !== ZERO_HASH) {
    throw new CodecError('FIELD_RANGE', 'block of a nullify vote', 'must be zero')
  }
  const epoch = asEpoch(counterAt(bytes, 1, 'vote epoch'))
  const view = asView(counterAt(bytes, 9, 'vote view'))
  return { kind, epoch, view, block, signature: bytes.subarray(49) }
}

function counterAt(bytes: Uint8Array, at: number, field: string): number {
  const value = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at)
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new CodecError('FIELD_RANGE', field, 'must be below 2^53')
  return Number(value)
}

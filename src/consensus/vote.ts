/** What a vote's signature covers. The shell hashes the preimage (keccak) and signs or recovers; no hash is computed here. */
import { fromHex, type Hash, utf8 } from '../core/bytes.js'
import type { SignedVote, Vote, VoteKind } from './types.js'

/** Domain of one chain; a vote of another chain or genesis never verifies. */
export interface VoteContext {
  readonly chainId: bigint | number
  readonly genesisHash: Hash
}

/** 17 bytes; differs from every other tag that is signed with a sealer's key. */
const TAG = utf8('concordat vote v1')
const KIND_BYTE: Record<VoteKind, number> = { notarize: 1, nullify: 2, finalize: 3 }

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

/** R13: one sealer must never sign both, whatever else happened. */
export function conflicts(a: SignedVote, b: SignedVote): boolean {
  if (a.signer !== b.signer || a.epoch !== b.epoch || a.view !== b.view) return false
  if (a.kind === b.kind) return a.block !== b.block
  return a.kind !== 'notarize' && b.kind !== 'notarize'
}

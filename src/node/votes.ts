/** Signing and checking of votes with the node's keys. */
import type { RecoverVote } from '../consensus/certificate.js'
import type { Vote } from '../consensus/types.js'
import { type VoteContext, votePreimage } from '../consensus/vote.js'
import { type Address, toHex } from '../core/bytes.js'
import { keccak256 } from '../crypto/keccak.js'
import { recoverAddress, secp256k1 } from '../crypto/secp256k1.js'
import { LruMap } from './lru.js'

/** Signatures that were checked lately: the votes inside a certificate have mostly been seen one by one before. */
const CHECKED_MAX = 8_192

/** Deterministic (RFC 6979) signature of 65 bytes over a vote. */
export function voteSigner(context: VoteContext, privateKey: Uint8Array): (vote: Vote) => Uint8Array {
  return (vote) => secp256k1.sign(keccak256(votePreimage(context, vote)), privateKey)
}

/** Recovers the signer of a vote, each signature once. */
export function voteRecoverer(context: VoteContext): RecoverVote {
  const checked = new LruMap<string, { readonly signer: Address }>(CHECKED_MAX)
  return (vote, signature) => {
    const key = `${vote.kind}${vote.epoch}/${vote.view}${vote.block}${toHex(signature)}`
    const known = checked.get(key)
    if (known !== undefined) return known.signer
    const signer = recoverAddress(keccak256(votePreimage(context, vote)), signature)
    if (signer !== null) checked.set(key, { signer })
    return signer
  }
}

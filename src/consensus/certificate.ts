/** Quorum certificates: built from equal votes, verified against the set of their epoch. */
import type { Address } from '../core/bytes.js'
import { quorumWeight, totalWeight } from './quorum.js'
import type { Certificate, SealerSet, SignedVote, Vote } from './types.js'

export type CertificateFault =
  | { readonly code: 'CERTIFICATE_EPOCH'; readonly message: string }
  | { readonly code: 'CERTIFICATE_SIGNERS'; readonly message: string }
  | { readonly code: 'CERTIFICATE_WEIGHT'; readonly message: string }
  | { readonly code: 'CERTIFICATE_SIGNATURE'; readonly message: string; readonly index: number }

/** Signer of `signature` over `vote`, or null when it is not a valid signature. */
export type RecoverVote = (vote: Vote, signature: Uint8Array) => Address | null

/** Certificate over `vote` from votes by sealer index; the caller has checked that they are equal and reach a quorum. */
export function formCertificate(vote: Vote, votes: ReadonlyMap<number, SignedVote>): Certificate {
  const equal = [...votes].filter(([, signed]) => signed.block === vote.block).sort(([a], [b]) => a - b)
  return {
    kind: vote.kind,
    epoch: vote.epoch,
    view: vote.view,
    block: vote.block,
    signers: equal.map(([index]) => index),
    signatures: equal.map(([, signed]) => signed.signature),
  }
}

/** The votes inside `certificate`. */
export function votesOf(set: SealerSet, certificate: Certificate): SignedVote[] {
  const { kind, epoch, view, block, signers, signatures } = certificate
  const votes: SignedVote[] = []
  signers.forEach((index, i) => {
    const signer = set.sealers[index]?.address
    const signature = signatures[i]
    if (signer && signature) votes.push({ kind, epoch, view, block, signer, signature })
  })
  return votes
}

/** Null when `certificate` holds: set of its epoch, strictly ascending signers, a quorum by weight, every signature by its signer. */
export function verifyCertificate(
  set: SealerSet,
  certificate: Certificate,
  recover: RecoverVote,
): CertificateFault | null {
  const { signers, signatures } = certificate
  if (certificate.epoch !== set.epoch) {
    const message = `certificate of epoch ${certificate.epoch} checked with the sealers of epoch ${set.epoch}`
    return { code: 'CERTIFICATE_EPOCH', message }
  }
  const weight = ascendingWeight(set, signers)
  if (weight === null || signatures.length !== signers.length) {
    const message = 'signers must be strictly ascending sealer indices with one signature each'
    return { code: 'CERTIFICATE_SIGNERS', message }
  }
  const quorum = quorumWeight(totalWeight(set.sealers.map((sealer) => sealer.weight)))
  if (weight < quorum) {
    return { code: 'CERTIFICATE_WEIGHT', message: `signers weigh ${weight}, a quorum is ${quorum}` }
  }
  for (let i = 0; i < signers.length; i++) {
    if (recover(certificate, signatures[i]!) !== set.sealers[signers[i]!]!.address) {
      return { code: 'CERTIFICATE_SIGNATURE', message: `signature ${i} is not by sealer ${signers[i]}`, index: i }
    }
  }
  return null
}

function ascendingWeight(set: SealerSet, signers: readonly number[]): number | null {
  let weight = 0
  let last = -1
  for (const index of signers) {
    const sealer = set.sealers[index]
    if (!sealer || index <= last) return null
    weight += sealer.weight
    last = index
  }
  return weight
}

/**
 * Headers and certificates alone prove the chain from genesis on, across every change of the sealer set: each epoch's
 * certificates hold by its own set, and the header that closes an epoch lists the next one. Pure: nothing is executed or asked.
 */
import { type RecoverVote, verifyCertificate } from '../consensus/certificate.js'
import type { Certificate, LeaderSchedule, SealerSet } from '../consensus/types.js'
import { asEpoch, type Hash, type Height, type View } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import type { Header } from '../core/header.js'
import { extraDataSealerSet, readVanity } from '../core/seal.js'

/** Where a chain of headers stands. */
export interface ChainPoint {
  readonly hash: Hash
  readonly height: Height
  /** View in the block's header; 0 for genesis. */
  readonly view: View
  /** Sealers of the next block. */
  readonly set: SealerSet
}

/** A header with its hash, whose seal is by its miner (`sealedHeaderReader`). */
export interface SealedHeader {
  readonly hash: Hash
  readonly header: Header
}

/** One block as a verifier without state sees it. `certificate` null: a later one of the same epoch covers it. */
export interface HeaderLink {
  readonly header: Header
  readonly certificate: Certificate | null
}

export interface HeaderRules {
  /** The one that genesis names. */
  readonly schedule: LeaderSchedule
  readonly recoverVote: RecoverVote
}

/** Why a header or its certificate does not continue the chain. */
export class HeaderChainError extends CodedError<
  'HEADER_LINK' | 'HEADER_EPOCH' | 'HEADER_SEALER' | 'HEADER_CERTIFICATE'
> {}

/**
 * The point after one more block. Throws HeaderChainError, or CodecError for a malformed extraData. Without a certificate
 * the point counts only once a later one is certified.
 */
export function followHeader(
  point: ChainPoint,
  { hash, header }: SealedHeader,
  certificate: Certificate | null,
  rules: HeaderRules,
): ChainPoint {
  const { number } = header
  if (number !== point.height + 1) fail('HEADER_LINK', `block ${number} in place of block ${point.height + 1}`)
  if (header.parentHash !== point.hash) fail('HEADER_LINK', `block ${number} does not follow block ${point.height}`)
  const view = checkTurn(point, header, rules.schedule)
  if (certificate !== null) checkCertificate(point.set, { hash, header }, certificate, rules.recoverVote)
  const listed = extraDataSealerSet(header.extraData)
  if (listed === null) return { hash, height: number, view, set: point.set }
  if (certificate === null)
    fail('HEADER_CERTIFICATE', `block ${number} closes epoch ${point.set.epoch} and has no certificate of its own`)
  return { hash, height: number, view, set: { epoch: asEpoch(point.set.epoch + 1), sealers: listed } }
}

/**
 * The point of a certified header anywhere in the epoch that `point.set` seals, without the headers between: the certificate
 * alone proves it, and where it closes its epoch it lists the next set. Throws as `followHeader` does.
 */
export function leapTo(
  point: ChainPoint,
  { hash, header }: SealedHeader,
  certificate: Certificate,
  rules: HeaderRules,
): ChainPoint {
  const { number } = header
  if (number <= point.height) fail('HEADER_LINK', `block ${number} does not come after block ${point.height}`)
  const view = checkTurn(point, header, rules.schedule)
  checkCertificate(point.set, { hash, header }, certificate, rules.recoverVote)
  const listed = extraDataSealerSet(header.extraData)
  const set = listed === null ? point.set : { epoch: asEpoch(point.set.epoch + 1), sealers: listed }
  return { hash, height: number, view, set }
}

/**
 * Verifies headers that follow `genesis` and returns the last one's point. `readHeader` checks the seal (`sealedHeaderReader`).
 * Throws HeaderChainError or CodedError at the first one that does not hold, and when the last one has no certificate.
 */
export function verifyHeaderChain(
  genesis: ChainPoint,
  links: Iterable<HeaderLink>,
  rules: HeaderRules & { readonly readHeader: (header: Header) => SealedHeader },
): ChainPoint {
  let point = genesis
  let isCertified = true
  for (const { header, certificate } of links) {
    point = followHeader(point, rules.readHeader(header), certificate, rules)
    isCertified = certificate !== null
  }
  if (!isCertified) fail('HEADER_CERTIFICATE', `block ${point.height} is the last one and has no certificate`)
  return point
}

/** Epoch and view go on from the block before, and the view's leader sealed it. Returns the view. */
function checkTurn({ set, view: before }: ChainPoint, header: Header, schedule: LeaderSchedule): View {
  const { epoch, view } = readVanity(header.extraData)
  if (epoch !== set.epoch) fail('HEADER_EPOCH', `block ${header.number} is of epoch ${epoch}, not ${set.epoch}`)
  if (view <= before) fail('HEADER_EPOCH', `block ${header.number} is of view ${view}, the one before of ${before}`)
  const leader = schedule(set, view)
  if (header.miner !== leader)
    fail('HEADER_SEALER', `block ${header.number} is sealed by ${header.miner}, view ${view} is led by ${leader}`)
  return view
}

function checkCertificate(
  set: SealerSet,
  { hash, header }: SealedHeader,
  certificate: Certificate,
  recoverVote: RecoverVote,
): void {
  const { kind, block, epoch } = certificate
  if (kind !== 'finalize' || block !== hash) fail('HEADER_CERTIFICATE', `not of block ${header.number}`)
  if (epoch !== set.epoch)
    fail('HEADER_EPOCH', `the certificate of block ${header.number} is of epoch ${epoch}, not ${set.epoch}`)
  const fault = verifyCertificate(set, certificate, recoverVote)
  if (fault !== null) fail('HEADER_CERTIFICATE', `block ${header.number}: ${fault.code}: ${fault.message}`)
}

function fail(code: HeaderChainError['code'], message: string): never {
  throw new HeaderChainError(code, message)
}

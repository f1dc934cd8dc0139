/**
 * Burmester-Desmedt group Diffie-Hellman (EUROCRYPT '94) over ristretto255 (RFC 9496), members in a ring:
 *
 *     round 1   z_i = r_i G                      with a proof that its sender knows r_i
 *     round 2   X_i = r_i (z_{i+1} - z_{i-1})    with a proof that it is the same r_i
 *     key       K = n r_i z_{i-1} + (n-1) X_i + (n-2) X_{i+1} + ... + X_{i+n-2} = (r_1 r_2 + r_2 r_3 + ... + r_n r_1) G
 *
 * With two members both neighbours are the same one: X_i is the identity, and K = 2 r_1 r_2 G. With more, shares that all
 * differ give no identity, so there it is refused. Whoever contributes what passes here leaves the others no two keys to
 * choose from: all who know one exponent compute the same K. Proofs are Schnorr's and Chaum-Pedersen's, made
 * non-interactive over everything that the agreement is about, with nonces that follow from exponent and statement: nothing
 * here draws random bytes.
 */
import { ristretto255 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { type Address, concatBytes, fromHex, type Hash, toHash, utf8 } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { groupMembersMax } from '../core/limits.js'

export type GroupKeyErrorCode =
  /** The roster is not 2 to 16 addresses in ascending order, or does not hold the member. */
  | 'BAD_ROSTER'
  /** Not 64 random bytes, or not an exponent. */
  | 'BAD_EXPONENT'
  /** The member's share in the list does not belong to its exponent. */
  | 'NOT_OWN_SHARE'
  /** A share or link is no element that may be used, or there are not as many as members. */
  | 'BAD_ELEMENT'
  /** The members' exponents cancel out. */
  | 'IDENTITY_KEY'

export class GroupKeyError extends CodedError<GroupKeyErrorCode> {}

/** What every contribution is bound to. */
export interface GroupContext {
  readonly chainId: bigint
  readonly contract: Address
  /** Members in ascending order of their addresses. */
  readonly roster: readonly Address[]
  /** Of the key that is negotiated. */
  readonly epoch: bigint
  readonly attempt: number
}

/** A share or a link with its proof: four words of 32 bytes, the scalars little-endian as RFC 9496 has them. */
export interface Contribution {
  readonly element: Hash
  readonly challenge: Hash
  readonly response: Hash
}

/** Why a contribution is refused. repeated: another member has given the same share. */
export type ContributionFlaw = 'encoding' | 'identity' | 'repeated' | 'proof'

type Point = InstanceType<typeof ristretto255.Point>
type Kind = 'share' | 'link'

const { BASE, Fn } = ristretto255.Point
const ORDER = Fn.ORDER
const DOMAIN = utf8('concordat group key v1')
const NONCE_DOMAIN = utf8('concordat group key v1 nonce')
const EXPONENT_BYTES = 32

/** Exponent of 32 bytes from 64 random ones: so many that no exponent is likelier than another. Throws GroupKeyError. */
export function groupExponent(random: Uint8Array): Uint8Array {
  if (random.length !== 64) throw new GroupKeyError('BAD_EXPONENT', `needs 64 random bytes, got ${random.length}`)
  const exponent = littleEndian(random) % ORDER
  if (exponent === 0n) throw new GroupKeyError('BAD_EXPONENT', 'these random bytes give no exponent, draw others')
  return scalarBytes(exponent)
}

/** Round 1. Throws GroupKeyError. */
export function groupShare(context: GroupContext, member: Address, exponent: Uint8Array): Contribution {
  const r = exponentOf(exponent)
  const share = BASE.multiply(r)
  return prove('share', statement(context, member), r, [[BASE, share]], share)
}

/** What is wrong with a share of round 1; `others`: those that are there already. */
export function shareFlaw(
  context: GroupContext,
  member: Address,
  share: Contribution,
  others: readonly Hash[],
): ContributionFlaw | undefined {
  const point = decode(share.element)
  if (point === undefined) return 'encoding'
  if (point.is0()) return 'identity'
  if (others.includes(share.element)) return 'repeated'
  return proves('share', statement(context, member), share, [[BASE, point]]) ? undefined : 'proof'
}

/** Round 2; `shares` in the order of the roster. Throws GroupKeyError. */
export function groupLink(
  context: GroupContext,
  member: Address,
  exponent: Uint8Array,
  shares: readonly Hash[],
): Contribution {
  const r = exponentOf(exponent)
  const { own, base } = neighbourhood(context, member, shares)
  if (!own.equals(BASE.multiply(r))) throw notOwnShare(member)
  const link = base.multiply(r)
  const pairs = [
    [BASE, own],
    [base, link],
  ] as const
  return prove('link', statement(context, member, shares), r, pairs, link)
}

/** What is wrong with a link of round 2; `shares` passed round 1. Throws GroupKeyError when they did not. */
export function linkFlaw(
  context: GroupContext,
  member: Address,
  shares: readonly Hash[],
  link: Contribution,
): ContributionFlaw | undefined {
  const { own, base } = neighbourhood(context, member, shares)
  const point = decode(link.element)
  if (point === undefined) return 'encoding'
  // Of two members each is both neighbours of the other: their links are the identity, and have to be.
  if (point.is0() !== (context.roster.length === 2)) return 'identity'
  const pairs = [
    [BASE, own],
    [base, point],
  ] as const
  return proves('link', statement(context, member, shares), link, pairs) ? undefined : 'proof'
}

/** K as the member with this exponent computes it, encoded. Throws GroupKeyError. */
export function groupSecret(
  context: GroupContext,
  member: Address,
  exponent: Uint8Array,
  shares: readonly Hash[],
  links: readonly Hash[],
): Uint8Array {
  const r = exponentOf(exponent)
  const { index, own, left } = neighbourhood(context, member, shares)
  if (!own.equals(BASE.multiply(r))) throw notOwnShare(member)
  const n = context.roster.length
  const ring = elements(links, n)
  let key = left.multiply((BigInt(n) * r) % ORDER)
  for (let step = 0; step < n - 1; step++) {
    key = key.add(ring[(index + step) % n]!.multiply(BigInt(n - 1 - step)))
  }
  if (key.is0()) throw new GroupKeyError('IDENTITY_KEY', "the members' exponents cancel out: begin a new attempt")
  return key.toBytes()
}

/** All that an agreement was: context, shares, links. Throws GroupKeyError BAD_ROSTER. */
export function groupTranscript(context: GroupContext, shares: readonly Hash[], links: readonly Hash[]): Uint8Array {
  return concatBytes(DOMAIN, contextBytes(context), ...[...shares, ...links].map((word) => fromHex(word)))
}

function statement(context: GroupContext, member: Address, shares: readonly Hash[] = []): Uint8Array {
  const index = Uint8Array.of(placeOf(context, member))
  return concatBytes(contextBytes(context), index, ...shares.map((share) => fromHex(share)))
}

/** chain id 8 | epoch 8 | attempt 4 | members n 1 | contract 20 | n x 20. */
function contextBytes({ chainId, contract, roster, epoch, attempt }: GroupContext): Uint8Array {
  const ascending = roster.every((member, i) => i === 0 || roster[i - 1]! < member)
  if (roster.length < 2 || roster.length > groupMembersMax || !ascending) {
    throw new GroupKeyError('BAD_ROSTER', `a roster is 2 to ${groupMembersMax} different addresses in ascending order`)
  }
  const numbers = new DataView(new ArrayBuffer(21))
  numbers.setBigUint64(0, chainId)
  numbers.setBigUint64(8, epoch)
  numbers.setUint32(16, attempt)
  numbers.setUint8(20, roster.length)
  return concatBytes(new Uint8Array(numbers.buffer), fromHex(contract), ...roster.map((member) => fromHex(member)))
}

function placeOf({ roster }: GroupContext, member: Address): number {
  const index = roster.indexOf(member)
  if (index < 0) throw new GroupKeyError('BAD_ROSTER', `${member} is not in the roster`)
  return index
}

/** The member's place in the ring, its share, its left neighbour's, and the base of its link: right less left. */
function neighbourhood(context: GroupContext, member: Address, shares: readonly Hash[]) {
  const n = context.roster.length
  const index = placeOf(context, member)
  const ring = elements(shares, n)
  const left = ring[(index + n - 1) % n]!
  return { index, own: ring[index]!, left, base: ring[(index + 1) % n]!.subtract(left) }
}

function elements(words: readonly Hash[], count: number): Point[] {
  if (words.length !== count) throw new GroupKeyError('BAD_ELEMENT', `needs ${count} elements, got ${words.length}`)
  return words.map((word) => {
    const point = decode(word)
    if (point === undefined) throw new GroupKeyError('BAD_ELEMENT', `${word} encodes no element of ristretto255`)
    return point
  })
}

/** Undefined unless the word is the one encoding of an element (RFC 9496, 4.3.1). */
function decode(word: Hash): Point | undefined {
  try {
    return ristretto255.Point.fromBytes(fromHex(word))
  } catch {
    return undefined
  }
}

/** Pairs (base, base times exponent) that one proof is about. */
type Pairs = readonly (readonly [base: Point, power: Point])[]

function prove(kind: Kind, about: Uint8Array, r: bigint, pairs: Pairs, element: Point): Contribution {
  const powers = pairs.map(([, power]) => power.toBytes())
  const nonce = hashScalar(NONCE_DOMAIN, utf8(kind), scalarBytes(r), about, ...powers)
  const challenge = challengeOf(
    kind,
    about,
    pairs,
    pairs.map(([base]) => base.multiply(nonce)),
  )
  const response = (nonce + challenge * r) % ORDER
  return { element: toHash(element.toBytes()), challenge: scalarWord(challenge), response: scalarWord(response) }
}

function proves(kind: Kind, about: Uint8Array, proof: Contribution, pairs: Pairs): boolean {
  const challenge = scalarOf(proof.challenge)
  const response = scalarOf(proof.response)
  if (challenge === undefined || response === undefined) return false
  const commitments = pairs.map(([base, power]) => {
    return base.multiplyUnsafe(response).subtract(power.multiplyUnsafe(challenge))
  })
  return challengeOf(kind, about, pairs, commitments) === challenge
}

function challengeOf(kind: Kind, about: Uint8Array, pairs: Pairs, commitments: readonly Point[]): bigint {
  const powers = pairs.map(([, power]) => power.toBytes())
  return hashScalar(DOMAIN, utf8(kind), about, ...powers, ...commitments.map((point) => point.toBytes()))
}

/** The first part has a fixed length for each use, the others for each roster: no two inputs run together. */
function hashScalar(...parts: readonly Uint8Array[]): bigint {
  return littleEndian(sha512(concatBytes(...parts))) % ORDER
}

function exponentOf(exponent: Uint8Array): bigint {
  const r = littleEndian(exponent)
  if (exponent.length !== EXPONENT_BYTES || r === 0n || r >= ORDER) {
    throw new GroupKeyError('BAD_EXPONENT', 'an exponent has 32 bytes, as groupExponent gives them')
  }
  return r
}

function scalarOf(word: Hash): bigint | undefined {
  const scalar = littleEndian(fromHex(word))
  return scalar < ORDER ? scalar : undefined
}

const scalarWord = (scalar: bigint): Hash => toHash(scalarBytes(scalar))

function scalarBytes(scalar: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((scalar >> BigInt(8 * i)) & 0xffn))
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
}

function notOwnShare(member: Address): GroupKeyError {
  return new GroupKeyError('NOT_OWN_SHARE', `the share of ${member} does not belong to this exponent`)
}

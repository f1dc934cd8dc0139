/** Headers and certificates prove the chain across changes of the set; whatever is altered in them does not pass. */
import fc from 'fast-check'
import t from 'tap'
import { formCertificate } from '../../src/consensus/certificate.js'
import { decodeCertificate, encodeCertificate } from '../../src/consensus/codec.js'
import { quorumWeight, totalWeight } from '../../src/consensus/quorum.js'
import { roundRobin } from '../../src/consensus/schedule.js'
import type { Certificate, SealerSet, SignedVote } from '../../src/consensus/types.js'
import { type Address, asEpoch, asHeight, asView, type Hash, toHash, ZERO_HASH } from '../../src/core/bytes.js'
import { CodedError } from '../../src/core/codedError.js'
import { decodeHeader, encodeHeader, type Header } from '../../src/core/header.js'
import { readVanity, unsealedExtraData } from '../../src/core/seal.js'
import { hashHeader, sealHeader } from '../../src/crypto/header.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import { buildGenesis } from '../../src/node/genesis.js'
import { type ChainPoint, type HeaderLink, verifyHeaderChain } from '../../src/node/headerChain.js'
import { sealedHeaderReader } from '../../src/node/sealedBlock.js'
import { voteRecoverer, voteSigner } from '../../src/node/votes.js'
import { CHAIN_ID, genesis, genesisHash } from './world.js'

const keys = Array.from({ length: 9 }, (_, i) => new Uint8Array(32).fill(i + 1))
const keyOf = new Map<Address, Uint8Array>(keys.map((key) => [privateKeyToAddress(key), key]))
const addresses = [...keyOf.keys()]
const votes = { chainId: CHAIN_ID, genesisHash }
const rules = {
  schedule: roundRobin,
  recoverVote: voteRecoverer(votes),
  readHeader: sealedHeaderReader(CHAIN_ID),
}
const template = buildGenesis(genesis).block.header

const setOf = (epoch: number, from: number, weights: readonly number[]): SealerSet => ({
  epoch: asEpoch(epoch),
  sealers: weights.map((weight, i) => ({ address: addresses[(from + i) % addresses.length]!, weight })),
})

const start: ChainPoint = { hash: genesisHash, height: asHeight(0), view: asView(0), set: setOf(0, 0, [1, 1, 1, 1]) }

/** A finality certificate by as many sealers, from the first on, as a quorum needs. */
function certify(set: SealerSet, block: Hash, view: number, kind: Certificate['kind'] = 'finalize'): Certificate {
  const vote = { kind, epoch: set.epoch, view: asView(view), block }
  const quorum = quorumWeight(totalWeight(set.sealers.map(({ weight }) => weight)))
  const signed = new Map<number, SignedVote>()
  let weight = 0
  for (const [index, sealer] of set.sealers.entries()) {
    if (weight >= quorum) break
    weight += sealer.weight
    const signature = voteSigner(votes, keyOf.get(sealer.address)!)(vote)
    signed.set(index, { ...vote, signer: sealer.address, signature })
  }
  return formCertificate({ ...vote }, signed)
}

interface Step {
  /** Views that pass before the block. */
  readonly skipped: number
  readonly certified: boolean
  /** Weights of the next set, where the block closes its epoch, and where in the list of keys it begins. */
  readonly next: { readonly from: number; readonly weights: readonly number[] } | null
}

interface Built {
  readonly links: HeaderLink[]
  readonly sets: SealerSet[]
  readonly end: ChainPoint
}

function sealed(header: Omit<Header, 'miner'>, leader: Address): Header {
  return sealHeader({ ...header, miner: leader }, CHAIN_ID, keyOf.get(leader)!)
}

function build(steps: readonly Step[]): Built {
  let point = start
  const links: HeaderLink[] = []
  const sets: SealerSet[] = []
  for (const [index, { skipped, certified, next }] of steps.entries()) {
    const { set } = point
    const view = asView(point.view + 1 + skipped)
    const nextSet = next === null ? null : setOf(set.epoch + 1, next.from, next.weights)
    const extraData = unsealedExtraData({ epoch: set.epoch, view, ms: 0 }, nextSet?.sealers)
    const number = asHeight(index + 1)
    const header = sealed({ ...template, parentHash: point.hash, number, extraData }, roundRobin(set, view))
    const hash = hashHeader(header)
    const needsOne = certified || nextSet !== null || index === steps.length - 1
    // It may have become final some views later.
    links.push({ header, certificate: needsOne ? certify(set, hash, view + (index % 3)) : null })
    sets.push(set)
    point = { hash, height: number, view, set: nextSet ?? set }
  }
  return { links, sets, end: point }
}

const step = fc.record<Step>({
  skipped: fc.nat(3),
  certified: fc.boolean(),
  next: fc.option(
    fc.record({ from: fc.nat(8), weights: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 7 }) }),
    {
      freq: 3,
    },
  ),
})
const chain = fc.array(step, { minLength: 1, maxLength: 8 }).map(build)

const verify = (links: Iterable<HeaderLink>) => verifyHeaderChain(start, links, rules)

/** Whether it is refused, with a coded error. */
function refused(links: Iterable<HeaderLink>): boolean {
  try {
    verify(links)
    return false
  } catch (error) {
    if (error instanceof CodedError) return true
    throw error
  }
}

t.test('a chain holds from genesis on, across every change of the set', async (t) => {
  fc.assert(
    fc.property(chain, ({ links, end }) => {
      t.same(verify(links), end)
    }),
    { numRuns: 60 },
  )
  t.same(verify([]), start)
})

t.test('no byte of a header or certificate can be altered', async () => {
  fc.assert(
    fc.property(chain, fc.nat(), fc.nat(), fc.nat(7), fc.boolean(), ({ links }, which, where, bit, ofHeader) => {
      const at = which % links.length
      const { header, certificate } = links[at]!
      const flip = (bytes: Uint8Array) => bytes.with(where % bytes.length, bytes[where % bytes.length]! ^ (1 << bit))
      let altered: HeaderLink
      try {
        if (ofHeader || certificate === null)
          altered = { header: decodeHeader(flip(encodeHeader(header))), certificate }
        else altered = { header, certificate: decodeCertificate(flip(encodeCertificate(certificate))) }
      } catch (error) {
        if (error instanceof CodedError) return true
        throw error
      }
      return refused(links.with(at, altered))
    }),
    { numRuns: 400 },
  )
})

t.test('no block can be left out, doubled, moved, or put in the place of another', async () => {
  fc.assert(
    fc.property(chain, fc.nat(), fc.nat(), ({ links }, a, b) => {
      const at = a % links.length
      const to = b % links.length
      if (links.length > 1 && at < links.length - 1 && !refused(links.toSpliced(at, 1))) return false
      if (!refused(links.toSpliced(at, 0, links[at]!))) return false
      return at === to || refused(links.with(at, links[to]!).with(to, links[at]!))
    }),
    { numRuns: 60 },
  )
})

t.test('whoever seals or certifies has to be of the epoch', async (t) => {
  const { links, sets } = build([
    { skipped: 0, certified: false, next: null },
    { skipped: 1, certified: true, next: { from: 4, weights: [1, 1, 1, 1, 1] } },
    { skipped: 0, certified: true, next: null },
    { skipped: 2, certified: true, next: null },
  ])
  t.equal(verify(links).height, 4)
  const [, closing, , last] = links as [HeaderLink, HeaderLink, HeaderLink, HeaderLink]
  const reseal = (changes: Partial<Header>, by: Address) => sealed({ ...last.header, ...changes }, by)
  const view = readVanity(last.header.extraData).view
  const certifiedBy = (set: SealerSet, header: Header, at = view as number): HeaderLink => ({
    header,
    certificate: certify(set, hashHeader(header), at),
  })
  const [epoch0, epoch1] = [sets[0]!, sets[3]!]
  const outsider = setOf(1, 0, [1, 1, 1, 1])
  const cases: [string, readonly HeaderLink[], RegExp][] = [
    [
      'the set of the epoch before',
      links.with(3, { ...last, certificate: certify(epoch0, hashHeader(last.header), view) }),
      /HEADER_EPOCH/,
    ],
    [
      'a set that nobody listed',
      links.with(3, { ...last, certificate: certify(outsider, hashHeader(last.header), view) }),
      /HEADER_CERTIFICATE/,
    ],
    ['a sealer whose turn it is not', links.with(3, certifiedBy(epoch1, reseal({}, addresses[4]!))), /HEADER_SEALER/],
    ['a sealer of before', links.with(3, certifiedBy(epoch1, reseal({}, addresses[0]!))), /HEADER_SEALER/],
    [
      'a notarization',
      links.with(3, { ...last, certificate: certify(epoch1, hashHeader(last.header), view, 'notarize') }),
      /HEADER_CERTIFICATE/,
    ],
    ['another block', links.with(3, { ...last, certificate: certify(epoch1, ZERO_HASH, view) }), /HEADER_CERTIFICATE/],
    [
      'no certificate at the end',
      links.with(3, { ...last, certificate: null }),
      /HEADER_CERTIFICATE: block 4 is the last/,
    ],
    [
      'an epoch closed without one',
      links.with(1, { ...closing, certificate: null }),
      /HEADER_CERTIFICATE: block 2 closes epoch 0/,
    ],
    [
      'an epoch that goes on after it was closed',
      links.slice(0, 2).concat(
        certifiedBy(
          epoch0,
          sealed(
            {
              ...template,
              parentHash: hashHeader(closing.header),
              number: asHeight(3),
              extraData: unsealedExtraData({ epoch: asEpoch(0), view: asView(4), ms: 0 }),
            },
            roundRobin(epoch0, asView(4)),
          ),
          4,
        ),
      ),
      /HEADER_EPOCH: block 3 is of epoch 0, not 1/,
    ],
    [
      'a view that does not grow',
      links.with(
        3,
        certifiedBy(
          epoch1,
          sealed(
            {
              ...last.header,
              extraData: unsealedExtraData({
                epoch: asEpoch(1),
                view: readVanity(links[2]!.header.extraData).view,
                ms: 0,
              }),
            },
            links[2]!.header.miner,
          ),
        ),
      ),
      /HEADER_EPOCH: block 4 is of view/,
    ],
    [
      'another parent',
      links.with(3, certifiedBy(epoch1, reseal({ parentHash: toHash(new Uint8Array(32)) }, last.header.miner))),
      /HEADER_LINK/,
    ],
  ]
  for (const [title, altered, fault] of cases) {
    try {
      verify(altered)
      t.fail(title)
    } catch (error) {
      t.match(`${(error as CodedError).code}: ${(error as Error).message}`, fault, title)
    }
  }
})

import fc from 'fast-check'
import t from 'tap'
import { formCertificate, verifyCertificate, votesOf } from '../../src/consensus/certificate.js'
import type { Certificate, SealerSet, SignedVote, Vote } from '../../src/consensus/types.js'
import { conflicts, sameVote, votePreimage } from '../../src/consensus/vote.js'
import { asEpoch, asView, toHex, ZERO_HASH } from '../../src/core/bytes.js'
import { fakeHash } from '../../src/sim/hashing.js'
import { addressOf, Keys } from '../../src/sim/keys.js'

const keys = new Keys()
const set: SealerSet = {
  epoch: asEpoch(2),
  sealers: [1, 1, 1, 2].map((weight, index) => ({ address: addressOf(index), weight })),
}
const vote: Vote = { kind: 'notarize', epoch: asEpoch(2), view: asView(9), block: fakeHash('b') }

function signed(index: number, over: Vote = vote): SignedVote {
  return { ...over, signer: addressOf(index), signature: keys.sign(addressOf(index), over) }
}

function certificate(...indices: number[]): Certificate {
  return formCertificate(vote, new Map(indices.map((index) => [index, signed(index)])))
}

t.test('a quorum by weight verifies, in whatever order the votes came', async (t) => {
  const made = certificate(3, 0, 1)
  t.same(made.signers, [0, 1, 3])
  t.equal(verifyCertificate(set, made, keys.recover), null)
  t.same(votesOf(set, made), [signed(0), signed(1), signed(3)])
})

t.test('each fault has its code', async (t) => {
  const good = certificate(0, 1, 3)
  const code = (changed: Partial<Certificate>) => verifyCertificate(set, { ...good, ...changed }, keys.recover)?.code
  t.equal(code({ epoch: asEpoch(1) }), 'CERTIFICATE_EPOCH')
  t.equal(code({ signers: [0, 3, 3] }), 'CERTIFICATE_SIGNERS', 'a signer counts once')
  t.equal(code({ signers: [1, 0, 3] }), 'CERTIFICATE_SIGNERS', 'ascending')
  t.equal(code({ signers: [0, 1, 4] }), 'CERTIFICATE_SIGNERS', 'in the set')
  t.equal(code({ signatures: good.signatures.slice(1) }), 'CERTIFICATE_SIGNERS')
  t.equal(verifyCertificate(set, certificate(0, 1, 2), keys.recover)?.code, 'CERTIFICATE_WEIGHT', 'three of five')
  t.equal(code({ view: asView(10) }), 'CERTIFICATE_SIGNATURE')
  t.equal(code({ kind: 'finalize' }), 'CERTIFICATE_SIGNATURE')
  t.equal(code({ block: fakeHash('c') }), 'CERTIFICATE_SIGNATURE')
})

t.test('votes for other blocks are left out', async (t) => {
  const other = { ...vote, block: fakeHash('c') }
  const votes = new Map([
    [0, signed(0)],
    [1, signed(1, other)],
    [3, signed(3)],
  ])
  t.same(formCertificate(vote, votes).signers, [0, 3])
})

t.test('signed bytes are 106 and differ whenever anything differs', async (t) => {
  const context = { chainId: 7n, genesisHash: fakeHash('genesis') }
  const base = votePreimage(context, vote)
  t.equal(base.length, 106)
  t.equal(new TextDecoder().decode(base.subarray(0, 17)), 'concordat vote v1')
  const others = [
    votePreimage({ ...context, chainId: 8 }, vote),
    votePreimage({ ...context, genesisHash: ZERO_HASH }, vote),
    votePreimage(context, { ...vote, epoch: asEpoch(3) }),
    votePreimage(context, { ...vote, view: asView(10) }),
    votePreimage(context, { ...vote, kind: 'finalize' }),
    votePreimage(context, { ...vote, kind: 'nullify' }),
    votePreimage(context, { ...vote, block: ZERO_HASH }),
  ]
  t.equal(new Set([base, ...others].map(toHex)).size, 8)
})

t.test('R13: which votes of one sealer exclude each other', async (t) => {
  const other = signed(0, { ...vote, block: fakeHash('c') })
  const nullify = signed(0, { ...vote, kind: 'nullify', block: ZERO_HASH })
  const finalize = signed(0, { ...vote, kind: 'finalize' })
  t.ok(conflicts(signed(0), other))
  t.ok(conflicts(nullify, finalize))
  t.notOk(conflicts(signed(0), nullify), 'who notarized may give up')
  t.notOk(conflicts(signed(0), finalize))
  t.notOk(conflicts(signed(0), signed(1, other)))
  t.notOk(conflicts(signed(0), signed(0, { ...other, view: asView(10) })))
  t.ok(sameVote(vote, signed(3)))
})

t.test('no subset below a quorum verifies', async () => {
  fc.assert(
    fc.property(fc.subarray([0, 1, 2, 3], { minLength: 1 }), (indices) => {
      const weight = indices.reduce((sum, index) => sum + set.sealers[index]!.weight, 0)
      return (verifyCertificate(set, certificate(...indices), keys.recover) === null) === weight >= 4
    }),
  )
})

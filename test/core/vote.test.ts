/** Signed votes as evidence carries them. */
import fc from 'fast-check'
import t from 'tap'
import { asEpoch, asView, type Hash, toHex, ZERO_HASH } from '../../src/core/bytes.js'
import { type CarriedVote, contradict, decodeSignedVote, encodeSignedVote, type VoteKind } from '../../src/core/vote.js'

const word = (byte: number) => `0x${byte.toString(16).padStart(2, '0').repeat(32)}` as Hash
const voteOf = (kind: VoteKind, block = kind === 'nullify' ? ZERO_HASH : word(1)): CarriedVote => {
  return { kind, epoch: asEpoch(3), view: asView(0x0102), block, signature: new Uint8Array(65).fill(9) }
}

t.test('layout, and back', async (t) => {
  t.equal(
    toHex(encodeSignedVote(voteOf('finalize'))),
    `0x03${'0000000000000003'}${'0000000000000102'}${'01'.repeat(32)}${'09'.repeat(65)}`,
  )
  const anyVote = fc.record({
    kind: fc.constantFrom<VoteKind>('notarize', 'finalize'),
    epoch: fc.maxSafeNat().map(asEpoch),
    view: fc.maxSafeNat().map(asView),
    block: fc.integer({ min: 0, max: 255 }).map(word),
    signature: fc.uint8Array({ minLength: 65, maxLength: 65 }),
  })
  fc.assert(fc.property(anyVote, (vote) => t.same(decodeSignedVote(encodeSignedVote(vote)), vote)))
  t.same(decodeSignedVote(encodeSignedVote(voteOf('nullify'))), voteOf('nullify'))
})

t.test('what no vote is', async (t) => {
  const bytes = encodeSignedVote(voteOf('nullify'))
  const broken = (at: number, byte: number) => bytes.map((old, i) => (i === at ? byte : old))
  t.throws(() => decodeSignedVote(bytes.subarray(1)), { code: 'FIELD_LENGTH' })
  t.throws(() => decodeSignedVote(broken(0, 0)), { code: 'UNSUPPORTED' })
  t.throws(() => decodeSignedVote(broken(0, 4)), { code: 'UNSUPPORTED' })
  t.throws(() => decodeSignedVote(broken(20, 1)), { code: 'FIELD_RANGE' })
  t.throws(() => decodeSignedVote(broken(1, 0x20)), { code: 'FIELD_RANGE' })
  t.throws(() => decodeSignedVote(broken(9, 0x20)), { code: 'FIELD_RANGE' })
  t.throws(() => encodeSignedVote({ ...voteOf('nullify'), signature: new Uint8Array(64) }), { code: 'FIELD_LENGTH' })
})

t.test('R13: which votes contradict each other', async (t) => {
  const [notarize, nullify, finalize] = [voteOf('notarize'), voteOf('nullify'), voteOf('finalize')]
  t.ok(contradict(notarize, voteOf('notarize', word(2))))
  t.ok(contradict(nullify, finalize))
  t.notOk(contradict(notarize, notarize))
  t.notOk(contradict(notarize, nullify), 'who notarized may give up')
  t.notOk(contradict(notarize, finalize))
  t.notOk(contradict(finalize, { ...nullify, view: asView(4) }))
  t.notOk(contradict(finalize, { ...nullify, epoch: asEpoch(4) }))
})

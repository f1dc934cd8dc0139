/** What peers say about consensus: taken in when it is valid and new, a fault with a reason otherwise, never an exception. */
import fc from 'fast-check'
import t from 'tap'
import { encodeMessage } from '../../src/consensus/codec.js'
import type { Engine } from '../../src/consensus/engine.js'
import type { ConsensusMessage, SealedBlock, SignedVote } from '../../src/consensus/types.js'
import { encodeBlock } from '../../src/core/block.js'
import { asEpoch, asView, type Hash } from '../../src/core/bytes.js'
import { consensusFrameBytesMax } from '../../src/core/limits.js'
import { rlpEncode } from '../../src/core/rlp.js'
import { sealHeader } from '../../src/crypto/header.js'
import { Inbox } from '../../src/node/inbox.js'
import { sealedBlockReader } from '../../src/node/sealedBlock.js'
import {
  CHAIN_ID,
  certificateBy,
  engineOf,
  Parts,
  proposalOf,
  recoverVote,
  sealerKeys,
  sealers,
  signerOf,
  someone,
  transfer,
  voteBy,
} from './world.js'

const readBlock = sealedBlockReader(CHAIN_ID)
const other = `0x${'09'.repeat(32)}` as Hash

/** The inbox of the first sealer; views go round, so the second one leads view 1. */
class Bench {
  readonly engine: Engine = engineOf(0)
  readonly inbox = new Inbox({ readBlock, engine: this.engine, recoverVote })

  /** `message` from the sealer with this index. */
  hear(from: number, message: ConsensusMessage) {
    return this.inbox.accept(sealers[from]!, encodeMessage(message))
  }

  /** As `hear`; what is accepted goes into the core. */
  take(from: number, message: ConsensusMessage) {
    const verdict = this.hear(from, message)
    if (verdict.kind === 'accept')
      this.engine.step({ type: 'message', from: sealers[from]!, message: verdict.message }, 0)
    return verdict.kind
  }
}

/** A block of the second sealer in view 1, with two transactions. */
async function proposed(): Promise<SealedBlock> {
  const parts = await Parts.open({ index: 1 })
  for (const nonce of [0, 1]) parts.transactions.submit(transfer(nonce).raw)
  return parts.build(1)!.sealed
}

const voteMessage = (vote: SignedVote): ConsensusMessage => ({ type: 'vote', vote })
const rejected = (fault: RegExp) => ({ kind: 'reject', fault })

t.test('valid messages are accepted, once', async (t) => {
  const bench = new Bench()
  const block = await proposed()
  const proposal = proposalOf(block)
  const verdict = bench.hear(1, proposal)
  t.match(verdict, { kind: 'accept', message: { type: 'proposal', block: { hash: block.hash, height: 1, view: 1 } } })
  t.equal(bench.take(1, proposal), 'accept')
  t.equal(bench.take(1, proposal), 'ignore', 'known')
  const vote = voteMessage(voteBy(2, 'notarize', 1, block.hash))
  t.equal(bench.take(2, vote), 'accept')
  t.equal(bench.take(2, vote), 'ignore')
  t.equal(bench.take(3, vote), 'ignore', 'whoever passes it on')
  const certificate: ConsensusMessage = {
    type: 'certificate',
    certificate: certificateBy([0, 1, 2], 'nullify', 1),
  }
  t.equal(new Bench().take(2, certificate), 'accept')
  const late = new Bench()
  late.take(3, { type: 'certificate', certificate: certificateBy([1, 2, 3], 'notarize', 1, block.hash) })
  late.take(3, { type: 'certificate', certificate: certificateBy([1, 2, 3], 'finalize', 1, block.hash) })
  for (const message of [proposal, vote, certificate])
    t.equal(late.take(1, message), 'ignore', `${message.type} of a settled view`)
  t.equal(bench.take(2, { type: 'status', ...statusAt(3) }), 'accept')
  t.equal(bench.take(2, { type: 'requestBlock', hash: block.hash }), 'accept')
  t.equal(bench.take(2, { type: 'requestCertificates', from: asView(1), to: asView(2) }), 'accept')
})

function statusAt(view: number) {
  return { epoch: asEpoch(0), view: asView(view), finalView: asView(0), finalHeight: 0 as never }
}

t.test('forged votes', async (t) => {
  const bench = new Bench()
  const vote = voteBy(2, 'nullify', 1)
  const signature = vote.signature.slice()
  signature[40]! ^= 1
  const forgeries: [string, SignedVote][] = [
    ['altered signature', { ...vote, signature }],
    ["another's name", { ...vote, signer: sealers[3]! }],
    ['another view', { ...vote, view: asView(2) }],
    ['another kind', { ...vote, kind: 'finalize', block: other }],
    ['another chain', { ...vote, signature: signerOf(2, CHAIN_ID + 1)(vote) }],
    ['zeros', { ...vote, signature: new Uint8Array(65) }],
    ['parity 2', { ...vote, signature: vote.signature.with(64, 2) }],
  ]
  for (const [title, forged] of forgeries)
    t.match(bench.hear(2, voteMessage(forged)), rejected(/^VOTE_SIGNATURE: not signed by 0x/), title)
  t.equal(bench.hear(2, voteMessage({ ...vote, epoch: asEpoch(7) })).kind, 'ignore', 'an epoch far away')
  t.equal(bench.hear(2, voteMessage({ ...vote, signer: someone })).kind, 'ignore', 'of nobody who counts')
  t.equal(bench.hear(2, voteMessage(voteBy(2, 'nullify', 10_000))).kind, 'ignore', 'a view far away')
  t.match(
    bench.hear(2, voteMessage({ ...voteBy(2, 'nullify', 1, undefined, 1), view: asView(9) })),
    rejected(/VOTE_SIG/),
  )
  t.equal(bench.hear(2, voteMessage(voteBy(2, 'nullify', 1, undefined, 1))).kind, 'accept', 'the next epoch, early')
})

t.test('forged certificates', async (t) => {
  const bench = new Bench()
  const hear = (certificate: ReturnType<typeof certificateBy>) => bench.hear(2, { type: 'certificate', certificate })
  const good = certificateBy([0, 1, 2], 'nullify', 1)
  t.equal(hear(good).kind, 'accept')
  t.match(hear(certificateBy([0, 1], 'nullify', 1)), rejected(/^CERTIFICATE_WEIGHT: signers weigh 2, a quorum is 3/))
  t.match(hear({ ...good, signers: [0, 1, 1] }), rejected(/^CERTIFICATE_SIGNERS/), 'a signer twice')
  t.match(hear({ ...good, signers: [0, 1, 9] }), rejected(/^CERTIFICATE_SIGNERS/), 'a signer who is none')
  t.match(hear({ ...good, signers: [0, 1, 3] }), rejected(/^CERTIFICATE_SIGNATURE: signature 2 is not by sealer 3/))
  t.match(hear({ ...good, view: asView(2) }), rejected(/^CERTIFICATE_SIGNATURE/), 'of another view')
  t.match(hear({ ...good, kind: 'finalize', block: other }), rejected(/^CERTIFICATE_SIGNATURE/))
  t.equal(hear({ ...good, epoch: asEpoch(1) }).kind, 'ignore', 'its sealers are not known yet')
})

t.test('forged proposals', async (t) => {
  const block = await proposed()
  const good = proposalOf(block)
  const bench = new Bench()
  t.match(bench.hear(2, good), rejected(/^PROPOSAL_SENDER: by 0x/), 'passed on by another, who may have altered it')
  t.match(
    bench.hear(1, { ...good, vote: { ...good.vote, signature: voteBy(2, 'notarize', 1, block.hash).signature } }),
    rejected(/^VOTE_SIGNATURE/),
  )
  t.match(bench.hear(1, { ...good, vote: voteBy(1, 'notarize', 1, other) }), rejected(/^PROPOSAL_VOTE/))
  t.match(bench.hear(1, { ...good, vote: voteBy(1, 'finalize', 1, block.hash) }), rejected(/^PROPOSAL_VOTE/))
  const weak = certificateBy([1, 2], 'nullify', 1)
  t.match(bench.hear(1, { ...good, justification: [weak] }), rejected(/^CERTIFICATE_WEIGHT/))
  const known = { ...weak, view: asView(0) }
  t.equal(bench.hear(1, { ...good, justification: [known] }).kind, 'accept', 'what is settled is not looked at')
  const stranger = { ...good.vote, signer: someone }
  t.match(
    bench.inbox.accept(someone, encodeMessage({ ...good, vote: stranger })),
    rejected(/^PROPOSAL_SENDER: .* is not a sealer/),
  )
  t.equal(bench.hear(1, { ...good, vote: { ...good.vote, epoch: asEpoch(3) } }).kind, 'ignore')
})

t.test('blocks whose seal or body is not what it should be', async (t) => {
  const parts = await Parts.open({ index: 1 })
  for (const nonce of [0, 1]) parts.transactions.submit(transfer(nonce).raw)
  const { block, sealed } = parts.build(1)!
  const { header, transactions } = block
  const bench = new Bench()
  const withPayload = (payload: Uint8Array) => proposalOf({ ...sealed, payload })
  const sealedBy = (key: Uint8Array, chainId = CHAIN_ID) =>
    encodeBlock({ header: sealHeader(header, chainId, key), transactions })
  t.match(bench.hear(1, withPayload(sealedBy(sealerKeys[2]!))), rejected(/^MALFORMED: .*is not sealed by its miner/))
  t.match(
    bench.hear(1, withPayload(sealedBy(sealerKeys[1]!, 1))),
    rejected(/is not sealed by its miner/),
    'other chain',
  )
  const swapped = encodeBlock({ header, transactions: transactions.toReversed() })
  t.match(bench.hear(1, withPayload(swapped)), rejected(/^BODY_INVALID/), 'same hash, altered body')
  t.match(bench.hear(1, withPayload(encodeBlock({ header, transactions: [] }))), rejected(/^BODY_INVALID/))
  t.equal(bench.hear(1, withPayload(sealed.payload)).kind, 'accept')

  const lost = new Bench()
  t.equal(lost.hear(2, { type: 'block', block: sealed }).kind, 'ignore', 'not asked for')
  lost.take(3, { type: 'certificate', certificate: certificateBy([1, 2, 3], 'notarize', 1, sealed.hash) })
  t.match(
    lost.hear(2, { type: 'block', block: { ...sealed, payload: swapped } }),
    rejected(/^BODY_INVALID/),
    'the core would take the certified block itself for invalid and stop the node',
  )
  t.equal(lost.hear(2, { type: 'block', block: sealed }).kind, 'accept')
})

t.test('garbage is a fault and never an exception', async (t) => {
  const bench = new Bench()
  const frames: [string, Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['a string', Uint8Array.of(0x80)],
    ['an empty list', Uint8Array.of(0xc0)],
    ['an unknown type', rlpEncode([Uint8Array.of(99)])],
    ['a false length', Uint8Array.of(0xfb, 0xff, 0xff, 0xff, 0xff)],
    ['a vote that is none', rlpEncode([Uint8Array.of(1), []])],
    ['too large', rlpEncode([Uint8Array.of(5), new Uint8Array(consensusFrameBytesMax)])],
    ['deeply nested', nested(200)],
  ]
  for (const [title, frame] of frames) t.match(bench.inbox.accept(sealers[1]!, frame), rejected(/^MALFORMED: /), title)

  const block = await proposed()
  const messages: ConsensusMessage[] = [
    proposalOf(block, { justification: [certificateBy([0, 1, 2], 'nullify', 1)] }),
    voteMessage(voteBy(1, 'notarize', 1, block.hash)),
    { type: 'certificate', certificate: certificateBy([1, 2, 3], 'notarize', 1, block.hash) },
    { type: 'block', block },
  ]
  for (const message of messages) {
    const frame = encodeMessage(message)
    const verdicts = { accept: 0, ignore: 0, reject: 0 }
    fc.assert(
      fc.property(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, flip, cut) => {
        const bytes = cut ? frame.slice(0, at) : frame.with(at, frame[at]! ^ flip)
        verdicts[new Bench().inbox.accept(sealers[1]!, bytes).kind]++
      }),
      { numRuns: 300 },
    )
    t.ok(verdicts.reject > 150, `${message.type}: most mutations are faults (${JSON.stringify(verdicts)})`)
    // parentView is signed by nobody: the core refuses what does not fit.
    if (message.type === 'proposal') t.ok(verdicts.accept < 5)
    else t.equal(verdicts.accept, 0, `${message.type}: none is taken`)
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => bench.inbox.accept(sealers[1]!, bytes).kind === 'reject'),
    { numRuns: 500 },
  )
})

function nested(depth: number): Uint8Array {
  let item: Uint8Array = Uint8Array.of(0xc0)
  for (let i = 0; i < depth; i++) {
    const header = item.length < 56 ? [0xc0 + item.length] : [0xf8, item.length]
    if (item.length > 250) break
    item = Uint8Array.from([...header, ...item])
  }
  return item
}

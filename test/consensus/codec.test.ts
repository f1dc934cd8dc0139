import fc from 'fast-check'
import t from 'tap'
import {
  decodeCertificate,
  decodeJournalRecord,
  decodeMessage,
  encodeCertificate,
  encodeJournalRecord,
  encodeMessage,
} from '../../src/consensus/codec.js'
import type {
  Certificate,
  ConsensusMessage,
  JournalRecord,
  SealedBlock,
  SignedVote,
} from '../../src/consensus/types.js'
import { asEpoch, asHeight, asView, equalBytes, ZERO_HASH } from '../../src/core/bytes.js'
import { CodedError } from '../../src/core/codedError.js'
import { justificationCertificatesMax, sealersMax } from '../../src/core/limits.js'
import { readSimBlock, SimBlock } from '../../src/sim/blocks.js'
import { fakeHash } from '../../src/sim/hashing.js'
import { addressOf, Keys } from '../../src/sim/keys.js'

const keys = new Keys()
/** What the core sees of a block, and nothing else. */
const plain = ({ hash, parent, height, epoch, view, leader, payload }: SealedBlock): SealedBlock => {
  return { hash, parent, height, epoch, view, leader, payload }
}
const readBlock = (payload: Uint8Array): SealedBlock => ({ ...plain(readSimBlock(keys, payload)), payload })
const roundTrip = (message: ConsensusMessage): ConsensusMessage => decodeMessage(encodeMessage(message), readBlock)

const sealed = new SimBlock(keys, {
  parent: fakeHash('parent'),
  height: 5,
  epoch: 1,
  view: 8,
  leader: addressOf(2),
  txs: [1, 300],
  timeMs: 0,
  root: fakeHash('root'),
  salt: 0,
})
const block = plain(sealed)
const signature = keys.seal(addressOf(1), 'x')
const vote: SignedVote = {
  kind: 'notarize',
  epoch: asEpoch(1),
  view: asView(8),
  block: block.hash,
  signer: addressOf(1),
  signature,
}
const nullify: SignedVote = { ...vote, kind: 'nullify', block: ZERO_HASH }

function certificate(signers: number, kind: Certificate['kind'] = 'nullify'): Certificate {
  return {
    kind,
    epoch: asEpoch(1),
    view: asView(2 ** 40),
    block: kind === 'nullify' ? ZERO_HASH : block.hash,
    signers: Array.from({ length: signers }, (_, i) => i),
    signatures: Array.from({ length: signers }, () => signature),
  }
}

const messages: ConsensusMessage[] = [
  { type: 'vote', vote },
  { type: 'vote', vote: nullify },
  { type: 'certificate', certificate: certificate(3, 'finalize') },
  { type: 'certificate', certificate: certificate(sealersMax) },
  { type: 'status', epoch: asEpoch(0), view: asView(1), finalView: asView(0), finalHeight: asHeight(0) },
  { type: 'requestBlock', hash: block.hash },
  { type: 'requestCertificates', from: asView(1), to: asView(70_000) },
  { type: 'block', block },
  { type: 'proposal', block, parentView: asView(6), justification: [certificate(3)], vote },
  {
    type: 'proposal',
    block,
    parentView: asView(6),
    justification: Array.from({ length: justificationCertificatesMax }, () => certificate(sealersMax)),
    vote,
  },
]

t.test('every message comes back as it was', async (t) => {
  for (const message of messages) t.strictSame(roundTrip(message), message, message.type)
})

t.test('journal records and certificates come back as they were', async (t) => {
  const records: JournalRecord[] = [
    { type: 'vote', vote },
    { type: 'certificate', certificate: certificate(3) },
    { type: 'block', block, parentView: asView(6), justification: [certificate(3)] },
  ]
  for (const record of records) t.strictSame(decodeJournalRecord(encodeJournalRecord(record), readBlock), record)
  t.strictSame(decodeCertificate(encodeCertificate(certificate(4))), certificate(4))
})

t.test('too much is refused', async (t) => {
  const many = { ...(messages[8] as Extract<ConsensusMessage, { type: 'proposal' }>) }
  const justification = Array.from({ length: justificationCertificatesMax + 1 }, () => certificate(1))
  t.throws(() => roundTrip({ ...many, justification }), { code: 'FIELD_COUNT', field: 'justification' })
  t.throws(() => roundTrip({ type: 'certificate', certificate: certificate(sealersMax + 1) }), {
    code: 'FIELD_COUNT',
    field: 'signers',
  })
  const short = { ...vote, signature: signature.subarray(1) }
  t.throws(() => roundTrip({ type: 'vote', vote: short }), { code: 'FIELD_LENGTH', field: 'signature' })
  t.throws(() => decodeMessage(new Uint8Array([0xc1, 0x63]), readBlock), { code: 'UNSUPPORTED' })
  t.throws(() => decodeMessage(new Uint8Array(4 * 1024 * 1024), readBlock), { code: 'TOO_LARGE' })
})

t.test('altered bytes decode to something that encodes to them, or fail with a coded error', async () => {
  const frames = messages.slice(0, 9).map(encodeMessage)
  const change = fc.tuple(fc.constantFrom(...frames), fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat({ max: 3 }))
  fc.assert(
    fc.property(change, ([frame, at, byte, cut]) => {
      const bytes = frame.slice(0, frame.length - cut)
      bytes[at % bytes.length] = byte
      try {
        return equalBytes(encodeMessage(decodeMessage(bytes, readBlock)), bytes)
      } catch (error) {
        return error instanceof CodedError
      }
    }),
    { numRuns: 5000 },
  )
})

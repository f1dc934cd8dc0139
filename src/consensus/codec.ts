/**
 * RLP of consensus messages, certificates and journal records; strict decoding: encode(decode(x)) == x, every list and
 * string bounded. Throws CodecError or RlpError. A block travels as its payload only: what the core must know of it is
 * derived by `readBlock`, so that a message cannot claim another hash, height or view than the payload has.
 */
import { asEpoch, asView, EMPTY_BYTES, fromHex, uintToBytes, ZERO_HASH } from '../core/bytes.js'
import { addressField, bytesField, CodecError, fixedField, hashField, listField, numberField } from '../core/codec.js'
import { blockBytesMax, consensusFrameBytesMax, justificationCertificatesMax, sealersMax } from '../core/limits.js'
import { type RlpItem, rlpDecode, rlpEncode } from '../core/rlp.js'
import type {
  Certificate,
  ConsensusMessage,
  JournalRecord,
  Proposal,
  SealedBlock,
  SignedVote,
  Status,
  Vote,
  VoteKind,
} from './types.js'

/** Reads hash, parent, height, epoch, view and leader out of a payload; throws on a malformed one. */
export type ReadBlock = (payload: Uint8Array) => SealedBlock

/** r 32, s 32, yParity 1. */
const signatureBytes = 65
const depthMax = 6
/** A proposal has the most: each certificate two lists with an entry for each signer. */
const itemsMax = 64 + justificationCertificatesMax * (8 + 2 * sealersMax)

const KINDS: readonly VoteKind[] = ['notarize', 'nullify', 'finalize']
const TYPES: readonly ConsensusMessage['type'][] = [
  'proposal',
  'vote',
  'certificate',
  'status',
  'requestBlock',
  'block',
  'requestCertificates',
]
const RECORDS: readonly JournalRecord['type'][] = ['vote', 'block', 'certificate', 'abstain']

export function encodeMessage(message: ConsensusMessage): Uint8Array {
  return rlpEncode([uintToBytes(TYPES.indexOf(message.type)), ...messageFields(message)])
}

export function decodeMessage(bytes: Uint8Array, readBlock: ReadBlock): ConsensusMessage {
  const [tag, ...fields] = decodeList(bytes, 'message')
  const type = TYPES[numberField(tag, 'message type', 255)]
  switch (type) {
    case 'proposal':
      return readProposal(exactly(fields, 4, type), readBlock)
    case 'vote':
      return { type, vote: readVote(exactly(fields, 1, type)[0]) }
    case 'certificate':
      return { type, certificate: readCertificate(exactly(fields, 1, type)[0]) }
    case 'status':
      return readStatus(exactly(fields, 4, type))
    case 'requestBlock':
      return { type, hash: hashField(exactly(fields, 1, type)[0], 'hash') }
    case 'block':
      return { type, block: readBlockField(exactly(fields, 1, type)[0], readBlock) }
    case 'requestCertificates':
      return { type, from: viewField(exactly(fields, 2, type)[0], 'from'), to: viewField(fields[1], 'to') }
    default:
      throw new CodecError('UNSUPPORTED', 'message type', 'is not known to this version')
  }
}

export function encodeJournalRecord(record: JournalRecord): Uint8Array {
  return rlpEncode([uintToBytes(RECORDS.indexOf(record.type)), ...recordFields(record)])
}

export function decodeJournalRecord(bytes: Uint8Array, readBlock: ReadBlock): JournalRecord {
  const [tag, ...fields] = decodeList(bytes, 'record')
  const type = RECORDS[numberField(tag, 'record type', 255)]
  switch (type) {
    case 'vote':
      return { type, vote: readVote(exactly(fields, 1, type)[0]) }
    case 'certificate':
      return { type, certificate: readCertificate(exactly(fields, 1, type)[0]) }
    case 'block':
      exactly(fields, 3, type)
      return {
        type,
        block: readBlockField(fields[0], readBlock),
        parentView: viewField(fields[1], 'parentView'),
        justification: readJustification(fields[2]),
      }
    case 'abstain':
      return readAbstention(exactly(fields, 3, type))
    default:
      throw new CodecError('UNSUPPORTED', 'record type', 'is not known to this version')
  }
}

export function encodeCertificate(certificate: Certificate): Uint8Array {
  return rlpEncode(certificateItem(certificate))
}

export function decodeCertificate(bytes: Uint8Array): Certificate {
  return readCertificate(decodeList(bytes, 'certificate'))
}

function messageFields(message: ConsensusMessage): RlpItem[] {
  switch (message.type) {
    case 'proposal': {
      const { block, parentView, justification, vote } = message
      return [block.payload, uintToBytes(parentView), justification.map(certificateItem), voteItem(vote)]
    }
    case 'vote':
      return [voteItem(message.vote)]
    case 'certificate':
      return [certificateItem(message.certificate)]
    case 'status':
      return [message.epoch, message.view, message.finalView, message.finalHeight].map(uintToBytes)
    case 'requestBlock':
      return [fromHex(message.hash)]
    case 'block':
      return [message.block.payload]
    case 'requestCertificates':
      return [uintToBytes(message.from), uintToBytes(message.to)]
  }
}

function recordFields(record: JournalRecord): RlpItem[] {
  if (record.type === 'vote') return [voteItem(record.vote)]
  if (record.type === 'certificate') return [certificateItem(record.certificate)]
  if (record.type === 'abstain')
    return [
      uintToBytes(record.epoch),
      record.below === null ? [] : [uintToBytes(record.below)],
      uintToBytes(record.first ? 1 : 0),
    ]
  return [record.block.payload, uintToBytes(record.parentView), record.justification.map(certificateItem)]
}

/** kind, epoch, view, block (empty for nullify). */
function voteFields(vote: Vote): RlpItem[] {
  const block = vote.kind === 'nullify' ? EMPTY_BYTES : fromHex(vote.block)
  return [uintToBytes(KINDS.indexOf(vote.kind)), uintToBytes(vote.epoch), uintToBytes(vote.view), block]
}

function voteItem(vote: SignedVote): RlpItem {
  return [...voteFields(vote), fromHex(vote.signer), vote.signature]
}

function certificateItem(certificate: Certificate): RlpItem {
  return [...voteFields(certificate), certificate.signers.map(uintToBytes), certificate.signatures]
}

function decodeList(bytes: Uint8Array, field: string): readonly RlpItem[] {
  if (bytes.length > consensusFrameBytesMax) {
    throw new CodecError('TOO_LARGE', field, `must have at most ${consensusFrameBytesMax} bytes, got ${bytes.length}`)
  }
  return listField(rlpDecode(bytes, { depthMax, itemsMax }), field, 1, 8)
}

function exactly(fields: readonly RlpItem[], count: number, field: string): readonly RlpItem[] {
  return listField(fields, `${field} fields`, count)
}

function readProposal(fields: readonly RlpItem[], readBlock: ReadBlock): Proposal {
  return {
    type: 'proposal',
    block: readBlockField(fields[0], readBlock),
    parentView: viewField(fields[1], 'parentView'),
    justification: readJustification(fields[2]),
    vote: readVote(fields[3]),
  }
}

function readStatus(fields: readonly RlpItem[]): Status {
  return {
    type: 'status',
    epoch: asEpoch(numberField(fields[0], 'epoch')),
    view: viewField(fields[1], 'view'),
    finalView: viewField(fields[2], 'finalView'),
    finalHeight: numberField(fields[3], 'finalHeight') as Status['finalHeight'],
  }
}

/** epoch, then a list with the view or none. */
function readAbstention(fields: readonly RlpItem[]): JournalRecord {
  const below = listField(fields[1], 'below', 0, 1)
  return {
    type: 'abstain',
    epoch: asEpoch(numberField(fields[0], 'epoch')),
    below: below.length === 0 ? null : viewField(below[0], 'below'),
    first: numberField(fields[2], 'first', 1) === 1,
  }
}

function readJustification(item: RlpItem | undefined): Certificate[] {
  return listField(item, 'justification', 0, justificationCertificatesMax).map(readCertificate)
}

function readBlockField(item: RlpItem | undefined, readBlock: ReadBlock): SealedBlock {
  return readBlock(bytesField(item, 'block', blockBytesMax))
}

function readVote(item: RlpItem | undefined): SignedVote {
  const fields = listField(item, 'vote', 6)
  return {
    ...readVoteFields(fields),
    signer: addressField(fields[4], 'signer'),
    signature: fixedField(fields[5], 'signature', signatureBytes),
  }
}

function readCertificate(item: RlpItem | undefined): Certificate {
  const fields = listField(item, 'certificate', 6)
  const signers = listField(fields[4], 'signers', 1, sealersMax)
  const signatures = listField(fields[5], 'signatures', signers.length)
  return {
    ...readVoteFields(fields),
    signers: signers.map((signer) => numberField(signer, 'signer index', sealersMax - 1)),
    signatures: signatures.map((signature) => fixedField(signature, 'signature', signatureBytes)),
  }
}

function readVoteFields(fields: readonly RlpItem[]): Vote {
  const kind = KINDS[numberField(fields[0], 'vote kind', 255)]
  if (!kind) throw new CodecError('UNSUPPORTED', 'vote kind', 'must be 0 notarize, 1 nullify or 2 finalize')
  return {
    kind,
    epoch: asEpoch(numberField(fields[1], 'epoch')),
    view: viewField(fields[2], 'view'),
    block: readVotedBlock(kind, fields[3]),
  }
}

function readVotedBlock(kind: VoteKind, item: RlpItem | undefined): Vote['block'] {
  if (kind !== 'nullify') return hashField(item, 'vote block')
  fixedField(item, 'block of a nullify vote', 0)
  return ZERO_HASH
}

function viewField(item: RlpItem | undefined, field: string): Vote['view'] {
  return asView(numberField(item, field))
}

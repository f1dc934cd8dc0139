/** What a node keeps about an envelope beside its bytes, as RLP under keys of fixed width. */
import { type Address, concatBytes, fromHex, type Hash, toAddress, toHash, uintToBytes } from '../../core/bytes.js'
import { addressField, fixedField, listField, numberField } from '../../core/codec.js'
import { rlpDecode, rlpEncode } from '../../core/rlp.js'
import { decodeSlip, encodeSlip, type SignedSlip } from './messages.js'

export interface EnvelopeId {
  /** Who signed for it. */
  readonly sender: Address
  readonly hash: Hash
}

/** An envelope on this node's disk. */
export interface HeldEnvelope extends EnvelopeId {
  readonly slip: SignedSlip
  /** Final height when it came. */
  readonly storedAt: number
  /** A final transaction refers to it. */
  readonly announced: boolean
  /** This node took it from the sender and brings it to the recipients. */
  readonly outgoing: boolean
  /** Signatures of the nodes that have it on disk, by recipient. */
  readonly receipts: ReadonlyMap<Address, Uint8Array>
}

export type DropReason = 'erased' | 'expired' | 'orphaned'

/** Of an envelope that was here: it is not taken again while it has not expired. */
export interface Tombstone extends EnvelopeId {
  readonly reason: DropReason
  readonly expiresAt: number
}

/** held and tombstones by id; owed: erasures that are done here and not confirmed on chain. */
export const TABLE = { held: 0x65, tombstone: 0x74, owed: 0x6f, meta: 0x6d } as const
export const SCANNED_KEY = Uint8Array.of(TABLE.meta, 1)
const REASONS: readonly DropReason[] = ['erased', 'expired', 'orphaned']

export const idText = ({ sender, hash }: EnvelopeId): string => `${sender.slice(2)}-${hash.slice(2)}`

export const recordKey = (table: number, { sender, hash }: EnvelopeId): Uint8Array =>
  concatBytes(Uint8Array.of(table), fromHex(sender), fromHex(hash))

export const idOfKey = (key: Uint8Array): EnvelopeId => ({
  sender: toAddress(key.subarray(1, 21)),
  hash: toHash(key.subarray(21)),
})

export function encodeHeld({ slip, storedAt, announced, outgoing, receipts }: HeldEnvelope): Uint8Array {
  const flags = uintToBytes((announced ? 1 : 0) + (outgoing ? 2 : 0))
  const signed = [...receipts].map(([recipient, signature]) => [fromHex(recipient), signature])
  return rlpEncode([encodeSlip(slip), uintToBytes(storedAt), flags, signed])
}

/** Throws RlpError or CodecError: then the index is damaged. */
export function decodeHeld(id: EnvelopeId, value: Uint8Array): HeldEnvelope {
  const [slip, storedAt, flags, signed] = listField(rlpDecode(value, { depthMax: 3 }), 'held', 4)
  const bits = numberField(flags, 'flags', 3)
  const receipts = listField(signed, 'receipts', 0, 64).map((entry) => {
    const [recipient, signature] = listField(entry, 'receipt', 2)
    return [addressField(recipient, 'recipient'), fixedField(signature, 'signature', 65)] as const
  })
  const times = { storedAt: numberField(storedAt, 'storedAt'), announced: (bits & 1) !== 0, outgoing: (bits & 2) !== 0 }
  return { ...id, slip: decodeSlip(slip), ...times, receipts: new Map(receipts) }
}

export const encodeTombstone = ({ reason, expiresAt }: Tombstone): Uint8Array =>
  rlpEncode([uintToBytes(REASONS.indexOf(reason)), uintToBytes(expiresAt)])

/** Throws RlpError or CodecError. */
export function decodeTombstone(id: EnvelopeId, value: Uint8Array): Tombstone {
  const [reason, expiresAt] = listField(rlpDecode(value, { depthMax: 1 }), 'tombstone', 2)
  return {
    ...id,
    reason: REASONS[numberField(reason, 'reason', REASONS.length - 1)]!,
    expiresAt: numberField(expiresAt, 'expiresAt'),
  }
}

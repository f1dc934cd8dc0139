/**
 * Messages on the envelopes channel, as RLP: [kind, to, from, ...]. `to` and `from` are nodes; a node that is neither passes
 * the frame on when it is connected to `to`, so that an observer reaches those that it has no connection to.
 */
import { type Address, fromHex, type Hash, uintToBytes } from '../../core/bytes.js'
import {
  addressField,
  bytesField,
  CodecError,
  fixedField,
  hashField,
  listField,
  numberField,
} from '../../core/codec.js'
import { envelopeBytesMax, envelopeRecipientsMax } from '../../core/limits.js'
import { type RlpItem, rlpDecode, rlpEncode } from '../../core/rlp.js'
import type { EnvelopeSlip } from '../../crypto/envelopeSlip.js'

interface Routed {
  readonly to: Address
  readonly from: Address
}

/** A slip with the sender's signature (65 bytes). */
export interface SignedSlip extends EnvelopeSlip {
  readonly signature: Uint8Array
}

export interface EnvelopeMessage extends Routed {
  readonly kind: 'envelope'
  readonly slip: SignedSlip
  readonly body: Uint8Array
}

/** receipt: a recipient's node has it on disk. claim: a recipient asks for it. */
export interface SignedMessage extends Routed {
  readonly kind: 'receipt' | 'claim'
  readonly sender: Address
  readonly hash: Hash
  readonly signature: Uint8Array
}

export type DeliveryMessage = EnvelopeMessage | SignedMessage

const KINDS = ['envelope', 'receipt', 'claim'] as const
const SIGNATURE_BYTES = 65

export function encodeDeliveryMessage(message: DeliveryMessage): Uint8Array {
  const route = [uintToBytes(KINDS.indexOf(message.kind)), fromHex(message.to), fromHex(message.from)]
  if (message.kind === 'envelope') return rlpEncode([...route, encodeSlip(message.slip), message.body])
  return rlpEncode([...route, fromHex(message.sender), fromHex(message.hash), message.signature])
}

/** Throws RlpError or CodecError. */
export function decodeDeliveryMessage(frame: Uint8Array): DeliveryMessage {
  const items = listField(rlpDecode(frame, { depthMax: 3, itemsMax: 16 + envelopeRecipientsMax }), 'message', 5, 6)
  const kind = KINDS[numberField(items[0], 'kind', KINDS.length - 1)]!
  const route = { to: addressField(items[1], 'to'), from: addressField(items[2], 'from') }
  if (kind === 'envelope') {
    listField(items, 'message', 5)
    const body = bytesField(items[4], 'body', envelopeBytesMax)
    return { kind, ...route, slip: decodeSlip(items[3]), body }
  }
  const sender = addressField(items[3], 'sender')
  const hash = hashField(items[4], 'hash')
  return { kind, ...route, sender, hash, signature: fixedField(items[5], 'signature', SIGNATURE_BYTES) }
}

export function encodeSlip({ hash, lengthBytes, expiresAt, recipients, signature }: SignedSlip): RlpItem {
  const numbers = [uintToBytes(lengthBytes), uintToBytes(expiresAt)]
  return [fromHex(hash), ...numbers, recipients.map((recipient) => fromHex(recipient)), signature]
}

/** Throws CodecError. */
export function decodeSlip(item: RlpItem | undefined): SignedSlip {
  const [hash, length, expiry, recipients, signature] = listField(item, 'slip', 5)
  const accounts = listField(recipients, 'recipients', 1, envelopeRecipientsMax)
  const slip = {
    hash: hashField(hash, 'hash'),
    lengthBytes: numberField(length, 'length', envelopeBytesMax),
    expiresAt: numberField(expiry, 'expiresAt', 2 ** 48 - 1),
    recipients: accounts.map((account) => addressField(account, 'recipient')),
    signature: fixedField(signature, 'signature', SIGNATURE_BYTES),
  }
  if (new Set(slip.recipients).size === slip.recipients.length) return slip
  throw new CodecError('FIELD_RANGE', 'recipients', 'name a member twice')
}

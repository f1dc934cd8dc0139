/**
 * Records of a node's read log: who read what of the user portrait, without digests and values. Each is chained to the one
 * before it: hash = SHA-256(domain | hash of the record before | RLP of the record).
 */
import { createHash } from 'node:crypto'
import { type Address, fromHex, type Hash, toAddress, toHash, uintToBytes, utf8, ZERO_HASH } from '../core/bytes.js'
import { bytesField, fixedField, listField, numberField } from '../core/codec.js'
import { readRecordBytesMax } from '../core/limits.js'
import { rlpDecode, rlpEncode } from '../core/rlp.js'

export interface ReadRecord {
  /** From 1, without gaps. */
  readonly sequence: number
  /** In ms since 1970, by the node's clock. */
  readonly timeMs: number
  /** Last final block then. */
  readonly height: number
  /** Function that was called; `storage` for raw slots, `auditTrail` for a query of these records. */
  readonly call: string
  /** ZERO_HASH: none in particular. */
  readonly enterprise: Hash
  /** Empty: all, or none in particular. */
  readonly attributes: readonly Hash[]
  /** Who the caller says it is. Of `auditTrail`: who has proved to be it. */
  readonly reader: Address
  /** `loopback`, or the address from which it came. */
  readonly remote: string
  /** Of `auditTrail`: on which ground. */
  readonly note: string
}

/** What the first record is chained to. */
export const READ_LOG_START = ZERO_HASH

const DOMAIN = utf8('concordat read log v1')

export function encodeReadRecord(record: ReadRecord): Uint8Array {
  const { sequence, timeMs, height, call, enterprise, attributes, reader, remote, note } = record
  return rlpEncode([
    uintToBytes(sequence),
    uintToBytes(timeMs),
    uintToBytes(height),
    utf8(call),
    enterprise === ZERO_HASH ? new Uint8Array(0) : fromHex(enterprise),
    attributes.map((attribute) => fromHex(attribute)),
    fromHex(reader),
    utf8(remote),
    utf8(note),
  ])
}

const TEXT = new TextDecoder('utf-8', { fatal: true })
const ATTRIBUTES_MAX = 64

/** Throws RlpError, CodecError or TypeError. */
export function decodeReadRecord(bytes: Uint8Array): ReadRecord {
  const f = listField(rlpDecode(bytes, { depthMax: 2, itemsMax: 10 + ATTRIBUTES_MAX }), 'record', 9)
  const text = (at: number, title: string) => TEXT.decode(bytesField(f[at], title, readRecordBytesMax))
  const enterprise = bytesField(f[4], 'record.enterprise', 32)
  return {
    sequence: numberField(f[0], 'record.sequence', Number.MAX_SAFE_INTEGER),
    timeMs: numberField(f[1], 'record.timeMs', Number.MAX_SAFE_INTEGER),
    height: numberField(f[2], 'record.height', Number.MAX_SAFE_INTEGER),
    call: text(3, 'record.call'),
    enterprise: enterprise.length === 0 ? ZERO_HASH : toHash(enterprise),
    attributes: listField(f[5], 'record.attributes', 0, ATTRIBUTES_MAX).map((item) =>
      toHash(fixedField(item, 'record.attribute', 32)),
    ),
    reader: toAddress(fixedField(f[6], 'record.reader', 20)),
    remote: text(7, 'record.remote'),
    note: text(8, 'record.note'),
  }
}

/** The hash under which a record stands in the chain. */
export function chainHash(previous: Hash, record: Uint8Array): Hash {
  return toHash(createHash('sha256').update(DOMAIN).update(fromHex(previous)).update(record).digest())
}

/**
 * Chain files, byte by byte (docs/chain-files.md). A header, then records with a running checksum: each starts from the one before,
 * so that a flipped byte, a record left out or one of another file are noticed where they stand.
 */
import { crc32 } from 'node:zlib'
import { asHeight, fromHex, type Hash, type Height, toHash } from '../../core/bytes.js'
import { CodedError } from '../../core/codedError.js'
import { blockBytesMax, certificateBytesMax, headerBytesMax } from '../../core/limits.js'
import { GENESIS_BYTES_MAX } from '../genesisFile.js'

export type ChainFileErrorCode =
  /** The file cannot be read, or not be created. */
  | 'UNREADABLE'
  /** Writing the file or the data folder failed, for example because the disk is full. */
  | 'WRITE_FAILED'
  /** It does not begin as a chain file, or is one of another kind or version. */
  | 'NOT_A_CHAIN_FILE'
  /** Bytes are missing, changed or out of order. */
  | 'DAMAGED'
  /** It is of another chain than the genesis that was given, or than the data folder. */
  | 'OTHER_CHAIN'
  /** It begins above what is there, or ends below what is wanted. */
  | 'GAP'
  /** A block, certificate, account or slot in it does not hold. */
  | 'INVALID'
  /** What is asked for is not there to be written to a file, or must not be removed. */
  | 'REFUSED'

/** Why a chain file is not taken; the message names the byte and the record. */
export class ChainFileError extends CodedError<ChainFileErrorCode> {}

export const KIND = { chain: 1, snapshot: 2 } as const
export type Kind = (typeof KIND)[keyof typeof KIND]

export interface FileHeader {
  readonly kind: Kind
  readonly chainId: number
  readonly genesisHash: Hash
  /** First and last block of a chain file; of a snapshot both are its block. */
  readonly first: Height
  readonly last: Height
}

/** What a record holds; the order in which they stand is in docs/chain-files.md. */
export const RECORD = {
  /** Text of the genesis file. */
  genesis: 1,
  /** A block that closed its epoch: [header, certificate]. */
  epoch: 2,
  /** [block, certificate]; the certificate is empty where a later one covers the block. */
  block: 3,
  /** Block of a snapshot: [block, certificate]. */
  head: 4,
  /** keccak256 is the code's key. */
  code: 5,
  /** address 20 | account RLP */
  account: 6,
  /** Slots of the account before: (slot 32 | word 32) each. */
  slots: 7,
  /** Number of records before it u48 | hash of the last block 32 */
  end: 8,
  /** Receipts of the block of a snapshot, as a list. */
  receipts: 9,
} as const
export type RecordType = (typeof RECORD)[keyof typeof RECORD]

/** Slots of one record. */
export const SLOTS_PER_RECORD_MAX = 1_024

const PAYLOAD_BYTES_MAX: Readonly<Record<RecordType, number>> = {
  [RECORD.genesis]: GENESIS_BYTES_MAX,
  [RECORD.epoch]: headerBytesMax + certificateBytesMax + 16,
  [RECORD.block]: blockBytesMax + certificateBytesMax + 16,
  [RECORD.head]: blockBytesMax + certificateBytesMax + 16,
  [RECORD.code]: 1024 * 1024,
  [RECORD.account]: 20 + 128,
  [RECORD.slots]: 64 * SLOTS_PER_RECORD_MAX,
  [RECORD.end]: 38,
  [RECORD.receipts]: 64 * 1024 * 1024,
}

/** Longest payload of this type; undefined for a type that there is not. */
export const payloadBytesMax = (type: number): number | undefined => PAYLOAD_BYTES_MAX[type as RecordType]

/** 'cdcf' */
const MAGIC = 0x63646366
const VERSION = 1
/** magic u32 | version u16 | kind u16 | chain id u64 | genesis hash 32 | first u64 | last u64 | crc32 u32 of all before */
export const HEADER_BYTES = 68
/** type u8 | payload length u32 */
export const RECORD_HEAD_BYTES = 5
/** crc32 u32 of head and payload, from the checksum before */
export const RECORD_TAIL_BYTES = 4

export function encodeFileHeader({ kind, chainId, genesisHash, first, last }: FileHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC)
  view.setUint16(4, VERSION)
  view.setUint16(6, kind)
  view.setBigUint64(8, BigInt(chainId))
  bytes.set(fromHex(genesisHash), 16)
  view.setBigUint64(48, BigInt(first))
  view.setBigUint64(56, BigInt(last))
  view.setUint32(64, crc32(bytes.subarray(0, 64)))
  return bytes
}

/** The header and the checksum with which the first record starts. Throws ChainFileError. */
export function decodeFileHeader(bytes: Uint8Array): { readonly header: FileHeader; readonly checksum: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  if (bytes.length < HEADER_BYTES || view.getUint32(0) !== MAGIC)
    throw new ChainFileError('NOT_A_CHAIN_FILE', 'the file does not begin as a chain file: name another one')
  if (view.getUint16(4) !== VERSION)
    throw new ChainFileError('NOT_A_CHAIN_FILE', `the file has version ${view.getUint16(4)}, this one reads ${VERSION}`)
  const checksum = crc32(bytes.subarray(0, 64))
  if (view.getUint32(64) !== checksum)
    throw new ChainFileError('DAMAGED', 'the header of the file (byte 0) is damaged: take another copy')
  const kind = view.getUint16(6)
  if (kind !== KIND.chain && kind !== KIND.snapshot)
    throw new ChainFileError('NOT_A_CHAIN_FILE', `the file is of kind ${kind}, which this version does not know`)
  const [chainId, first, last] = [view.getBigUint64(8), view.getBigUint64(48), view.getBigUint64(56)].map(Number)
  if (![chainId, first, last].every(Number.isSafeInteger) || first! > last!)
    throw new ChainFileError('DAMAGED', 'the header of the file (byte 0) says what no chain has: take another copy')
  const genesisHash = toHash(bytes.subarray(16, 48))
  const header = { kind, chainId: chainId!, genesisHash, first: asHeight(first!), last: asHeight(last!) } as const
  return { header, checksum }
}

/** Head, payload and tail in one; `checksum` is that of the record before. */
export function encodeRecord(
  type: RecordType,
  payload: Uint8Array,
  checksum: number,
): { readonly bytes: Uint8Array; readonly checksum: number } {
  const bytes = new Uint8Array(RECORD_HEAD_BYTES + payload.length + RECORD_TAIL_BYTES)
  const view = new DataView(bytes.buffer)
  bytes[0] = type
  view.setUint32(1, payload.length)
  bytes.set(payload, RECORD_HEAD_BYTES)
  const end = bytes.length - RECORD_TAIL_BYTES
  const next = crc32(bytes.subarray(0, end), checksum)
  view.setUint32(end, next)
  return { bytes, checksum: next }
}

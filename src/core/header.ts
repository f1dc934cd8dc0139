/** Block header: the London field list (EIP-1559), byte for byte. */
import { type Address, asHeight, fromHex, type Hash, type Height, uintToBytes } from './bytes.js'
import {
  addressField,
  bytesField,
  CodecError,
  fixedField,
  hashField,
  listField,
  numberField,
  uintField,
} from './codec.js'
import { extraDataBytesMax, headerBytesMax } from './limits.js'
import { type RlpItem, rlpDecode, rlpEncode } from './rlp.js'

export interface Header {
  readonly parentHash: Hash
  readonly ommersHash: Hash
  /** The sealer of the block. */
  readonly miner: Address
  readonly stateRoot: Hash
  readonly transactionsRoot: Hash
  readonly receiptsRoot: Hash
  /** 256 bytes. */
  readonly logsBloom: Uint8Array
  readonly difficulty: bigint
  readonly number: Height
  readonly gasLimit: bigint
  readonly gasUsed: bigint
  /** Seconds since 1970. */
  readonly timestamp: number
  /** At most extraDataBytesMax bytes; vanity and seal (core/seal.ts). */
  readonly extraData: Uint8Array
  readonly mixHash: Hash
  /** 8 bytes. */
  readonly nonce: Uint8Array
  /** In wei; 0 on this chain, undefined in headers from before London. */
  readonly baseFeePerGas: bigint | undefined
}

/** keccak256(rlp([])): the hash of an empty list of ommers, in every header of this chain. */
export const EMPTY_OMMERS_HASH = '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347' as Hash
/** keccak256(rlp('')): the root of an empty trie. */
export const EMPTY_TRIE_ROOT = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421' as Hash

const GAS_MAX = 2n ** 63n - 1n

/** Fields in RLP order. */
export function headerItems(header: Header): RlpItem[] {
  const items: RlpItem[] = [
    fromHex(header.parentHash),
    fromHex(header.ommersHash),
    fromHex(header.miner),
    fromHex(header.stateRoot),
    fromHex(header.transactionsRoot),
    fromHex(header.receiptsRoot),
    header.logsBloom,
    uintToBytes(header.difficulty),
    uintToBytes(header.number),
    uintToBytes(header.gasLimit),
    uintToBytes(header.gasUsed),
    uintToBytes(header.timestamp),
    header.extraData,
    fromHex(header.mixHash),
    header.nonce,
  ]
  if (header.baseFeePerGas !== undefined) items.push(uintToBytes(header.baseFeePerGas))
  return items
}

export function encodeHeader(header: Header): Uint8Array {
  return rlpEncode(headerItems(header))
}

/** Throws RlpError or CodecError. Byte fields are views into `bytes`. */
export function decodeHeader(bytes: Uint8Array): Header {
  if (bytes.length > headerBytesMax) {
    throw new CodecError('TOO_LARGE', 'header', `must have at most ${headerBytesMax} bytes, got ${bytes.length}`)
  }
  return headerFromItem(rlpDecode(bytes, { depthMax: 2, itemsMax: 32 }))
}

/** Throws CodecError. */
export function headerFromItem(item: RlpItem): Header {
  const f = listField(item, 'header', 15, 16)
  return {
    parentHash: hashField(f[0], 'header.parentHash'),
    ommersHash: hashField(f[1], 'header.ommersHash'),
    miner: addressField(f[2], 'header.miner'),
    stateRoot: hashField(f[3], 'header.stateRoot'),
    transactionsRoot: hashField(f[4], 'header.transactionsRoot'),
    receiptsRoot: hashField(f[5], 'header.receiptsRoot'),
    logsBloom: fixedField(f[6], 'header.logsBloom', 256),
    difficulty: uintField(f[7], 'header.difficulty'),
    number: asHeight(numberField(f[8], 'header.number')),
    gasLimit: gasField(f[9], 'header.gasLimit'),
    gasUsed: gasField(f[10], 'header.gasUsed'),
    timestamp: numberField(f[11], 'header.timestamp'),
    extraData: bytesField(f[12], 'header.extraData', extraDataBytesMax),
    mixHash: hashField(f[13], 'header.mixHash'),
    nonce: fixedField(f[14], 'header.nonce', 8),
    baseFeePerGas: f.length === 16 ? uintField(f[15], 'header.baseFeePerGas') : undefined,
  }
}

/** Gas fits 63 bits (geth params.MaxGasLimit). */
function gasField(item: RlpItem | undefined, field: string): bigint {
  const gas = uintField(item, field, 8)
  if (gas > GAS_MAX) throw new CodecError('FIELD_RANGE', field, 'must be below 2^63')
  return gas
}

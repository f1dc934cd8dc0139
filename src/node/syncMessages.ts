/**
 * Messages of range sync on the blocks channel, as RLP: [0, id, from, to] asks, [1, id, [[block, certificate]...]] answers. Kinds 2
 * and 3 are of receipts.
 */
import { asHeight, type Height, uintToBytes } from '../core/bytes.js'
import { bytesField, CodecError, listField, numberField } from '../core/codec.js'
import { blockBytesMax, certificateBytesMax } from '../core/limits.js'
import { RlpReader, rlpDecode, rlpEncode } from '../core/rlp.js'
import { SYNC_BLOCKS_MAX } from './limits.js'
import {
  decodeReceiptsMessage,
  encodeReceiptsMessage,
  RECEIPTS_KIND,
  type ReceiptsMessage,
} from './receiptsMessages.js'

export interface RangeRequest {
  readonly type: 'request'
  readonly id: number
  readonly from: Height
  /** Inclusive. */
  readonly to: Height
}

export interface SyncedBlock {
  /** RLP of the block. */
  readonly block: Uint8Array
  /** Encoded finality certificate; empty where a later block's certificate covers this one. */
  readonly certificate: Uint8Array
}

export interface RangeResponse {
  readonly type: 'response'
  readonly id: number
  /** Contiguous from the requested height; the last one carries a certificate. Empty when the peer has nothing. */
  readonly blocks: readonly SyncedBlock[]
}

export type SyncMessage = RangeRequest | RangeResponse | ReceiptsMessage

export function encodeSyncMessage(message: SyncMessage): Uint8Array {
  if (message.type !== 'request' && message.type !== 'response') return encodeReceiptsMessage(message)
  const id = uintToBytes(message.id)
  if (message.type === 'request')
    return rlpEncode([uintToBytes(0), id, uintToBytes(message.from), uintToBytes(message.to)])
  return rlpEncode([uintToBytes(1), id, message.blocks.map(({ block, certificate }) => [block, certificate])])
}

/** Throws RlpError or CodecError. */
export function decodeSyncMessage(frame: Uint8Array): SyncMessage {
  const kind = numberField(new RlpReader(frame).list().string(), 'sync.kind', RECEIPTS_KIND.response)
  if (kind >= RECEIPTS_KIND.request) return decodeReceiptsMessage(frame, kind)
  const items = listField(rlpDecode(frame, { depthMax: 3, itemsMax: 4 + 3 * SYNC_BLOCKS_MAX }), 'sync message', 3, 4)
  const id = numberField(items[1], 'sync.id')
  listField(items, 'sync message', kind === 0 ? 4 : 3)
  if (kind === 0) {
    const from = asHeight(numberField(items[2], 'sync.from'))
    const to = asHeight(numberField(items[3], 'sync.to'))
    if (from > to || from === 0) throw new CodecError('FIELD_RANGE', 'sync.from', 'must be from 1 up to sync.to')
    return { type: 'request', id, from, to }
  }
  const blocks = listField(items[2], 'sync.blocks', 0, SYNC_BLOCKS_MAX).map((item) => {
    const pair = listField(item, 'sync.blocks[]', 2)
    return {
      block: bytesField(pair[0], 'sync.block', blockBytesMax),
      certificate: bytesField(pair[1], 'sync.certificate', certificateBytesMax),
    }
  })
  return { type: 'response', id, blocks }
}

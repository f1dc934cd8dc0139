/**
 * Receipts of a block range on the blocks channel, as RLP: [2, id, version, from, to, index] asks, [3, id, version,
 * [[receipt...]...]] answers, a list a block. A later version is passed on unread, so that it is no fault.
 */
import { asHeight, type Height, uintToBytes } from '../core/bytes.js'
import { bytesField, CodecError, listField, numberField } from '../core/codec.js'
import { blocksFrameBytesMax } from '../core/limits.js'
import { type RlpItem, RlpReader, rlpDecode, rlpEncode } from '../core/rlp.js'
import { RECEIPTS_BYTES_MAX, RECEIPTS_COUNT_MAX, SYNC_BLOCKS_MAX } from './limits.js'

/** Of what is asked and answered here. */
export const RECEIPTS_VERSION = 1

export const RECEIPTS_KIND = { request: 2, response: 3 } as const

export interface ReceiptsRequest {
  readonly type: 'receipts'
  readonly id: number
  readonly from: Height
  /** Inclusive. */
  readonly to: Height
  /** Receipts of block `from` that the asker has already. */
  readonly index: number
}

export interface ReceiptsResponse {
  readonly type: 'receiptsResponse'
  readonly id: number
  /** Encoded receipts of contiguous blocks from the requested place; the last list may break off. Empty when the peer has none. */
  readonly blocks: readonly (readonly Uint8Array[])[]
}

/** Of another version. */
export interface ForeignReceipts {
  readonly type: 'foreignRequest' | 'foreignResponse'
  readonly id: number
  readonly frame: Uint8Array
}

export type ReceiptsMessage = ReceiptsRequest | ReceiptsResponse | ForeignReceipts

export function encodeReceiptsMessage(message: ReceiptsMessage): Uint8Array {
  if ('frame' in message) return message.frame
  const id = uintToBytes(message.id)
  const version = uintToBytes(RECEIPTS_VERSION)
  if (message.type === 'receiptsResponse')
    return rlpEncode([uintToBytes(RECEIPTS_KIND.response), id, version, message.blocks])
  const { from, to, index } = message
  return rlpEncode([
    uintToBytes(RECEIPTS_KIND.request),
    id,
    version,
    uintToBytes(from),
    uintToBytes(to),
    uintToBytes(index),
  ])
}

/** Throws RlpError or CodecError. */
export function decodeReceiptsMessage(frame: Uint8Array, kind: number): ReceiptsMessage {
  const items = rlpDecode(frame, { depthMax: 3, itemsMax: 8 + SYNC_BLOCKS_MAX + RECEIPTS_COUNT_MAX }) as RlpItem[]
  const id = numberField(items[1], 'receipts.id')
  if (numberField(items[2], 'receipts.version') !== RECEIPTS_VERSION)
    return { type: kind === RECEIPTS_KIND.request ? 'foreignRequest' : 'foreignResponse', id, frame }
  if (kind === RECEIPTS_KIND.request) return decodeRequest(items, id)
  listField(items, 'receipts message', 4)
  const blocks = listField(items[3], 'receipts.blocks', 0, SYNC_BLOCKS_MAX).map((block) =>
    listField(block, 'receipts.blocks[]', 0, RECEIPTS_COUNT_MAX).map((receipt) =>
      bytesField(receipt, 'receipt', blocksFrameBytesMax),
    ),
  )
  return { type: 'receiptsResponse', id, blocks }
}

function decodeRequest(items: readonly RlpItem[], id: number): ReceiptsRequest {
  listField(items, 'receipts message', 6)
  const from = asHeight(numberField(items[3], 'receipts.from'))
  const to = asHeight(numberField(items[4], 'receipts.to'))
  const index = numberField(items[5], 'receipts.index')
  if (from > to || from === 0) throw new CodecError('FIELD_RANGE', 'receipts.from', 'must be from 1 up to receipts.to')
  return { type: 'receipts', id, from, to, index }
}

/** What answers a request, out of the stored lists of receipts. One receipt above a frame's size cannot travel. */
export function receiptsAnswer(
  { id, from, to, index }: ReceiptsRequest,
  rawReceipts: (height: Height) => Uint8Array | undefined,
): ReceiptsResponse {
  const blocks: Uint8Array[][] = []
  let bytes = 0
  let count = 0
  let skip = index
  const isFull = (next: number) =>
    count >= RECEIPTS_COUNT_MAX || bytes + next > (bytes === 0 ? blocksFrameBytesMax - 1024 : RECEIPTS_BYTES_MAX)
  for (let height = from; height <= to && blocks.length < SYNC_BLOCKS_MAX; height = asHeight(height + 1)) {
    const record = rawReceipts(height)
    if (record === undefined) break
    const receipts: Uint8Array[] = []
    const list = new RlpReader(record).list()
    while (!list.done) {
      const receipt = list.string()
      if (skip-- > 0) continue
      if (isFull(receipt.length)) return { type: 'receiptsResponse', id, blocks: [...blocks, receipts] }
      receipts.push(receipt)
      bytes += receipt.length
      count++
    }
    skip = 0
    blocks.push(receipts)
  }
  return { type: 'receiptsResponse', id, blocks }
}

/** The records of one final block besides its state, and the head that points to it. */
import { fromHex, type Height } from '../../core/bytes.js'
import type { FinalBlock } from '../chainStore.js'
import { bodyRecord, headerRecord, receiptsRecord } from './blockRecords.js'
import {
  bodyKey,
  certificateKey,
  headerKey,
  headKey,
  heightOfHashKey,
  metaKey,
  receiptsKey,
  transactionKey,
  writeHeight,
} from './keys.js'
import type { WriteOperation } from './keyValueStore.js'

export function addBlock(final: Omit<FinalBlock, 'overlay'>, operations: WriteOperation[]): void {
  const { block, hash } = final
  addBlockRecords(final, operations)
  for (const [name, value] of Object.entries(final.meta ?? {}))
    operations.push({ type: 'put', key: metaKey(name), value })
  const pointer = new Uint8Array(38)
  writeHeight(pointer, 0, block.header.number)
  pointer.set(fromHex(hash), 6)
  operations.push({ type: 'put', key: headKey(), value: pointer })
}

/** Without the head: of a block below it. */
export function addBlockRecords(final: Omit<FinalBlock, 'overlay' | 'meta'>, operations: WriteOperation[]): void {
  const { block, hash, receipts, certificate } = final
  const height = block.header.number
  const put = (key: Uint8Array, value: Uint8Array): void => void operations.push({ type: 'put', key, value })
  put(headerKey(height), headerRecord(hash, block.header))
  put(bodyKey(height), bodyRecord(block))
  put(receiptsKey(height), receiptsRecord(receipts))
  put(certificateKey(height), certificate)
  put(heightOfHashKey(hash), locationRecord(height))
  block.transactions.forEach((tx, index) => {
    put(transactionKey(tx.hash), locationRecord(height, index))
  })
}

/** height u48, or height u48 | index u32. */
function locationRecord(height: Height, index?: number): Uint8Array {
  const record = new Uint8Array(index === undefined ? 6 : 10)
  writeHeight(record, 0, height)
  if (index !== undefined) new DataView(record.buffer).setUint32(6, index)
  return record
}

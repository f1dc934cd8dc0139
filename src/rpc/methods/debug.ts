/** debug_: raw consensus encodings, for verifiers that trust no JSON. */

import { encodeBlock } from '../../core/block.js'
import { toHex } from '../../core/bytes.js'
import { encodeHeader } from '../../core/header.js'
import { encodeReceipt } from '../../core/receipt.js'
import { readBlock } from '../blockRef.js'
import type { ChainApi, FinalBlock } from '../chainApi.js'
import { serverError } from '../errors.js'
import { type MethodEntries, type MethodNeeds, method } from '../method.js'
import type { Params } from '../params.js'
import { rawTransaction } from './ethTransactions.js'

export function debugMethods({ api }: MethodNeeds): MethodEntries {
  return [
    ['debug_getRawHeader', method(1, (p) => toHex(encodeHeader(need(api, p).block.header)))],
    ['debug_getRawBlock', method(1, (p) => toHex(encodeBlock(need(api, p).block)))],
    [
      'debug_getRawReceipts',
      method(1, (p) => (api.receipts(need(api, p).block.header.number) ?? []).map((r) => toHex(encodeReceipt(r)))),
    ],
    ['debug_getRawTransaction', method(1, (p) => rawTransaction(api, p) ?? '0x')],
  ]
}

function need(api: ChainApi, params: Params): FinalBlock {
  const final = readBlock(api, params, 0)
  if (!final) throw serverError('block not found')
  return final
}

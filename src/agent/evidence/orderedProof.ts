/** Nodes that prove single items of a block's tries: rlp(index) -> transaction or receipt. */
import { RLP } from '@ethereumjs/rlp'
import { Trie } from '@ethereumjs/trie'
import { fromHex, type Hex, toHex } from '../../core/bytes.js'
import type { RpcClient } from '../../rpc/client.js'
import { hexNumber } from './runs.js'

/** Of the transaction and its receipt. */
export async function placeNodes(client: RpcClient, block: number, index: number): Promise<readonly Hex[]> {
  const raw = await client.call('debug_getRawBlock', hexNumber(block))
  const receipts = await client.call('debug_getRawReceipts', hexNumber(block))
  const [, transactions] = RLP.decode(fromHex(raw)) as [unknown, (Uint8Array | Uint8Array[])[]]
  const items = transactions.map((item) => (item instanceof Uint8Array ? item : RLP.encode(item)))
  const receiptItems = receipts.map((receipt) => fromHex(receipt))
  return [...(await nodesOf(items, index)), ...(await nodesOf(receiptItems, index))]
}

async function nodesOf(items: readonly Uint8Array[], index: number): Promise<readonly Hex[]> {
  const trie = new Trie()
  for (const [i, item] of items.entries()) await trie.put(RLP.encode(i), item)
  return (await trie.createProof(RLP.encode(index))).map(toHex)
}

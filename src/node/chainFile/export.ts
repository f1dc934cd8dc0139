/** Writes final blocks with their certificates to a file, from whatever has them. */

import { decodeRawBlock } from '../../core/block.js'
import { asEpoch, asHeight, type Epoch, type Hash, type Height, utf8 } from '../../core/bytes.js'
import { encodeHeader, type Header } from '../../core/header.js'
import { rlpEncode } from '../../core/rlp.js'
import { readVanity } from '../../core/seal.js'
import { hashHeader } from '../../crypto/header.js'
import type { ChainStore } from '../../state/chainStore.js'
import { closingHeight } from '../finalChain.js'
import type { SyncedBlock } from '../syncMessages.js'
import { ChainFileError, KIND, RECORD } from './format.js'
import { ChainFileWriter } from './writer.js'

/** A node, or its data folder. */
export interface BlockSource {
  /** Height of the last final block. */
  head(): Promise<Height>
  header(height: Height): Promise<Header | undefined>
  /** With its own certificate, or none. Undefined where the block is not kept. */
  block(height: Height): Promise<SyncedBlock | undefined>
  certificate(height: Height): Promise<Uint8Array | undefined>
  /** The block that closed `epoch`, where that is on record: headers between need not be there then. */
  closing?(epoch: Epoch): Promise<Height | undefined>
}

export interface ExportPlan {
  readonly path: string
  /** Text of the genesis file, and what it says. */
  readonly genesis: { readonly text: string; readonly hash: Hash; readonly chainId: number }
  readonly from?: Height
  /** Default: the last block that has a certificate of its own. */
  readonly to?: Height
  readonly onProgress?: (progress: { readonly height: Height; readonly last: Height; readonly bytes: number }) => void
}

export interface Exported {
  readonly first: Height
  readonly last: Height
  readonly hash: Hash
  readonly bytes: number
}

/** Blocks asked for at a time: a node answers several as fast as one. */
const BLOCKS_AT_ONCE = 8

/** Throws ChainFileError. Nothing is left of a file that was not finished. */
export async function exportChain(source: BlockSource, plan: ExportPlan): Promise<Exported> {
  const { genesis, from: first = asHeight(1), onProgress } = plan
  const last = await lastCertified(source, plan.to)
  if (first < 1 || first > last)
    throw new ChainFileError('REFUSED', `there is no certified block from ${first} on: the last one is ${last}`)
  const writer = await ChainFileWriter.create(plan.path, {
    kind: KIND.chain,
    chainId: genesis.chainId,
    genesisHash: genesis.hash,
    first,
    last,
  })
  try {
    await writer.add(RECORD.genesis, utf8(genesis.text))
    await addEpochs(source, writer, first)
    let hash = genesis.hash
    for (let at = first; at <= last; at = asHeight(at + BLOCKS_AT_ONCE)) {
      for (const { block, certificate } of await blocksFrom(source, at, last)) {
        await writer.add(RECORD.block, rlpEncode([block, certificate]))
        hash = hashHeader(decodeRawBlock(block).header)
      }
      onProgress?.({ height: asHeight(Math.min(at + BLOCKS_AT_ONCE - 1, last)), last, bytes: writer.bytes })
    }
    await writer.finish(hash)
    return { first, last, hash, bytes: writer.bytes }
  } catch (error) {
    await writer.abandon()
    throw error
  }
}

/** Headers that closed the epochs before block `first`, so that the file proves itself from genesis on. */
export async function addEpochs(source: BlockSource, writer: ChainFileWriter, first: Height): Promise<void> {
  const epoch = await epochAt(source, first)
  let low = asHeight(1)
  for (let closed = 0; closed < epoch; closed++) {
    const closing =
      (await source.closing?.(asEpoch(closed))) ?? (await lastOfEpoch(source, asEpoch(closed), low, first))
    const [header, certificate] = [await source.header(closing), await source.certificate(closing)]
    if (header === undefined || certificate === undefined || certificate.length === 0) throw missing(closing)
    await writer.add(RECORD.epoch, rlpEncode([encodeHeader(header), certificate]))
    low = asHeight(closing + 1)
  }
}

/** A data folder as a source. */
export function storeSource(store: ChainStore): BlockSource {
  return {
    head: async () => store.head()?.height ?? asHeight(0),
    header: async (height) => store.headerByNumber(height),
    certificate: async (height) => store.certificate(height),
    closing: async (epoch) => closingHeight(store, epoch),
    block: async (height) => {
      const [block, certificate] = [store.rawBlock(height), store.certificate(height)]
      return block && certificate && { block, certificate }
    },
  }
}

/** The last block up to `wanted` that has a certificate of its own. */
async function lastCertified(source: BlockSource, wanted: Height | undefined): Promise<Height> {
  const head = await source.head()
  if (wanted !== undefined && wanted > head)
    throw new ChainFileError('REFUSED', `block ${wanted} is not final yet: the last one is ${head}`)
  for (let at = wanted ?? head; at > 0; at = asHeight(at - 1)) {
    if ((await source.certificate(at))?.length) return at
  }
  return asHeight(0)
}

async function blocksFrom(source: BlockSource, from: Height, last: Height): Promise<SyncedBlock[]> {
  const count = Math.min(BLOCKS_AT_ONCE, last - from + 1)
  const heights = Array.from({ length: count }, (_, i) => asHeight(from + i))
  const blocks = await Promise.all(heights.map((height) => source.block(height)))
  return blocks.map((block, i) => {
    if (block === undefined) throw missing(heights[i]!)
    return block
  })
}

/** The block that closed `epoch`: below it and `end` epochs only grow. */
async function lastOfEpoch(source: BlockSource, epoch: Epoch, from: Height, end: Height): Promise<Height> {
  let [low, high] = [from as number, end as number]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if ((await epochAt(source, asHeight(middle))) <= epoch) low = middle
    else high = middle
  }
  return asHeight(low)
}

async function epochAt(source: BlockSource, height: Height): Promise<Epoch> {
  const header = await source.header(height)
  if (header === undefined) throw missing(height)
  return readVanity(header.extraData).epoch
}

const missing = (height: Height): ChainFileError =>
  new ChainFileError('REFUSED', `block ${height} is not kept there any more, or not yet: ask another node`)

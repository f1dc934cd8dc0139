/** Reads what consensus knows of a block from its RLP and checks the seal, once for each block; and its body, once for each payload. */
import type { SealedBlock } from '../consensus/types.js'
import { decodeRawBlock, type RawBlock } from '../core/block.js'
import { CodedError } from '../core/codedError.js'
import type { Header } from '../core/header.js'
import { readVanity } from '../core/seal.js'
import { hashHeader, recoverSealer } from '../crypto/header.js'
import { orderedRoot } from '../state/orderedTrie.js'
import type { SealedHeader } from './headerChain.js'
import { LruMap } from './lru.js'

const SEALS_MAX = 256

/** Returns a reader that hashes a header; it throws CodedError for a seal that is not by the header's miner. */
export function sealedHeaderReader(chainId: number): (header: Header) => SealedHeader {
  const checked = new LruMap<string, true>(SEALS_MAX)
  return (header) => {
    const hash = hashHeader(header)
    if (checked.get(hash) === undefined) {
      if (recoverSealer(header, chainId) !== header.miner) {
        throw new CodedError('SEAL_INVALID', `block ${hash} is not sealed by its miner ${header.miner}`)
      }
      checked.set(hash, true)
    }
    return { hash, header }
  }
}

/** Returns a reader that throws CodedError for malformed blocks and for seals that are not by the block's miner. */
export function sealedBlockReader(chainId: number): (payload: Uint8Array) => SealedBlock {
  const readHeader = sealedHeaderReader(chainId)
  return (payload) => {
    const { hash, header } = readHeader(decodeRawBlock(payload).header)
    const { epoch, view } = readVanity(header.extraData)
    return { hash, parent: header.parentHash, height: header.number, epoch, view, leader: header.miner, payload }
  }
}

const bodies = new WeakMap<Uint8Array, RawBlock>()

/**
 * The block of a payload whose transactions are those that its header commits to. Throws CodedError BODY_INVALID otherwise:
 * the hash does not cover the body, so whoever passed the block on may have altered it, and the block itself may be good.
 */
export function readBody(payload: Uint8Array): RawBlock {
  const known = bodies.get(payload)
  if (known !== undefined) return known
  const raw = decodeRawBlock(payload)
  if (orderedRoot(raw.transactions) !== raw.header.transactionsRoot)
    throw new CodedError('BODY_INVALID', 'transactionsRoot does not match the transactions')
  bodies.set(payload, raw)
  return raw
}

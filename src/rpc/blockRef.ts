/** Block parameters: tags, numbers, hashes and EIP-1898 objects. Only final blocks exist, so four of the tags are one. */
import { asHeight, type Hash, type Height } from '../core/bytes.js'
import type { ChainApi, ChainState, FinalBlock } from './chainApi.js'
import { invalidArgument, prunedHistory, type RpcError, serverError } from './errors.js'
import { asFixed, asQuantity, isAbsent, type Params, typeName } from './params.js'

const HASH_HEX_LENGTH = 66

/** Height that argument `index` names; undefined when no such final block exists here. Absent means latest. */
export function readHeight(api: ChainApi, params: Params, index: number): Height | undefined {
  const value = params[index]
  if (isAbsent(value)) return api.head().header.number
  if (typeof value === 'string') return heightOf(api, value, index)
  if (typeof value !== 'object')
    throw invalidArgument(index, `expected a block number, tag or hash, got ${typeName(value)}`)
  const { blockNumber, blockHash } = value as { blockNumber?: unknown; blockHash?: unknown }
  if (!isAbsent(blockNumber) && !isAbsent(blockHash)) {
    throw invalidArgument(index, 'cannot specify both BlockHash and BlockNumber, choose one or the other')
  }
  if (!isAbsent(blockHash)) {
    return api.heightOf(asFixed(blockHash, 32, (reason) => invalidArgument(index, reason)) as Hash)
  }
  if (typeof blockNumber !== 'string') throw invalidArgument(index, 'expected blockNumber or blockHash')
  return heightOf(api, blockNumber, index)
}

function heightOf(api: ChainApi, text: string, index: number): Height | undefined {
  switch (text) {
    case 'latest':
    case 'safe':
    case 'finalized':
    case 'pending':
      return api.head().header.number
    case 'earliest':
      return asHeight(0)
  }
  const fault = (reason: string) => invalidArgument(index, reason)
  if (text.length === HASH_HEX_LENGTH) return api.heightOf(asFixed(text, 32, fault) as Hash)
  const number = asQuantity(text, 64, fault)
  return number <= BigInt(api.head().header.number) ? asHeight(Number(number)) : undefined
}

/** The named block; undefined when it is not final yet. Throws 4444 when it is not kept any more. */
export function readBlock(api: ChainApi, params: Params, index: number): FinalBlock | undefined {
  const height = readHeight(api, params, index)
  if (height === undefined) return undefined
  return api.blockByNumber(height) ?? notKept(api, height)
}

/** Throws 4444 for a block that is final and not kept. */
export function notKept(api: ChainApi, height: Height | undefined): undefined {
  if (height !== undefined && height > 0 && height < api.oldestBlock()) throw prunedHistory(height, api.oldestBlock())
  return undefined
}

/** State after the named block. Throws -32000 when the block is unknown or its state is not kept. */
export function readState(api: ChainApi, params: Params, index: number): ChainState {
  const height = readHeight(api, params, index)
  if (height === undefined) throw serverError('header not found')
  const state = api.state(height)
  if (state) return state
  throw stateNotKept(api, height)
}

/** -32000, in geth's words and with what to do. */
export function stateNotKept(api: ChainApi, height: number): RpcError {
  const latest = api.head().header.number
  const kept = `this node keeps those of blocks ${api.oldestState()} to ${latest} (state.recentBlocks, state.archive)`
  return serverError(`missing trie node: state of block ${height} is not kept, ${kept}`)
}

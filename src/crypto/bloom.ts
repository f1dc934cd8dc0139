/** Logs bloom of 2048 bits (yellow paper, 4.4.3): three bits for each log's address and topics. */
import { assert } from '../core/assert.js'
import { fromHex, type Hex } from '../core/bytes.js'
import type { Log } from '../core/receipt.js'
import { keccak256 } from './keccak.js'

export const bloomBytes = 256

/** Bit numbers of addresses and topics seen lately: event signatures and contract addresses come back all the time. */
const known = new Map<Hex, readonly [number, number, number]>()
/** Entries of `known`, about 100 bytes each. */
const knownMax = 4096

/** Bloom of one transaction's logs. */
export function logsBloom(logs: readonly Log[]): Uint8Array {
  const bloom = new Uint8Array(bloomBytes)
  for (const log of logs) {
    addToBloom(bloom, log.address)
    for (const topic of log.topics) addToBloom(bloom, topic)
  }
  return bloom
}

/** Sets the bits of an address or topic. */
export function addToBloom(bloom: Uint8Array, value: Hex): void {
  for (const bit of bitsOf(value)) bloom[255 - (bit >> 3)]! |= 1 << (bit & 7)
}

/** False: no log with this address or topic is there. True: perhaps one is. */
export function bloomMayHold(bloom: Uint8Array, value: Hex): boolean {
  return bitsOf(value).every((bit) => (bloom[255 - (bit >> 3)]! & (1 << (bit & 7))) !== 0)
}

/** Sets in `into` every bit of `from`. */
export function mergeBloom(into: Uint8Array, from: Uint8Array): void {
  assert(into.length === bloomBytes && from.length === bloomBytes, 'a bloom has 256 bytes')
  for (let i = 0; i < bloomBytes; i++) into[i]! |= from[i]!
}

function bitsOf(value: Hex): readonly [number, number, number] {
  const seen = known.get(value)
  if (seen !== undefined) return seen
  const digest = keccak256(fromHex(value))
  const bit = (at: number): number => ((digest[at]! << 8) | digest[at + 1]!) & 2047
  const bits = [bit(0), bit(2), bit(4)] as const
  if (known.size >= knownMax) known.clear()
  known.set(value, bits)
  return bits
}

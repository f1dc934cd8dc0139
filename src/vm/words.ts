/** Words of 32 bytes as lower-case hex, as the state and the ABI keep them. */
import type { Address, Hash } from '../core/bytes.js'

const ZEROS = '0'.repeat(64)
const WORD_MASK = 2n ** 256n - 1n

export const numberWord = (value: number): Hash => `0x${value.toString(16).padStart(64, '0')}` as Hash
export const bigintWord = (value: bigint): Hash => `0x${(value & WORD_MASK).toString(16).padStart(64, '0')}` as Hash
export const addressWord = (address: Address): Hash => `0x${ZEROS.slice(0, 24)}${address.slice(2)}` as Hash
/** Of a word below 2^48, as counters, lengths and ids are. */
export const wordNumber = (word: Hash): number => Number.parseInt(word.slice(54), 16)
export const wordBigint = (word: Hash): bigint => BigInt(word)
export const wordSigned = (word: Hash): bigint => BigInt.asIntN(256, BigInt(word))
export const wordAddress = (word: Hash): Address => `0x${word.slice(26)}` as Address

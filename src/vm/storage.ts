/**
 * Contract storage in Solidity's layout (Solidity documentation, "Layout of State Variables in Storage"), so that standard
 * tools compute the same slots. Words and slots are lower-case hex, as the state keeps them.
 */
import { assert } from '../core/assert.js'
import { type Address, type Hash, toHex, ZERO_HASH } from '../core/bytes.js'
import type { ContractHost } from './contract.js'
import { GAS_KECCAK, GAS_KECCAK_WORD } from './gas.js'
import { bigintWord, numberWord, wordNumber } from './words.js'

export * from './words.js'

const ZEROS = '0'.repeat(64)

/** Slot `index` of the contract: its index-th state variable. */
export const slotAt = numberWord

const HEX_BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** The slot `by` words after `slot`; wraps at 2^256 as the EVM does. */
export function slotAfter(slot: Hash, by: number): Hash {
  const low = Number.parseInt(slot.slice(64), 16) + by
  return low < 256 ? ((slot.slice(0, 64) + HEX_BYTES[low]!) as Hash) : bigintWord(BigInt(slot) + BigInt(by))
}

/**
 * Slots computed lately, by base and key, in two generations, so that memory stays bounded; at most about 300 bytes an entry.
 * Only a cache of a pure function: gas is charged for a hit as for a miss.
 */
const generationMax = 16_384
type Slots = Map<Hash, Map<Hash | Address, Hash>>
let young: Slots = new Map()
let old: Slots = new Map()
let youngCount = 0
const scratch = Buffer.alloc(64)

/** Slot of `mapping[key]`, where the mapping stands at `base`. `key` is a word, or an address. */
export function mappingSlot(host: ContractHost, base: Hash, key: Hash | Address): Hash {
  const known = young.get(base)?.get(key) ?? old.get(base)?.get(key)
  if (known === undefined) return remember(base, key, newMappingSlot(host, base, key))
  host.charge(GAS_KECCAK + 2 * GAS_KECCAK_WORD)
  return known
}

/** As mappingSlot, for keys that are seldom seen twice, such as ids. */
export function newMappingSlot(host: ContractHost, base: Hash, key: Hash | Address): Hash {
  if (key.length === 66) scratch.write(key.slice(2), 0, 'hex')
  else scratch.fill(0, 0, 12).write(key.slice(2), 12, 'hex')
  scratch.write(base.slice(2), 32, 'hex')
  return toHex(host.keccak(scratch)) as Hash
}

function remember(base: Hash, key: Hash | Address, slot: Hash): Hash {
  if (youngCount++ >= generationMax) {
    old = young
    young = new Map()
    youngCount = 1
  }
  const slots = young.get(base)
  if (slots === undefined) young.set(base, new Map([[key, slot]]))
  else slots.set(key, slot)
  return slot
}

/** Hashes of word lists seen lately; the lists of attributes in use are few. At most 64 words, 5 KiB, an entry. */
const wordListsMax = 1_024
const wordLists = new Map<string, Hash>()

/** keccak256 of the words one after another (abi.encodePacked of a bytes32[]). */
export function hashWords(host: ContractHost, words: readonly Hash[]): Hash {
  const key = words.join('')
  const known = wordLists.get(key)
  if (known !== undefined) {
    host.charge(GAS_KECCAK + GAS_KECCAK_WORD * words.length)
    return known
  }
  const hash = toHex(host.keccak(Buffer.from(key.replaceAll('0x', ''), 'hex'))) as Hash
  if (wordLists.size >= wordListsMax) wordLists.clear()
  wordLists.set(key, hash)
  return hash
}

/** Slot of the first item of the dynamic array (or long bytes) whose length stands at `base`. */
export function arraySlot(host: ContractHost, base: Hash): Hash {
  scratch.write(base.slice(2), 0, 'hex')
  return toHex(host.keccak(scratch.subarray(0, 32))) as Hash
}

/** Types of packed fields, with their bytes: integers of up to 48 bits are numbers, larger ones bigints. */
const FIELD_BYTES = {
  bool: 1,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint48: 6,
  uint64: 8,
  uint128: 16,
  address: 20,
} as const
type FieldType = keyof typeof FIELD_BYTES
type FieldValue<T extends FieldType> = T extends 'bool'
  ? boolean
  : T extends 'address'
    ? Address
    : T extends 'uint64' | 'uint128'
      ? bigint
      : number

export type Packed<F extends Readonly<Record<string, FieldType>>> = { readonly [K in keyof F]: FieldValue<F[K]> }

export interface PackedWord<F extends Readonly<Record<string, FieldType>>> {
  read(word: Hash): Packed<F>
  write(values: Packed<F>): Hash
}

interface PackedField {
  readonly name: string
  readonly type: FieldType
  readonly from: number
  readonly to: number
}

/** Struct that fits one word: the first field takes the lowest bytes. */
export function packed<const F extends Readonly<Record<string, FieldType>>>(fields: F): PackedWord<F> {
  let end = 66
  const places: PackedField[] = Object.entries(fields).map(([name, type]) => {
    const place = { name, type, from: end - 2 * FIELD_BYTES[type], to: end }
    end = place.from
    return place
  })
  assert(end >= 2, 'packed fields exceed one word')
  const padding = `0x${ZEROS.slice(0, end - 2)}`
  const highestFirst = [...places].reverse()
  return {
    read(word) {
      const values: Record<string, FieldValue<FieldType>> = {}
      for (const place of places) values[place.name] = fieldOf(word, place)
      return values as Packed<F>
    },
    write(values) {
      let word = padding
      for (const place of highestFirst) word += hexOf(values[place.name]!, place)
      return word as Hash
    },
  }
}

function fieldOf(word: Hash, { type, from, to }: PackedField): FieldValue<FieldType> {
  const hex = word.slice(from, to)
  if (type === 'address') return `0x${hex}` as Address
  if (type === 'bool') return hex !== '00'
  return type === 'uint64' || type === 'uint128' ? BigInt(`0x${hex}`) : Number.parseInt(hex, 16)
}

function hexOf(value: FieldValue<FieldType>, { name, type, from, to }: PackedField): string {
  if (type === 'address') return (value as string).slice(2)
  const hex = (typeof value === 'boolean' ? Number(value) : value).toString(16)
  assert(hex.length <= to - from && !hex.startsWith('-'), `${name} does not fit ${type}`)
  return hex.padStart(to - from, '0')
}

/** Text as Solidity stores `string`: up to 31 bytes in the slot itself, longer ones from keccak(slot) on. */
export function storeText(host: ContractHost, slot: Hash, text: string): void {
  const hex = Buffer.from(text, 'utf8').toString('hex')
  const length = hex.length / 2
  if (length < 32) {
    host.store(slot, `0x${hex.padEnd(62, '0')}${(length * 2).toString(16).padStart(2, '0')}` as Hash)
    return
  }
  host.store(slot, numberWord(length * 2 + 1))
  const first = arraySlot(host, slot)
  for (let i = 0; i * 64 < hex.length; i++) {
    host.store(slotAfter(first, i), `0x${hex.slice(i * 64, i * 64 + 64).padEnd(64, '0')}` as Hash)
  }
}

export function loadText(host: ContractHost, slot: Hash): string {
  const head = host.load(slot)
  const mark = Number.parseInt(head.slice(-2), 16)
  if (mark % 2 === 0) return Buffer.from(head.slice(2, 2 + mark), 'hex').toString('utf8')
  const length = (wordNumber(head) - 1) / 2
  const first = arraySlot(host, slot)
  let hex = ''
  for (let i = 0; i * 32 < length; i++) hex += host.load(slotAfter(first, i)).slice(2)
  return Buffer.from(hex.slice(0, 2 * length), 'hex').toString('utf8')
}

/** Length of the dynamic array at `slot`. */
export function arrayLength(host: ContractHost, slot: Hash): number {
  const word = host.load(slot)
  return word === ZERO_HASH ? 0 : wordNumber(word)
}

/** Appends a one-word item to the dynamic array at `slot`; returns its index. */
export function pushWord(host: ContractHost, slot: Hash, word: Hash): number {
  const length = arrayLength(host, slot)
  host.store(slotAfter(arraySlot(host, slot), length), word)
  host.store(slot, numberWord(length + 1))
  return length
}

/** Replaces the dynamic array of words at `slot`. */
export function storeWords(host: ContractHost, slot: Hash, words: readonly Hash[]): void {
  const before = arrayLength(host, slot)
  if (before === 0 && words.length === 0) return
  const first = arraySlot(host, slot)
  for (let i = 0; i < words.length; i++) host.store(slotAfter(first, i), words[i]!)
  for (let i = words.length; i < before; i++) host.store(slotAfter(first, i), ZERO_HASH)
  if (before !== words.length) host.store(slot, numberWord(words.length))
}

export function loadWords(host: ContractHost, slot: Hash): Hash[] {
  const length = arrayLength(host, slot)
  if (length === 0) return []
  const first = arraySlot(host, slot)
  const words: Hash[] = new Array(length)
  for (let i = 0; i < length; i++) words[i] = host.load(slotAfter(first, i))
  return words
}

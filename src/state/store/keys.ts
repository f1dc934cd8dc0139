/** Layout of the chain's store: one letter for the table, then the key in fixed-width big-endian parts. */
import { type Address, concatBytes, type Hash, type Height, utf8 } from '../../core/bytes.js'

/** Changed whenever what is stored under a key changes its form. */
export const LAYOUT_VERSION = 1

const TABLES = {
  layout: 'V',
  /** height u48 | hash */
  head: 'H',
  meta: 'M',
  /** height -> hash | header RLP */
  header: 'h',
  /** hash -> height u48 */
  height: 'i',
  /** height -> senders | transactions (store/blockRecords.ts) */
  body: 'b',
  /** height -> RLP list of encoded receipts */
  receipts: 'r',
  /** height -> finality certificate */
  certificate: 'c',
  /** transaction hash -> height u48 | index u32 */
  transaction: 't',
  /** address -> account RLP */
  account: 'A',
  /** address | slot -> word without leading zeros */
  slot: 'S',
  /** keccak256 -> code */
  code: 'C',
  /** path, a nibble a byte -> node of the account trie */
  accountNode: 'N',
  /** address | path -> node of that account's storage trie */
  storageNode: 'T',
  /** height -> number of parts of what the block replaced (history/diff.ts) */
  diff: 'D',
  /** height | part u32 -> keys and the values that were there before */
  diffPart: 'E',
  /** state key | segment u32 -> heights of the blocks that changed it (history/archiveIndex.ts) */
  changes: 'J',
} as const

const prefix = Object.fromEntries(
  Object.entries(TABLES).map(([table, letter]) => [table, letter.charCodeAt(0)]),
) as Record<keyof typeof TABLES, number>

export const layoutKey = (): Uint8Array => Uint8Array.of(prefix.layout)
export const headKey = (): Uint8Array => Uint8Array.of(prefix.head)
export const metaKey = (name: string): Uint8Array => concatBytes(Uint8Array.of(prefix.meta), utf8(name))

export const headerKey = (height: Height): Uint8Array => heightKey(prefix.header, height)
export const bodyKey = (height: Height): Uint8Array => heightKey(prefix.body, height)
export const receiptsKey = (height: Height): Uint8Array => heightKey(prefix.receipts, height)
export const certificateKey = (height: Height): Uint8Array => heightKey(prefix.certificate, height)

export const heightOfHashKey = (hash: Hash): Uint8Array => hexKey(prefix.height, hash)
export const transactionKey = (hash: Hash): Uint8Array => hexKey(prefix.transaction, hash)
export const accountKey = (address: Address): Uint8Array => hexKey(prefix.account, address)
export const codeKey = (codeHash: Hash): Uint8Array => hexKey(prefix.code, codeHash)
export const slotKey = (address: Address, slot: Hash): Uint8Array => hexKey(prefix.slot, address, slot)

export const diffKey = (height: Height): Uint8Array => heightKey(prefix.diff, height)

export function diffPartKey(height: Height, part: number): Uint8Array {
  const key = new Uint8Array(11)
  key.set(heightKey(prefix.diffPart, height))
  new DataView(key.buffer).setUint32(7, part)
  return key
}

/** The segment has a fixed width: no key of the state and its segment read as another one's. */
export function changesKey(stateKey: Uint8Array, segment: number): Uint8Array {
  const key = new Uint8Array(1 + stateKey.length + 4)
  key[0] = prefix.changes
  key.set(stateKey, 1)
  new DataView(key.buffer).setUint32(1 + stateKey.length, segment)
  return key
}

/** Prefix of the keys of the account trie; append the path. */
export const accountNodePrefix: Uint8Array = Uint8Array.of(prefix.accountNode)

/** Prefix of the keys of one account's storage trie; append the path. */
export function storageNodePrefix(address: Address): Uint8Array {
  return hexKey(prefix.storageNode, address)
}

/** The slots of one account. */
export function slotRange(address: Address): { gte: Uint8Array; lt: Uint8Array } {
  const gte = hexKey(prefix.slot, address)
  // Longer than any key of the account's slots, and above them all.
  return { gte, lt: concatBytes(gte, new Uint8Array(33).fill(0xff)) }
}

/** First key of a table and first key after it. */
export function tableRange(table: keyof typeof TABLES): { gte: Uint8Array; lt: Uint8Array } {
  return { gte: Uint8Array.of(prefix[table]), lt: Uint8Array.of(prefix[table] + 1) }
}

/** Heights below 2^48: six bytes, so that they sort by number. */
export function writeHeight(out: Uint8Array, at: number, height: number): void {
  let rest = height
  for (let i = at + 5; i >= at; i--) {
    out[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
}

export function readHeight(bytes: Uint8Array, at = 0): number {
  let height = 0
  for (let i = at; i < at + 6; i++) height = height * 256 + bytes[i]!
  return height
}

function heightKey(table: number, height: Height): Uint8Array {
  const key = new Uint8Array(7)
  key[0] = table
  writeHeight(key, 1, height)
  return key
}

/** The arguments are identities from inside: well-formed hex. */
function hexKey(table: number, first: Address | Hash, second?: Hash): Uint8Array {
  const firstBytes = (first.length - 2) >> 1
  const key = Buffer.alloc(1 + firstBytes + (second === undefined ? 0 : 32))
  key[0] = table
  key.write(first.slice(2), 1, 'hex')
  if (second !== undefined) key.write(second.slice(2), 1 + firstBytes, 'hex')
  return new Uint8Array(key.buffer, key.byteOffset, key.length)
}

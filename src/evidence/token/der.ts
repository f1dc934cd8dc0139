/** ASN.1 as tokens hold it: read by a library, written as plain DER. */
import { fromBER, ObjectIdentifier } from 'asn1js'
import { bytesToBigInt, bytesToHex, concat, type Hex, numberToBytes } from 'viem'
import { EvidenceError, must } from '../evidenceError.js'

export interface Node {
  readonly raw: Uint8Array
  readonly content: Uint8Array
  readonly items: readonly Node[]
}

export const NULL = Uint8Array.of(5, 0)
export const oid = (text: string): Hex => bytesToHex(new Uint8Array(new ObjectIdentifier({ value: text }).toBER()))
export const same = (a: Uint8Array, b: Uint8Array): boolean => bytesToHex(a) === bytesToHex(b)
/** In hex; of what is not there, that of nothing else. */
export const rawOf = (node: Node | undefined): Hex => bytesToHex(node?.raw ?? NULL)

export function parse(bytes: Uint8Array): Node {
  const { result, offset } = read(() => fromBER(bytes))
  must(offset === bytes.length, 'TOKEN', () => 'the time-stamp token is not DER')
  return nodeOf(result as unknown as Asn1)
}

/** Throws EvidenceError TOKEN where a library cannot read what the token holds. */
export function read<T>(part: () => T): T {
  try {
    return part()
  } catch (cause) {
    throw new EvidenceError('TOKEN', `the time-stamp token holds something unreadable: ${(cause as Error).message}`)
  }
}

interface Asn1 {
  readonly valueBeforeDecodeView: Uint8Array
  readonly valueBlock: { readonly value?: unknown }
}

function nodeOf({ valueBeforeDecodeView: raw, valueBlock: { value } }: Asn1): Node {
  const head = raw[1]! < 0x80 ? 2 : 2 + (raw[1]! & 0x7f)
  const isConstructed = (raw[0]! & 0x20) !== 0 && Array.isArray(value)
  return { raw, content: raw.subarray(head), items: isConstructed ? (value as Asn1[]).map(nodeOf) : [] }
}

const SIZE_LEVELS = [0x80, 0x100, 0x10000] as const

/** Tag, length in its shortest form, content. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concat([...parts])
  const { length } = content
  must(length < 2 ** 24, 'TOKEN', () => 'a time-stamp token is not that long')
  const level = SIZE_LEVELS.findIndex((end) => length < end)
  const bytes = level < 0 ? 3 : level
  const size = Array.from(
    { length: Math.max(bytes, 1) },
    (_, i) => (length >> (8 * (Math.max(bytes, 1) - 1 - i))) & 0xff,
  )
  return concat([Uint8Array.from(bytes === 0 ? [tag, ...size] : [tag, 0x80 + bytes, ...size]), content])
}

export function derInteger(number: bigint): Uint8Array {
  const digits = numberToBytes(number)
  return der(0x02, digits[0]! < 0x80 ? digits : concat([Uint8Array.of(0), digits]))
}

/** Numbers of a sequence of them; none is negative. */
export const integersIn = (sequence: Uint8Array): bigint[] =>
  parse(sequence).items.map(({ content }) => bytesToBigInt(Uint8Array.of(0, ...content)))

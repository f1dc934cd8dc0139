/**
 * The file: one line of JSON in exactly one spelling. Names, times, senders and the like are never carried but derived from what
 * hashes and signatures bind, so that no byte is free.
 */
import type { Hex } from 'viem'
import { EvidenceError, must } from './evidenceError.js'

export const FORMAT = 'concordat-evidence-1'
/** Far more than an exchange in a chain with thousands of epochs takes. */
export const EVIDENCE_BYTES_MAX = 64 * 1024 * 1024

export const KINDS = ['transaction', 'portrait', 'exchange'] as const
export type EvidenceKind = (typeof KINDS)[number]

/** Headers in RLP that follow one another, and the votes that make the last one final, in the order of its sealers. */
export interface CertifiedRun {
  readonly headers: readonly Hex[]
  /** View in which the votes were given. */
  readonly view: number
  /** 65 bytes each: r, s, yParity. */
  readonly votes: readonly Hex[]
}

export interface TransactionPlace {
  readonly block: number
  readonly index: number
}

export interface EvidenceFile {
  readonly format: typeof FORMAT
  readonly chainId: number
  readonly kind: EvidenceKind
  /** Words: transaction [hash], portrait [enterprise, attribute], exchange [request id]. */
  readonly subject: readonly Hex[]
  /** Header of block 0 in RLP. */
  readonly genesis: Hex
  /** One header each: the last block of every epoch before the latest one that matters here. */
  readonly epochs: readonly CertifiedRun[]
  readonly blocks: readonly CertifiedRun[]
  readonly transactions: readonly TransactionPlace[]
  /** Block whose state is read; null where none is. */
  readonly state: number | null
  /** Nodes of all tries in RLP, in the order in which the proof first needs them. */
  readonly nodes: readonly Hex[]
  /** RFC 3161 token over the hash of the last block, DER; null: none. */
  readonly token: Hex | null
}

/** The one spelling of a file, with the line's end. */
export const writeEvidence = (file: EvidenceFile): string => `${JSON.stringify(inOrder(file))}\n`

/** Throws EvidenceError NOT_CANONICAL unless the bytes are exactly what `writeEvidence` gives. */
export function readEvidence(bytes: Uint8Array | string): EvidenceFile {
  must(bytes.length <= EVIDENCE_BYTES_MAX, 'NOT_CANONICAL', () => `the file has more than ${EVIDENCE_BYTES_MAX} bytes`)
  let text: string
  let file: EvidenceFile
  try {
    text = typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    file = inOrder(JSON.parse(text))
  } catch (error) {
    if (error instanceof EvidenceError) throw error
    throw new EvidenceError('NOT_CANONICAL', 'the file is not JSON in UTF-8: it was altered, or is something else')
  }
  must(writeEvidence(file) === text, 'NOT_CANONICAL', () => 'the file is not spelled as it was written: it was altered')
  return file
}

type Read<T> = (value: unknown, title: string) => T

/** The file with its keys in their order and nothing else. Throws EvidenceError for values of another kind. */
function inOrder(value: unknown): EvidenceFile {
  const f = asObject(value, 'the file')
  return {
    format: oneOf([FORMAT])(f.format, 'format'),
    chainId: asNumber(f.chainId, 'chainId'),
    kind: oneOf(KINDS)(f.kind, 'kind'),
    subject: listOf(asWord)(f.subject, 'subject'),
    genesis: asHex(f.genesis, 'genesis'),
    epochs: listOf(asRun)(f.epochs, 'epochs'),
    blocks: listOf(asRun)(f.blocks, 'blocks'),
    transactions: listOf(asPlace)(f.transactions, 'transactions'),
    state: f.state === null ? null : asNumber(f.state, 'state'),
    nodes: listOf(asHex)(f.nodes, 'nodes'),
    token: f.token === null ? null : asHex(f.token, 'token'),
  }
}

const asRun: Read<CertifiedRun> = (value, title) => {
  const r = asObject(value, title)
  const headers = listOf(asHex)(r.headers, `${title}.headers`)
  return { headers, view: asNumber(r.view, `${title}.view`), votes: listOf(asVote)(r.votes, `${title}.votes`) }
}

const asPlace: Read<TransactionPlace> = (value, title) => {
  const p = asObject(value, title)
  return { block: asNumber(p.block, `${title}.block`), index: asNumber(p.index, `${title}.index`) }
}

const wrong = (title: string, wanted: string) => new EvidenceError('NOT_CANONICAL', `${title} is not ${wanted}`)

function asObject(value: unknown, title: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(title, 'an object')
  return value as Record<string, unknown>
}

const asNumber: Read<number> = (value, title) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw wrong(title, 'a whole number')
  return value as number
}

const hex =
  (pattern: RegExp, wanted: string): Read<Hex> =>
  (value, title) => {
    if (typeof value !== 'string' || !pattern.test(value)) throw wrong(title, wanted)
    return value as Hex
  }
const asHex = hex(/^0x(?:[0-9a-f]{2})+$/, 'bytes in lower-case hex')
const asWord = hex(/^0x[0-9a-f]{64}$/, 'a word of 32 bytes in lower-case hex')
const asVote = hex(/^0x[0-9a-f]{130}$/, 'a signature of 65 bytes in lower-case hex')

const oneOf =
  <T extends string>(values: readonly T[]): Read<T> =>
  (value, title) => {
    if (!values.includes(value as T)) throw wrong(title, values.join(' or '))
    return value as T
  }

const listOf =
  <T>(read: Read<T>): Read<readonly T[]> =>
  (value, title) => {
    if (!Array.isArray(value)) throw wrong(title, 'a list')
    return value.map((item, i) => read(item, `${title}[${i}]`))
  }

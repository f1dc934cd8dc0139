/** A query of a node's records as JSON, and its answer. */
import { z } from 'zod'
import { textId } from '../contracts/textId.js'
import type { Address, Hash, Hex } from '../core/bytes.js'
import { TRACE_KINDS, type TraceEntry } from './entry.js'
import type { TraceQuery } from './query.js'

const name = z.string().regex(/^[\x21-\x7e]{1,32}$/, 'must be 1 to 32 printable ASCII characters')
const height = z.int().min(0)
const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`), `must be 0x and ${2 * bytes} hex digits`)

export const auditQuerySchema = z.strictObject({
  fromBlock: height,
  toBlock: height,
  enterprise: name.optional(),
  department: hex(20).optional(),
  attribute: name.optional(),
  purpose: name.optional(),
  kinds: z.array(z.enum(TRACE_KINDS)).min(1).max(TRACE_KINDS.length).optional(),
  /** Where the answer before ended. */
  nextBlock: height.optional(),
  nextRead: height.optional(),
})
export type AuditQuery = z.infer<typeof auditQuerySchema>

export const authorizationSchema = z.strictObject({
  chainId: z.int().min(1),
  node: hex(20).transform((text) => text as Address),
  expires: z.int().min(0),
  nonce: hex(32).transform((text) => text as Hash),
  signature: hex(65).transform((text) => text as Hex),
})

export interface AuditAnswer {
  /** Of final blocks and of this node's read log, each in its own order. */
  readonly entries: readonly TraceEntry[]
  /** What to ask for next; null: that was all. */
  readonly next: { readonly nextBlock: number; readonly nextRead: number } | null
}

/** What is asked of the chain. */
export function chainQuery(query: AuditQuery): TraceQuery {
  const { fromBlock, toBlock, enterprise, department, attribute, purpose, kinds } = query
  return {
    fromBlock,
    toBlock,
    ...(enterprise === undefined ? {} : { enterprise: textId(enterprise) }),
    ...(department === undefined ? {} : { department: department as Address }),
    ...(attribute === undefined ? {} : { attribute: textId(attribute) }),
    ...(purpose === undefined ? {} : { purpose: textId(purpose) }),
    ...(kinds === undefined ? {} : { kinds }),
  }
}

/** One line of a trail: what somebody did, as a final block or a node's read log has it. */
import type { Address, Hash } from '../core/bytes.js'

/** What kind of step an entry is; `read` comes from a node's read log, `failed` is a transaction without effect. */
export const TRACE_KINDS = [
  'question',
  'answer',
  'refusal',
  'result',
  'portrait',
  'submission',
  'acknowledgement',
  'key',
  'consent',
  'objection',
  'rule',
  'member',
  'delivery',
  'decision',
  'document',
  'mandate',
  'anchor',
  'credit',
  'sealer',
  'read',
  'failed',
] as const
export type TraceKind = (typeof TRACE_KINDS)[number]

export interface TraceEntry {
  readonly kind: TraceKind
  /** Contract and event, or function; `readLog` and the function that was called for a read. */
  readonly contract: string
  readonly event: string
  readonly block: number
  /** Of the block; of a read its own. In ms since 1970. */
  readonly timeMs: number
  /** null for a read. */
  readonly transaction: Hash | null
  readonly logIndex: number
  /** Who did it: as the event names it, else who sent the transaction. Of a read: who the reader said it was. */
  readonly who: Address
  /** A few words: `asks`, `answers`, ... */
  readonly says: string
  /** Others that the step names: who is to answer, who receives. */
  readonly parties: readonly Address[]
  /** About which enterprise: its id as text. */
  readonly enterprise: string | null
  readonly attributes: readonly string[]
  readonly purpose: string | null
  /** Legal basis that the question named. */
  readonly basis: string | null
  readonly outcome: string | null
  /** What it belongs to, such as `request 12`. */
  readonly exchange: string | null
  /** Since the exchange began. */
  readonly after: { readonly blocks: number; readonly ms: number } | null
}

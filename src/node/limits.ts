/** Caps of the node shell, each with its unit and reason; caps shared with other layers are in core/limits.ts. */

/** Inputs stepped before the journal is synced: bounds the delay of the first effect of a round. */
export const INPUTS_PER_ROUND_MAX = 256

/** Journal size at which records of final views are dropped by rewriting it, in bytes. */
export const JOURNAL_REWRITE_BYTES = 16 * 1024 * 1024

/** Consensus inputs that may wait; beyond it peers' messages are dropped (R11 resends what matters). */
export const LOOP_BACKLOG_MAX = 4_096

/** Recovered transactions kept by hash besides the pool, so that each sender is recovered once: in number and bytes. */
export const RECOVERED_CACHE_MAX = 32_768
export const RECOVERED_CACHE_BYTES_MAX = 64 * 1024 * 1024

/** Time in ms for which ingested transactions may occupy the event loop before others get a turn. */
export const INGEST_SLICE_MS = 4

/** Raw transactions that wait for ingestion, in bytes; beyond it frames are dropped. */
export const INGEST_BYTES_MAX = 64 * 1024 * 1024

/** What one that waits counts besides its bytes: at most 64 Ki wait, some seconds of recovering signatures. */
export const INGEST_OVERHEAD_BYTES = 1024

/** Transactions in one gossip frame, in bytes. */
export const GOSSIP_FRAME_BYTES_MAX = 512 * 1024

/** Transactions in one gossip frame, in number: the smallest has about 100 bytes. */
export const GOSSIP_FRAME_COUNT_MAX = 16_384

/** Blocks in one answer of range sync, in number and bytes. */
export const SYNC_BLOCKS_MAX = 256
export const SYNC_BYTES_MAX = 4 * 1024 * 1024

/** An unanswered sync request is given to another peer after this, in ms. */
export const SYNC_TIMEOUT_MS = 5_000

/** Sync requests answered for one peer in a second: reading and sending 64 MiB takes a good part of it. */
export const SYNC_REQUESTS_PER_SECOND_MAX = 16

/** Receipts in one answer, in bytes and number: the smallest has about 260 bytes. */
export const RECEIPTS_BYTES_MAX = 4 * 1024 * 1024
export const RECEIPTS_COUNT_MAX = 16_384

/** History is checked in slices of so many ms, with rests between them: at most a fifth of the event loop. */
export const HISTORY_SLICE_MS = 4
export const HISTORY_REST_MS = 16

/** Records of past blocks written at a time: their encoding takes about one slice. */
export const HISTORY_WRITE_RECORDS_MAX = 512

/** While consensus is busy or this node lags, history looks again after this, in ms. */
export const HISTORY_BUSY_MS = 250

/** A peer that had no history, or gave a wrong one, is asked again after this, in ms. */
export const HISTORY_RETRY_MS = 30_000

/** Consensus inputs that wait; with more, history waits. */
export const HISTORY_BACKLOG_MAX = 64

/** Peers' transactions kept for another try because this node's state may be behind the peer's; at most 512 MiB of the largest. */
export const LATE_COUNT_MAX = 4_096

/** Final blocks after which such a transaction is tried again. */
export const LATE_TRIES_MAX = 4

/** With executable transactions and no final block for so long, in ms, peers are reminded of them. */
export const REMIND_MS = 1_000

/** Conflicting votes that are not on chain yet: a third of the sealers in some views each; more prove nothing new. */
export const EVIDENCE_OPEN_MAX = 64

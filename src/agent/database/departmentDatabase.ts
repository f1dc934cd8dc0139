/**
 * Port to the database in which a department keeps its records, beside it the agent's own bookkeeping. The one promise that
 * every implementation must keep: whatever one `apply` call holds becomes durable together or not at all.
 * Compliance suite: test/compliance/departmentDatabase.ts.
 */
import { type Hash, utf8 } from '../../core/bytes.js'
import { CodedError } from '../../core/codedError.js'
import { secretNameBytesMax, secretValueBytesMax } from '../../core/limits.js'

/** How an enterprise is looked up. A department that keeps no credit codes finds it by name. */
export interface EnterpriseLocator {
  /** Registered name; '' when unknown. */
  readonly companyName: string
  /** Unified social credit code, 18 characters; '' when unknown. */
  readonly creditCode: string
}

export interface EnterpriseRecord extends EnterpriseLocator {
  /** Attribute -> value as stored. '' is a vacant field; an attribute without an entry is missing. */
  readonly values: ReadonlyMap<string, string>
}

/** Sets the named attributes of one enterprise's record, which is made when there is none. Other attributes stay. */
export interface RecordWrite {
  readonly locator: EnterpriseLocator
  readonly values: ReadonlyMap<string, string>
}

/** The first log of the chain that is not handled yet: everything before it has had its effect, exactly once. */
export interface Cursor {
  readonly height: number
  /** Index of the log in its block. */
  readonly logIndex: number
}

/** A message that the chain has not confirmed yet. */
export interface OutboxItem {
  /** Names what is said (one submission part, one attribute of one request); a second put under a key replaces the first. */
  readonly key: string
  readonly payload: Uint8Array
}

/** The key with which an enterprise's values are digested in one portrait version. Secret. */
export interface PortraitKeyEntry {
  readonly enterpriseId: Hash
  readonly portraitVersion: number
  /** 32 bytes. */
  readonly key: Uint8Array
}

/** A secret of the agent under a name of its own choice. */
export interface NamedSecret {
  /** 1 to `secretNameBytesMax` bytes in UTF-8. */
  readonly name: string
  /** At most `secretValueBytesMax` bytes; null deletes it. */
  readonly value: Uint8Array | null
}

/** One atomic change. */
export interface DatabaseChange {
  readonly writes?: readonly RecordWrite[]
  readonly outboxPut?: readonly OutboxItem[]
  readonly outboxDelete?: readonly string[]
  readonly portraitKeys?: readonly PortraitKeyEntry[]
  readonly secrets?: readonly NamedSecret[]
  /** Unchanged when left out. */
  readonly cursor?: Cursor
}

/** Throws DatabaseError INVALID_RECORD. */
export function checkSecret({ name, value }: NamedSecret): void {
  const nameBytes = utf8(name).length
  if (nameBytes === 0 || nameBytes > secretNameBytesMax) {
    throw new DatabaseError(
      'INVALID_RECORD',
      `the name of a secret has 1 to ${secretNameBytesMax} bytes, not ${nameBytes}`,
    )
  }
  if (value && value.length > secretValueBytesMax) {
    throw new DatabaseError('INVALID_RECORD', `secret ${name} is over ${secretValueBytesMax} bytes`)
  }
}

/** Told after each batch of a bulk load. `total` is null when the source does not say. */
export type LoadProgress = (progress: { readonly loaded: number; readonly total: number | null }) => void

export interface BulkLoadOptions {
  /** Records that will come, for progress only. */
  readonly total?: number
  readonly onProgress?: LoadProgress
}

export interface DepartmentDatabase {
  /**
   * The enterprise's record: by credit code where the record has one, else by name. A record with another credit code never
   * matches. Attributes that are not in `wanted` may be left out of the values.
   */
  find(locator: EnterpriseLocator, wanted?: readonly string[]): Promise<EnterpriseRecord | null>
  /**
   * Makes the change durable as a whole. Rejects with DatabaseError; then nothing of it has happened, or the database refuses
   * further use. Only after UNAVAILABLE it is not known which of the two: `cursor` tells as soon as it answers again.
   */
  apply(change: DatabaseChange): Promise<void>
  cursor(): Promise<Cursor | null>
  /** Unconfirmed messages in the order of their first put. */
  outbox(): Promise<OutboxItem[]>
  portraitKey(enterpriseId: Hash, portraitVersion: number): Promise<Uint8Array | null>
  secret(name: string): Promise<Uint8Array | null>
  /** Inserts or merges many records; loading the same twice changes nothing. Returns how many were given. Not atomic as a whole. */
  bulkLoad(records: Iterable<RecordWrite>, options?: BulkLoadOptions): Promise<number>
  /** Enterprises with a record. */
  count(): Promise<number>
  close(): Promise<void>
}

export type DatabaseErrorCode =
  /** Another process uses the database. */
  | 'LOCKED'
  | 'CORRUPT'
  | 'INVALID_RECORD'
  /** The configuration does not fit the database. */
  | 'MISCONFIGURED'
  /** Passing trouble (a server that restarts): try again. */
  | 'UNAVAILABLE'
  | 'FAILED'

/** A fault of a department's database; the message says what to do. */
export class DatabaseError extends CodedError<DatabaseErrorCode> {}

/** Port of an ordered store of bytes by bytes. Contract as a test suite: test/compliance/keyValueStore.ts. */
import { CodedError } from '../../core/codedError.js'

export type StoreErrorCode =
  /** Another process has the folder open. */
  | 'LOCKED'
  /** The folder cannot be opened, or what is in it is damaged. */
  | 'NOT_OPENED'
  /** A write failed. Whether it is on disk is unknown: do not go on as if it were, or were not. */
  | 'WRITE_FAILED'

export class StoreError extends CodedError<StoreErrorCode> {}

export type WriteOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/** Keys from `gte` (inclusive) to `lt` (exclusive) in byte order; without a bound to the end. */
export interface KeyRange {
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
  /** From the last key to the first. */
  readonly reverse?: boolean
  /** Entries at most. */
  readonly limit?: number
}

export interface KeyValueReader {
  getSync(key: Uint8Array): Uint8Array | undefined
}

/** The store as it was when the snapshot was taken. Holds resources until closed. */
export interface KeyValueSnapshot extends KeyValueReader {
  close(): void
}

export interface KeyValueStore extends KeyValueReader {
  /** All or nothing, in order. Keys and values must not change until it resolves. `sync`: resolves when it is on disk. */
  batch(operations: readonly WriteOperation[], options: { readonly sync: boolean }): Promise<void>
  snapshot(): KeyValueSnapshot
  /** Entries as they were when the iteration began. */
  range(range: KeyRange): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>
  /** Bytes on disk of the keys from `gte` to `lt`, roughly; recent writes may not count yet. */
  approximateSize(gte: Uint8Array, lt: Uint8Array): Promise<number>
  /** Rewrites what is stored so that replaced values take no more room. */
  compact(): Promise<void>
  /** Idempotent. Nothing may be called afterwards. */
  close(): Promise<void>
}

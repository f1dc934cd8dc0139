/** What the embedded department database needs of an ordered store of bytes. Reads are synchronous, writes atomic and durable. */
export interface EmbeddedStore {
  get(key: Uint8Array): Uint8Array | undefined
  /** All or nothing; durable when it resolves. */
  write(puts: readonly (readonly [key: Uint8Array, value: Uint8Array])[], deletes: readonly Uint8Array[]): Promise<void>
  /** Entries whose key starts with `prefix`, in key order. */
  entries(prefix: Uint8Array): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>
  close(): Promise<void>
}

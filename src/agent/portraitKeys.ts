/** Port: where an enterprise keeps its portrait keys. They are secret, and must outlive what they are used for. */
import type { Address, Hash } from '../core/bytes.js'

export interface PortraitKey {
  /** From 1. */
  readonly version: number
  /** 32 bytes. */
  readonly key: Uint8Array
  /** Departments to which it was sent. */
  readonly sharedWith: readonly Address[]
}

export interface PortraitKeys {
  /**
   * The newest key. Where none is kept for `chainVersion`, the version that the chain knows (0: none), the next version is
   * started, and kept for good before this resolves: lost keys cost the portrait, never its secrecy.
   */
  current(enterpriseId: Hash, chainVersion: number): Promise<PortraitKey>
  /** The newest key that is kept; rejects when there is none. */
  newest(enterpriseId: Hash): Promise<Pick<PortraitKey, 'version' | 'key'>>
  /** Notes who has the key of a version, so that it is shared once. */
  noteShared(enterpriseId: Hash, version: number, recipients: readonly Address[]): Promise<void>
}

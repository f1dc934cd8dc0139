/** An enterprise's portrait keys: secret, one for each portrait version, kept for good before they are used. */
import { type Address, fromHex, type Hash, type Hex, toHex } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { generatePortraitKey } from '../crypto/digest.js'

export class PortraitKeyError extends CodedError<'NO_KEY'> {}

export interface PortraitKey {
  /** From 1. */
  readonly version: number
  /** 32 bytes. */
  readonly key: Uint8Array
  /** Departments to which it was sent. */
  readonly sharedWith: readonly Address[]
}

/** A key as it is kept; fit for JSON. */
export interface KeptPortraitKey {
  readonly version: number
  readonly key: Hex
  readonly sharedWith: readonly Address[]
}

/** Port: where keys are kept. They are secret, and what was written must outlive a crash. */
export interface PortraitKeyStore {
  /** By version, ascending; null or empty: none yet. */
  read(enterpriseId: Hash): Promise<readonly KeptPortraitKey[] | null>
  /** Replaces all keys of the enterprise; resolves when they are kept for good. */
  write(enterpriseId: Hash, keys: readonly KeptPortraitKey[]): Promise<void>
}

export interface PortraitKeys {
  /**
   * The newest key. Where none is kept for `chainVersion`, the version that the chain knows (0: none), the next version is
   * started: lost keys cost the portrait, never its secrecy.
   */
  current(enterpriseId: Hash, chainVersion: number): Promise<PortraitKey>
  /** The newest key that is kept. Throws PortraitKeyError NO_KEY. */
  newest(enterpriseId: Hash): Promise<Pick<PortraitKey, 'version' | 'key'>>
  /** Notes who has the key of a version, so that it is shared once. */
  noteShared(enterpriseId: Hash, version: number, recipients: readonly Address[]): Promise<void>
  /** Starts the next portrait version: digests made before fit no longer. */
  rotate(enterpriseId: Hash): Promise<PortraitKey>
}

export function portraitKeysOver(store: PortraitKeyStore): PortraitKeys {
  async function add(enterpriseId: Hash, kept: readonly KeptPortraitKey[], version: number): Promise<PortraitKey> {
    const key = generatePortraitKey()
    await store.write(enterpriseId, [...kept, { version, key: toHex(key), sharedWith: [] }])
    return { version, key, sharedWith: [] }
  }
  const keptOf = async (enterpriseId: Hash) => (await store.read(enterpriseId)) ?? []
  return {
    async current(enterpriseId, chainVersion) {
      const kept = await keptOf(enterpriseId)
      const newest = kept.at(-1)
      if (newest && newest.version >= chainVersion) return opened(newest)
      return add(enterpriseId, kept, chainVersion + 1)
    },
    async newest(enterpriseId) {
      const newest = (await keptOf(enterpriseId)).at(-1)
      if (newest) return opened(newest)
      throw new PortraitKeyError('NO_KEY', 'there is no portrait key of the enterprise: name where its keys are kept')
    },
    async noteShared(enterpriseId, version, recipients) {
      const kept = await keptOf(enterpriseId)
      const noted = kept.map((entry) => {
        if (entry.version !== version) return entry
        return { ...entry, sharedWith: [...new Set([...entry.sharedWith, ...recipients])] }
      })
      if (kept.length > 0) await store.write(enterpriseId, noted)
    },
    async rotate(enterpriseId) {
      const kept = await keptOf(enterpriseId)
      return add(enterpriseId, kept, (kept.at(-1)?.version ?? 0) + 1)
    },
  }
}

/** Keys that are gone with the process: for tests, and for who keeps what `write` was given elsewhere. */
export function memoryPortraitKeyStore(): PortraitKeyStore {
  const kept = new Map<Hash, readonly KeptPortraitKey[]>()
  return {
    read: async (enterpriseId) => kept.get(enterpriseId) ?? null,
    async write(enterpriseId, keys) {
      kept.set(enterpriseId, keys)
    },
  }
}

const opened = ({ version, key, sharedWith }: KeptPortraitKey): PortraitKey => ({
  version,
  key: fromHex(key, 'portrait key'),
  sharedWith,
})

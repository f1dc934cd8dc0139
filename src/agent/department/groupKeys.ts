/** Where a department keeps what is secret about its groups: under names in its own database, durable with everything else. */
import type { Address } from '../../core/bytes.js'
import type { DepartmentDatabase } from '../database/departmentDatabase.js'

/** The exponent of one attempt; gone when the attempt has ended. */
export const exponentName = (group: Address, attempt: number): string => `group/${group}/exponent/${attempt}`

/** X25519 private key of an epoch; kept for good, since envelopes to it stay on the chain. */
export const groupKeyName = (group: Address, keyEpoch: bigint): string => `group/${group}/key/${keyEpoch}`

/** The private key that opens envelopes to the group under this epoch; null when this department never had it. */
export function groupPrivateKey(
  database: Pick<DepartmentDatabase, 'secret'>,
  group: Address,
  keyEpoch: bigint,
): Promise<Uint8Array | null> {
  return database.secret(groupKeyName(group, keyEpoch))
}

/** The HPKE key pair of a group, from the secret that its members have agreed on. */
import { type Hash, utf8 } from '../core/bytes.js'
import type { EncryptionKeyPair } from './encryptionKey.js'
import { type GroupContext, groupTranscript } from './groupKey.js'
import { hkdfExpand, hkdfExtract } from './hkdf.js'
import { deriveEncryptionKey } from './hpke.js'

const SALT = utf8('concordat group key v1 secret')
const LABEL = utf8('concordat group key v1 key pair')

/**
 * X25519 key pair by HKDF over the secret and the whole transcript, then DeriveKeyPair (RFC 9180, 7.1.3): members that have
 * seen different contributions, another roster or another attempt get different pairs. `secret` is groupSecret's.
 */
export function groupKeyPair(
  context: GroupContext,
  shares: readonly Hash[],
  links: readonly Hash[],
  secret: Uint8Array,
): EncryptionKeyPair {
  const transcript = groupTranscript(context, shares, links)
  return deriveEncryptionKey(hkdfExpand(hkdfExtract(SALT, secret), 32, LABEL, transcript))
}

/**
 * The group's public key once more, for the contract that settles a dispute: the same derivation as groupKeyPair, over
 * noble alone and without a private key that leaves.
 */
import { x25519 } from '@noble/curves/ed25519.js'
import { expand, extract } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, EMPTY_BYTES, type Hash, toHash, utf8 } from '../core/bytes.js'
import { type GroupContext, groupTranscript } from './groupKey.js'

const SALT = utf8('concordat group key v1 secret')
const LABEL = utf8('concordat group key v1 key pair')
/** RFC 9180, 4: version, then the suite of DHKEM(X25519, HKDF-SHA256). */
const HPKE = concatBytes(utf8('HPKE-v1'), utf8('KEM'), Uint8Array.of(0, 0x20))

/** Public key of groupKeyPair(context, shares, links, secret). */
export function groupPublicKey(
  context: GroupContext,
  shares: readonly Hash[],
  links: readonly Hash[],
  secret: Uint8Array,
): Hash {
  const info = concatBytes(LABEL, groupTranscript(context, shares, links))
  const ikm = expand(sha256, extract(sha256, secret, SALT), info, 32)
  const prk = extract(sha256, concatBytes(HPKE, utf8('dkp_prk'), ikm), EMPTY_BYTES)
  const privateKey = expand(sha256, prk, concatBytes(Uint8Array.of(0, 32), HPKE, utf8('sk')), 32)
  return toHash(x25519.getPublicKey(privateKey))
}

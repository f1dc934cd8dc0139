/** The unit of CPU budgets: one recovery of a sender by the native library, which every node pays for every transaction. */
import { utf8 } from '../../src/core/bytes.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { nativeSecp256k1 } from '../../src/crypto/secp256k1.js'

const ROUNDS = 2_000
const WARM_UP = 200

/** CPU time of one recovery on this machine, in µs; undefined where the native library does not load. */
export function nativeRecoverMicros(): number | undefined {
  const native = nativeSecp256k1
  if (native === null) return undefined
  const key = keccak256(utf8('recover'))
  const digest = keccak256(key)
  const signature = native.sign(digest, key)
  for (let i = 0; i < WARM_UP; i++) native.recover(digest, signature)
  const before = process.cpuUsage()
  for (let i = 0; i < ROUNDS; i++) native.recover(digest, signature)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / ROUNDS
}

/** CPU time of one native signature recovery: what each node pays once for every transaction, whatever else it does. */
import { assert } from '../../src/core/assert.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { nativeSecp256k1 } from '../../src/crypto/secp256k1.js'
import { RECOVER, type Side } from './benchmark.js'
import { cpuMicrosPerCall } from './clock.js'

export function recoverSide(callMs: number): Side {
  assert(nativeSecp256k1 !== null, 'the native secp256k1 module is there')
  const native = nativeSecp256k1
  const key = new Uint8Array(32).fill(7)
  const digest = keccak256(key)
  const signature = native.sign(digest, key)
  return { name: RECOVER, measure: () => cpuMicrosPerCall(() => native.recover(digest, signature), callMs) }
}

/** Hashes and signatures: WebAssembly and native code against the implementations in JavaScript. */
import { assert } from '../../src/core/assert.js'
import { toHex } from '../../src/core/bytes.js'
import { keccak256, nobleKeccak, wasmKeccak } from '../../src/crypto/keccak.js'
import { nativeSecp256k1, nobleSecp256k1, type Secp256k1 } from '../../src/crypto/secp256k1.js'
import type { Benchmark } from './benchmark.js'
import { type Call, callBenchmark } from './calls.js'

/** A key of a trie, one block of the sponge, about a branch of a trie, a large transaction. */
const HASHED_BYTES = [32, 136, 500, 4_096]

export const keccakBenchmarks: readonly Benchmark[] = HASHED_BYTES.map((bytes) =>
  callBenchmark(`keccak256 of ${bytes} B`, 'a hash', '@noble/hashes', () => {
    assert(wasmKeccak !== null, 'WebAssembly is there')
    const input = new Uint8Array(bytes).fill(5)
    const hash = (keccak: (bytes: Uint8Array) => Uint8Array): Call<Uint8Array> => ({
      call: () => keccak(input),
      text: toHex,
    })
    return [hash(wasmKeccak.keccak256), hash(nobleKeccak.keccak256)]
  }),
)

const key = new Uint8Array(32).fill(7)
const digest = keccak256(key)

export const signatureBenchmarks: readonly Benchmark[] = [
  signatureBenchmark('recover a signer', 'a recovery', (library) => {
    const signature = nobleSecp256k1.sign(digest, key)
    return () => library.recover(digest, signature)!
  }),
  signatureBenchmark('sign', 'a signature', (library) => () => library.sign(digest, key)),
]

function signatureBenchmark(name: string, quantity: string, make: (library: Secp256k1) => () => Uint8Array): Benchmark {
  return callBenchmark(name, quantity, '@noble/curves', () => {
    assert(nativeSecp256k1 !== null, 'the native secp256k1 module is there')
    return [
      { call: make(nativeSecp256k1), text: toHex },
      { call: make(nobleSecp256k1), text: toHex },
    ]
  })
}

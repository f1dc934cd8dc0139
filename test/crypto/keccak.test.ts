import fc from 'fast-check'
import t from 'tap'
import { keccak256 as viemKeccak } from 'viem'
import { toHex, utf8 } from '../../src/core/bytes.js'
import { EMPTY_OMMERS_HASH, EMPTY_TRIE_ROOT } from '../../src/core/header.js'
import { txBytesMax } from '../../src/core/limits.js'
import { keccak, keccak256, keccakHash, nobleKeccak, wasmKeccak } from '../../src/crypto/keccak.js'
import { messageBytesMax } from '../../src/crypto/keccakModule.js'

t.test('the WebAssembly implementation loads here and is in use', async (t) => {
  t.not(wasmKeccak, null)
  t.equal(keccak.name, 'wasm')
})

t.test('known digests', async (t) => {
  t.equal(keccakHash(new Uint8Array(0)), '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470')
  t.equal(keccakHash(utf8('abc')), '0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45')
  t.equal(keccakHash(Uint8Array.of(0x80)), EMPTY_TRIE_ROOT)
  t.equal(keccakHash(Uint8Array.of(0xc0)), EMPTY_OMMERS_HASH)
})

t.test('every length over several blocks of the sponge, all implementations', async (t) => {
  for (let length = 0; length <= 3 * 136 + 1; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 255)
    const expected = viemKeccak(bytes)
    const same = [keccak, nobleKeccak].every(
      (hash) => toHex(hash.keccak256(bytes)) === expected && hash.keccakHash(bytes) === expected,
    )
    if (!same) t.fail(`length ${length}`)
  }
})

t.test('around the longest message that fits the module', async (t) => {
  for (const length of [messageBytesMax - 1, messageBytesMax, messageBytesMax + 1, 1_000_000]) {
    const bytes = new Uint8Array(length).fill(0xa5)
    t.same(keccak256(bytes), nobleKeccak.keccak256(bytes), `${length} bytes`)
    t.equal(keccakHash(bytes), nobleKeccak.keccakHash(bytes))
  }
  t.ok(messageBytesMax > txBytesMax)
})

t.test('views into larger buffers, and digests that stay', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(20), (bytes, from) => {
      const view = bytes.subarray(Math.min(from, bytes.length))
      const digest = keccak256(view)
      const copy = digest.slice()
      keccak256(bytes)
      t.same(digest, copy, 'a later call does not change an earlier digest')
      t.same(digest, nobleKeccak.keccak256(view))
    }),
    { numRuns: 100 },
  )
})

import fc from 'fast-check'
import t from 'tap'
import { bytesToBigInt, hexToBytes, numberToBytes } from 'viem'
import {
  asAddress,
  asHash,
  BytesError,
  bytesToNumber,
  bytesToUint,
  concatBytes,
  equalBytes,
  fromHex,
  toAddress,
  toHash,
  toHex,
  uintToBytes,
  uintToWord,
} from '../../src/core/bytes.js'

t.test('hex: as viem, in both cases, short and long', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, upper) => {
      const hex = toHex(bytes)
      const input = upper ? (`0x${hex.slice(2).toUpperCase()}` as const) : hex
      t.same(fromHex(input), bytes)
      t.same(fromHex(input), hexToBytes(input))
    }),
    { numRuns: 200 },
  )
})

t.test('hex: what is refused', async (t) => {
  const long = '00'.repeat(100)
  const bad = [
    '',
    '0',
    '0x0',
    '00',
    'x0',
    '0X00',
    '0xg0',
    '0x0g',
    '0x0 ',
    '0x\u0660\u0660',
    '0xｆｆ',
    `0x${long}0`,
    `0x${long}zz`,
    `0xz0${long}`,
    `0x${'00'.repeat(50)}é0${long}`,
    `0x\u0130\u0130${long}`,
  ]
  for (const text of bad)
    t.throws(() => fromHex(text, 'field'), { name: 'BytesError', message: /^field must be/ }, text.slice(0, 12))
})

t.test('unsigned integers: as viem', async (t) => {
  const any = fc.integer({ min: 0, max: 256 }).chain((bits) => fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n }))
  fc.assert(
    fc.property(any, fc.nat(5), (value, zeros) => {
      const word = uintToWord(value)
      t.same(word, numberToBytes(value, { size: 32 }))
      const bytes = uintToBytes(value)
      t.same(bytes, value === 0n ? new Uint8Array(0) : numberToBytes(value))
      t.equal(bytesToUint(word), value)
      t.equal(bytesToUint(bytes), value)
      t.equal(
        bytesToUint(concatBytes(new Uint8Array(zeros).fill(255), bytes, word), zeros, zeros + bytes.length),
        value,
      )
    }),
    { numRuns: 400 },
  )
  const wide = new Uint8Array(40).fill(0xab)
  t.equal(bytesToUint(wide), bytesToBigInt(wide))
  t.same(uintToBytes(bytesToBigInt(wide)), wide)
})

t.test('unsigned integers: edges', async (t) => {
  for (const value of [0, 1, 255, 256, 2 ** 48 - 1, 2 ** 48, Number.MAX_SAFE_INTEGER]) {
    t.same(uintToBytes(value), uintToBytes(BigInt(value)))
    t.same(uintToWord(value), uintToWord(BigInt(value)))
    t.equal(bytesToNumber(uintToBytes(value)), value)
  }
  for (const value of [-1, -1n, 1.5, Number.NaN, 2 ** 53, -(2n ** 300n)]) {
    t.throws(() => uintToBytes(value), BytesError)
    t.throws(() => uintToWord(value), BytesError)
  }
  t.throws(() => uintToWord(2n ** 256n), BytesError)
  t.throws(() => bytesToNumber(uintToBytes(2n ** 53n), 'height'), { message: /^height must be below/ })
})

t.test('identities', async (t) => {
  const address = `0x${'aB'.repeat(20)}`
  t.equal(asAddress(address), address.toLowerCase())
  t.equal(asHash(`0x${'Cd'.repeat(32)}`), `0x${'cd'.repeat(32)}`)
  t.throws(() => asAddress(`${address}00`, 'from'), { message: /^from must be/ })
  t.throws(() => asHash(address), BytesError)
  t.throws(() => toAddress(new Uint8Array(21)), BytesError)
  t.throws(() => toHash(new Uint8Array(31)), BytesError)
  t.ok(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)))
  t.notOk(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 2)))
})

import { RLP } from '@ethereumjs/rlp'
import fc from 'fast-check'
import t from 'tap'
import { bytesToUint, fromHex, toHex, uintToBytes, utf8 } from '../../src/core/bytes.js'
import { rlpDepthMax } from '../../src/core/limits.js'
import { RlpError, type RlpItem, RlpReader, rlpDecode, rlpEncode } from '../../src/core/rlp.js'
import { readVector, skipWithoutVectors } from '../vectors.js'

type VectorInput = string | number | readonly VectorInput[]
interface RlpVector {
  readonly in: VectorInput
  readonly out: string
}

function itemOf(input: VectorInput): RlpItem {
  if (typeof input === 'number') return uintToBytes(input)
  if (typeof input !== 'string') return input.map(itemOf)
  return input.startsWith('#') ? uintToBytes(BigInt(input.slice(1))) : utf8(input)
}

const hex = (text: string) => fromHex(text.startsWith('0x') ? text : `0x${text}`)

t.test('ethereum-tests RLPTests', { skip: skipWithoutVectors }, async (t) => {
  const valid = readVector<Record<string, RlpVector>>('ethereum-tests/RLPTests/rlptest.json')
  for (const [name, vector] of Object.entries(valid)) {
    t.equal(toHex(rlpEncode(itemOf(vector.in))), vector.out, `${name} encodes`)
    t.same(rlpEncode(rlpDecode(hex(vector.out))), hex(vector.out), `${name} decodes`)
  }
  const invalid = readVector<Record<string, RlpVector>>('ethereum-tests/RLPTests/invalidRLPTest.json')
  for (const [name, vector] of Object.entries(invalid)) t.throws(() => rlpDecode(hex(vector.out)), RlpError, name)
  const random = readVector<Record<string, RlpVector>>('ethereum-tests/RLPTests/RandomRLPTests/example.json')
  for (const vector of Object.values(random)) t.same(rlpEncode(rlpDecode(hex(vector.out))), hex(vector.out))
})

const { item: anyItem } = fc.letrec<{ item: RlpItem }>((tie) => ({
  item: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.uint8Array({ maxLength: 80 }),
    fc.uint8Array({ minLength: 250, maxLength: 300 }),
    fc.array(tie('item'), { maxLength: 6 }),
  ),
}))

t.test('equals @ethereumjs/rlp on any structure', async (t) => {
  fc.assert(
    fc.property(anyItem, (item) => {
      const encoded = rlpEncode(item)
      t.equal(toHex(encoded), toHex(RLP.encode(item as Parameters<typeof RLP.encode>[0])))
      t.same(rlpEncode(rlpDecode(encoded, { depthMax: 64 })), encoded)
    }),
    { numRuns: 200 },
  )
})

t.test('any bytes: refused, or decoded to what encodes to the same bytes', async (t) => {
  const header = fc.constantFrom(
    0x80,
    0x81,
    0xb7,
    0xb8,
    0xb9,
    0xbf,
    0xc0,
    0xc1,
    0xc2,
    0xf7,
    0xf8,
    0xf9,
    0xff,
    0,
    1,
    55,
    56,
  )
  const bytes = fc.array(fc.oneof(header, fc.integer({ min: 0, max: 255 })), { maxLength: 70 })
  fc.assert(
    fc.property(bytes, (list) => {
      const input = Uint8Array.from(list)
      let item: RlpItem
      try {
        item = rlpDecode(input)
      } catch (error) {
        if (error instanceof RlpError) return
        throw error
      }
      if (toHex(rlpEncode(item)) !== toHex(input)) t.fail(`${toHex(input)} decoded but does not encode back`)
    }),
    { numRuns: 5000 },
  )
})

t.test('long lengths: header sizes at their edges', async (t) => {
  for (const length of [55, 56, 255, 256, 65_535, 65_536]) {
    const bytes = new Uint8Array(length).fill(7)
    t.same(rlpEncode(bytes), RLP.encode(bytes), `string of ${length}`)
    t.same(rlpDecode(rlpEncode([bytes])), [bytes], `list of ${length}`)
  }
})

const nested = (depth: number): Uint8Array => {
  let item: RlpItem = []
  for (let i = 1; i < depth; i++) item = [item]
  return rlpEncode(item)
}

const faults: readonly [code: string, input: Uint8Array][] = [
  ['TRUNCATED', fromHex('0x')],
  ['TRUNCATED', fromHex('0x8301')],
  ['TRUNCATED', fromHex('0xc281')],
  ['TRUNCATED', fromHex('0xbfffffffffffffffff')],
  ['TRAILING_BYTES', fromHex('0x8000')],
  ['NOT_CANONICAL', fromHex('0x8100')],
  ['NOT_CANONICAL', fromHex('0xb801ff')],
  ['NOT_CANONICAL', fromHex(`0xb837${'ff'.repeat(55)}`)],
  ['NOT_CANONICAL', fromHex(`0xf837${'01'.repeat(55)}`)],
  ['NOT_CANONICAL', fromHex('0xf90001ff')],
  ['TOO_DEEP', nested(rlpDepthMax + 1)],
]

t.test('codes of faults', async (t) => {
  for (const [code, input] of faults)
    t.throws(() => rlpDecode(input), { code, name: 'RlpError' }, `${code} ${toHex(input)}`)
  t.doesNotThrow(() => rlpDecode(nested(rlpDepthMax)))
  t.throws(() => rlpDecode(rlpEncode([new Uint8Array(1), new Uint8Array(1)]), { itemsMax: 2 }), {
    code: 'TOO_MANY_ITEMS',
  })
  t.doesNotThrow(() => rlpDecode(rlpEncode([new Uint8Array(1)]), { itemsMax: 2 }))
})

t.test('a list cannot reach over the end of the list around it', async (t) => {
  // The inner header claims two bytes, its list holds one: the second lies in the outer list.
  t.throws(() => rlpDecode(fromHex('0xc3c18205')), { code: 'TRUNCATED' })
})

t.test('RlpReader: integers', async (t) => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), (value) => {
      t.equal(new RlpReader(rlpEncode(uintToBytes(value))).uint(32), value)
      t.equal(bytesToUint(uintToBytes(value)), value)
    }),
    { numRuns: 300 },
  )
  t.equal(new RlpReader(rlpEncode(uintToBytes(2 ** 48 - 1))).number(), 2 ** 48 - 1)
  t.throws(() => new RlpReader(rlpEncode(uintToBytes(2 ** 48))).number(), { code: 'BAD_INTEGER' })
  t.throws(() => new RlpReader(fromHex('0x820001')).uint(32), { code: 'BAD_INTEGER' })
  t.throws(() => new RlpReader(fromHex('0x00')).uint(32), { code: 'BAD_INTEGER' })
  t.throws(() => new RlpReader(fromHex('0xc0')).uint(32), { code: 'UNEXPECTED_LIST' })
  t.throws(() => new RlpReader(fromHex('0x80')).list(), { code: 'UNEXPECTED_STRING' })
  t.throws(() => new RlpReader(fromHex('0x01')).list(), { code: 'UNEXPECTED_STRING' })
})

import { createHmac } from 'node:crypto'
import t from 'tap'
import { toHash, utf8 } from '../../src/core/bytes.js'
import { attributeValueBytesMax } from '../../src/core/limits.js'
import { type AttributeDigestInput, attributeDigest, generatePortraitKey } from '../../src/crypto/digest.js'

const INPUT: AttributeDigestInput = {
  portraitKey: new Uint8Array(32).fill(1),
  chainId: 1337n,
  enterpriseId: toHash(new Uint8Array(32).fill(2)),
  attribute: toHash(new Uint8Array(32).fill(3)),
  schemaVersion: 4,
  value: '1000000',
}

t.test('HMAC-SHA256 over the documented layout', async (t) => {
  const layout = Buffer.concat([
    utf8('concordat attribute digest v1'),
    Buffer.from('0000000000000539', 'hex'),
    Buffer.alloc(32, 2),
    Buffer.alloc(32, 3),
    Buffer.from('0000000400000007', 'hex'),
    utf8('1000000'),
  ])
  const expected = createHmac('sha256', INPUT.portraitKey).update(layout).digest('hex')
  t.equal(attributeDigest(INPUT), `0x${expected}`)
  t.equal(attributeDigest({ ...INPUT, chainId: 1337 }), `0x${expected}`)
})

t.test('every input changes the digest', async (t) => {
  const changes: readonly Partial<AttributeDigestInput>[] = [
    {},
    { portraitKey: new Uint8Array(32).fill(9) },
    { chainId: 1338n },
    { enterpriseId: INPUT.attribute },
    { attribute: INPUT.enterpriseId },
    { schemaVersion: 5 },
    { value: '100000' },
    { value: '' },
    { value: '深圳市' },
  ]
  const digests = new Set(changes.map((change) => attributeDigest({ ...INPUT, ...change })))
  t.equal(digests.size, changes.length)
})

t.test('faults', async (t) => {
  t.throws(() => attributeDigest({ ...INPUT, portraitKey: new Uint8Array(31) }), { code: 'BAD_PORTRAIT_KEY' })
  t.throws(() => attributeDigest({ ...INPUT, value: 'x'.repeat(attributeValueBytesMax + 1) }), {
    code: 'VALUE_TOO_LONG',
  })
  t.doesNotThrow(() => attributeDigest({ ...INPUT, value: 'x'.repeat(attributeValueBytesMax) }))
  t.equal(generatePortraitKey().length, 32)
  t.notSame(generatePortraitKey(), generatePortraitKey())
})

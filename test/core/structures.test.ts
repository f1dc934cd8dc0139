/** Headers, seals, receipts, blocks: round trips, faults, limits. */
import fc from 'fast-check'
import t from 'tap'
import { decodeBlock, decodeRawBlock, encodeBlock, wrappedBytes } from '../../src/core/block.js'
import { type Address, asEpoch, asHeight, asView, toHex, ZERO_ADDRESS, ZERO_HASH } from '../../src/core/bytes.js'
import { CodedError } from '../../src/core/codedError.js'
import { decodeHeader, encodeHeader, type Header, headerItems } from '../../src/core/header.js'
import { blockBytesMax, extraDataBytesMax, headerBytesMax, sealersMax } from '../../src/core/limits.js'
import { decodeReceipt, encodeReceipt } from '../../src/core/receipt.js'
import { type RlpItem, rlpDecode, rlpEncode } from '../../src/core/rlp.js'
import {
  extraDataSealerSet,
  extraDataSealers,
  genesisExtraData,
  headerWithoutSeal,
  readVanity,
  sealOf,
  unsealedExtraData,
  withSeal,
  writeVanity,
} from '../../src/core/seal.js'
import { decodeTransaction } from '../../src/core/transaction.js'
import { encodeSigned } from '../../src/core/transactionEncode.js'
import { anyHeader, anyReceipt, anyUnsigned } from './arbitraries.js'

const HEADER: Header = {
  parentHash: ZERO_HASH,
  ommersHash: ZERO_HASH,
  miner: ZERO_ADDRESS,
  stateRoot: ZERO_HASH,
  transactionsRoot: ZERO_HASH,
  receiptsRoot: ZERO_HASH,
  logsBloom: new Uint8Array(256),
  difficulty: 1n,
  number: asHeight(5),
  gasLimit: 30_000_000n,
  gasUsed: 0n,
  timestamp: 1_700_000_000,
  extraData: unsealedExtraData({ epoch: asEpoch(1), view: asView(9), ms: 250 }),
  mixHash: ZERO_HASH,
  nonce: new Uint8Array(8),
  baseFeePerGas: 0n,
}

t.test('header: encode and decode', async (t) => {
  fc.assert(
    fc.property(anyHeader, (header) => {
      t.same(decodeHeader(encodeHeader(header)), header)
    }),
    { numRuns: 100 },
  )
})

const changed = (index: number, item: RlpItem): Uint8Array => {
  const items = headerItems(HEADER)
  items[index] = item
  return rlpEncode(items)
}

t.test('header: faults name the field', async (t) => {
  const cases: readonly [code: string, field: string, bytes: Uint8Array][] = [
    ['FIELD_COUNT', 'header', rlpEncode(headerItems(HEADER).slice(0, 14))],
    ['FIELD_COUNT', 'header', rlpEncode([...headerItems(HEADER), new Uint8Array(32)])],
    ['FIELD_KIND', 'header', rlpEncode(new Uint8Array(3))],
    ['FIELD_LENGTH', 'header.parentHash', changed(0, new Uint8Array(31))],
    ['FIELD_KIND', 'header.miner', changed(2, [])],
    ['FIELD_LENGTH', 'header.logsBloom', changed(6, new Uint8Array(255))],
    ['FIELD_RANGE', 'header.number', changed(8, Uint8Array.of(0, 1))],
    ['FIELD_RANGE', 'header.number', changed(8, Uint8Array.of(0x20, 0, 0, 0, 0, 0, 0))],
    ['FIELD_RANGE', 'header.gasLimit', changed(9, Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0))],
    ['FIELD_LENGTH', 'header.timestamp', changed(11, new Uint8Array(9).fill(1))],
    ['FIELD_LENGTH', 'header.extraData', changed(12, new Uint8Array(extraDataBytesMax + 1))],
    ['FIELD_LENGTH', 'header.nonce', changed(14, new Uint8Array(7))],
    ['TOO_LARGE', 'header', new Uint8Array(headerBytesMax + 1)],
  ]
  for (const [code, field, bytes] of cases) t.throws(() => decodeHeader(bytes), { code, field }, `${code} ${field}`)
  t.doesNotThrow(() => decodeHeader(changed(12, new Uint8Array(extraDataBytesMax))))
})

t.test('seal: layout of extraData', async (t) => {
  const vanity = { epoch: asEpoch(2 ** 32 - 1), view: asView(Number.MAX_SAFE_INTEGER), ms: 999 }
  t.equal(
    toHex(writeVanity({ epoch: asEpoch(3), view: asView(0x0102), ms: 513 })),
    `0x${'63647431'}${'00000003'}${'0000000000000102'}${'0201'}${'00'.repeat(14)}`,
  )
  t.same(readVanity(unsealedExtraData(vanity)), vanity)
  const seal = new Uint8Array(65).fill(9)
  const sealed = withSeal(HEADER, seal)
  t.same(sealOf(sealed), seal)
  t.same(headerWithoutSeal(sealed), headerWithoutSeal(HEADER))
  t.equal(sealed.extraData.length, HEADER.extraData.length)
  t.throws(() => withSeal(HEADER, new Uint8Array(64)), { code: 'FIELD_LENGTH', field: 'seal' })
  t.throws(() => sealOf({ ...HEADER, extraData: new Uint8Array(96) }), { code: 'FIELD_LENGTH' })
  t.throws(() => readVanity(new Uint8Array(96)), { code: 'FIELD_LENGTH' })
})

t.test('seal: every vanity byte counts', async (t) => {
  const extraData = unsealedExtraData({ epoch: asEpoch(0), view: asView(1), ms: 0 })
  for (const [at, byte] of [
    [0, 0],
    [3, 0x32],
    [8, 0xff],
    [16, 4],
    [18, 1],
    [31, 1],
  ] as const) {
    const broken = extraData.slice()
    broken[at] = byte
    t.throws(() => readVanity(broken), { code: 'FIELD_RANGE' }, `byte ${at}`)
  }
})

t.test('seal: sealers of the genesis block', async (t) => {
  const sealers = Array.from({ length: sealersMax }, (_, i) => `0x${(i + 1).toString(16).padStart(40, '0')}` as Address)
  const extraData = genesisExtraData(sealers)
  t.equal(extraData.length, 32 + 20 * sealersMax + 65)
  t.same(extraDataSealers(extraData), sealers)
  t.same(extraDataSealers(HEADER.extraData), [])
  t.same(readVanity(extraData), { epoch: 0, view: 0, ms: 0 })
  t.throws(() => genesisExtraData([...sealers, ZERO_ADDRESS]), { code: 'FIELD_COUNT' })
  t.throws(() => genesisExtraData([]), { code: 'FIELD_COUNT' })
  t.throws(() => extraDataSealers(new Uint8Array(98)), { code: 'FIELD_LENGTH' })
})

t.test('seal: a block that closes its epoch lists the next sealers with their weights', async (t) => {
  const vanity = { epoch: asEpoch(2), view: asView(7), ms: 1 }
  const set = Array.from({ length: sealersMax }, (_, i) => {
    return { address: `0x${(i + 1).toString(16).padStart(40, '0')}` as Address, weight: i === 0 ? 2 ** 52 - 1 : i }
  })
  const extraData = unsealedExtraData(vanity, set)
  t.equal(extraData.length, extraDataBytesMax)
  t.same(extraDataSealerSet(extraData), set)
  t.same(readVanity(extraData), vanity)
  t.equal(
    toHex(unsealedExtraData(vanity, set.slice(1, 2)).subarray(18, 60)),
    `0x01${'00'.repeat(32)}02${'00'.repeat(7)}01`,
  )
  t.equal(extraDataSealerSet(unsealedExtraData(vanity)), null)
  t.equal(extraDataSealerSet(genesisExtraData([ZERO_ADDRESS])), null, 'genesis lists addresses alone')
  t.throws(() => unsealedExtraData(vanity, [...set, ...set]), { code: 'FIELD_COUNT' })
  const broken = (change: (bytes: Uint8Array) => void) => {
    const bytes = unsealedExtraData(vanity, set.slice(0, 2))
    change(bytes)
    return () => extraDataSealerSet(bytes)
  }
  t.throws(
    broken((bytes) => bytes.fill(0, 80, 88)),
    { code: 'FIELD_RANGE', message: /weight 0/ },
  )
  t.throws(
    broken((bytes) => bytes.fill(0xff, 80, 88)),
    { code: 'FIELD_RANGE', message: /weight/ },
  )
  t.throws(
    broken((bytes) => bytes.set([3], 18)),
    { code: 'FIELD_RANGE', message: /announces 3/ },
  )
})

t.test('receipt: encode and decode', async (t) => {
  fc.assert(
    fc.property(anyReceipt, (receipt) => {
      t.same(decodeReceipt(encodeReceipt(receipt)), receipt)
    }),
    { numRuns: 100 },
  )
  t.throws(() => decodeReceipt(Uint8Array.of(3, 0xc0)), { code: 'UNSUPPORTED' })
  t.throws(() => decodeReceipt(Uint8Array.of(0xc0)), { code: 'FIELD_COUNT' })
  const status2 = rlpEncode([Uint8Array.of(2), new Uint8Array(0), new Uint8Array(256), []])
  t.throws(() => decodeReceipt(status2), { code: 'FIELD_RANGE', field: 'receipt.status' })
})

const SIGNATURE = { yParity: 0 as const, r: 1n, s: 1n }
const anyBlock = fc.record({
  header: anyHeader,
  transactions: fc.array(
    anyUnsigned.map((tx) => decodeTransaction(encodeSigned({ ...tx, gasLimit: 21_000n }, SIGNATURE))),
    { maxLength: 5 },
  ),
})

t.test('block: encode and decode', async (t) => {
  fc.assert(
    fc.property(anyBlock, (block) => {
      const bytes = encodeBlock(block)
      t.same(decodeBlock(bytes), block)
      t.same(rlpEncode(rlpDecode(bytes)), bytes, 'canonical')
      const payload = block.transactions.reduce((sum, tx) => sum + wrappedBytes(tx.raw), 0)
      t.ok(bytes.length - payload <= encodeHeader(block.header).length + 9, 'wrappedBytes is what a transaction adds')
    }),
    { numRuns: 60 },
  )
})

t.test('block: faults', async (t) => {
  const header = headerItems(HEADER)
  t.throws(() => decodeBlock(rlpEncode([header, [], [header]])), { code: 'UNSUPPORTED', field: 'block.ommers' })
  t.throws(() => decodeRawBlock(rlpEncode([header, [new Uint8Array(0)], []])), {
    code: 'FIELD_LENGTH',
    field: 'block.transactions[0]',
  })
  t.throws(() => decodeBlock(rlpEncode([header, [], [], []])), { code: 'FIELD_COUNT' })
  t.throws(() => decodeBlock(rlpEncode([header, []])), { code: 'TRUNCATED' })
  t.throws(() => decodeBlock(new Uint8Array(blockBytesMax + 1)), { code: 'TOO_LARGE' })
  t.throws(() => decodeBlock(rlpEncode([header, [Uint8Array.of(3, 0xc0)], []])), { code: 'UNSUPPORTED_TYPE' })
  const legacy = encodeSigned(
    {
      type: 0,
      chainId: 1n,
      nonce: 0n,
      gasPrice: 0n,
      maxPriorityFeePerGas: 0n,
      gasLimit: 0n,
      to: null,
      value: 0n,
      data: new Uint8Array(0),
      accessList: [],
    },
    SIGNATURE,
  )
  t.throws(
    () => decodeBlock(rlpEncode([header, [legacy], []])),
    { code: 'FIELD_KIND' },
    'a legacy transaction in a string',
  )
  t.equal(decodeBlock(rlpEncode([header, [rlpDecode(legacy)], []])).transactions.length, 1)
})

t.test('block: mutated bytes are refused by a typed error or encode back', async (t) => {
  fc.assert(
    fc.property(anyBlock, fc.nat(), fc.integer({ min: 0, max: 255 }), (block, at, byte) => {
      const bytes = encodeBlock(block)
      bytes[at % bytes.length] = byte
      try {
        t.equal(toHex(encodeBlock(decodeBlock(bytes))), toHex(bytes))
      } catch (error) {
        if (!(error instanceof CodedError)) throw error
      }
    }),
    { numRuns: 200 },
  )
})

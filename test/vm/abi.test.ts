/** ABI: parser, codec and interface against viem and the public vectors. */
import fc from 'fast-check'
import t from 'tap'
import {
  type AbiParameter,
  decodeErrorResult,
  decodeFunctionData,
  encodeAbiParameters,
  encodeErrorResult,
  encodeEventTopics,
  encodeFunctionData,
  encodeFunctionResult,
  parseAbiParameters,
  toFunctionSelector,
  parseAbi as viemParseAbi,
} from 'viem'
import { dataPortraitAbi } from '../../src/contracts/dataPortrait.abi.js'
import { dataSharingAbi } from '../../src/contracts/dataSharing.abi.js'
import { keyAgreementAbi } from '../../src/contracts/keyAgreement.abi.js'
import { membersAbi } from '../../src/contracts/members.abi.js'
import { sealersAbi } from '../../src/contracts/sealers.abi.js'
import { type Address, fromHex, type Hash, type Hex, toHex } from '../../src/core/bytes.js'
import { ContractAbi } from '../../src/vm/abi.js'
import { decodeTuple, encodeTuple, TupleCodec } from '../../src/vm/abiCodec.js'
import { AbiParseError, parseAbi, parseParameters } from '../../src/vm/abiParse.js'
import { AbiError } from '../../src/vm/abiReader.js'
import { readVector, skipWithoutVectors } from '../vectors.js'

const CONTRACTS = { membersAbi, dataPortraitAbi, dataSharingAbi, keyAgreementAbi, sealersAbi }

t.test('every contract ABI parses as viem parses it', async (t) => {
  for (const [name, lines] of Object.entries(CONTRACTS)) {
    t.same(parseAbi(lines), viemParseAbi(lines as readonly string[]), name)
  }
})

t.test('selectors are those of viem', async (t) => {
  for (const lines of Object.values(CONTRACTS)) {
    const abi = new ContractAbi(lines as readonly string[])
    for (const item of abi.json) {
      if (item.type === 'function') t.equal(abi.selector(item.name as never), toFunctionSelector(item), item.name)
    }
  }
})

t.test('the parser refuses what it does not know', async (t) => {
  t.throws(() => parseAbi(['function a(uint7x b)']), { code: 'UNKNOWN_TYPE' })
  t.throws(() => parseAbi(['contract A {}']), { code: 'SYNTAX' })
  t.throws(() => parseAbi(['function a(uint256 b']), AbiParseError)
  t.throws(() => parseAbi(['struct S uint8 a;']), { code: 'SYNTAX' })
})

/** Values for viem (hex bytes) and for this codec (Uint8Array) of one type. */
interface Case {
  readonly type: string
  readonly ours: unknown
  readonly theirs: unknown
}

const hex = (bytes: Uint8Array): Hex => toHex(bytes)
const elementary: fc.Arbitrary<Case> = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }).map((v) => ({ type: 'uint256', ours: v, theirs: v })),
  fc.bigInt({ min: -(2n ** 255n), max: 2n ** 255n - 1n }).map((v) => ({ type: 'int256', ours: v, theirs: v })),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((v) => ({ type: 'uint64', ours: v, theirs: v })),
  fc.nat(255).map((v) => ({ type: 'uint8', ours: v, theirs: v })),
  fc.nat(2 ** 31 - 1).map((v) => ({ type: 'uint32', ours: v, theirs: v })),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map((v) => ({ type: 'int32', ours: v, theirs: v })),
  fc.boolean().map((v) => ({ type: 'bool', ours: v, theirs: v })),
  fc.string({ unit: 'binary' }).map((v) => ({ type: 'string', ours: v, theirs: v })),
  fc.uint8Array({ maxLength: 70 }).map((v) => ({ type: 'bytes', ours: v, theirs: hex(v) })),
  fc.uint8Array({ minLength: 20, maxLength: 20 }).map((v) => ({ type: 'address', ours: hex(v), theirs: hex(v) })),
  fc
    .integer({ min: 1, max: 32 })
    .chain((n) =>
      fc.uint8Array({ minLength: n, maxLength: n }).map((v) => ({ type: `bytes${n}`, ours: hex(v), theirs: hex(v) })),
    ),
)

interface Tree {
  readonly parameter: AbiParameter
  readonly ours: unknown
  readonly theirs: unknown
}

const leaf = elementary.map(({ type, ours, theirs }) => ({
  parameter: { type, name: 'v' } as AbiParameter,
  ours,
  theirs,
}))

const listOf = (tree: Tree, count: number): Tree => ({
  parameter: { ...tree.parameter, type: `${tree.parameter.type}[]` } as AbiParameter,
  ours: Array.from({ length: count }, () => tree.ours),
  theirs: Array.from({ length: count }, () => tree.theirs),
})

function tupleOf(trees: readonly Tree[]): Tree {
  const named = trees.map((tree, i) => [`f${i}`, tree] as const)
  return {
    parameter: {
      type: 'tuple',
      name: 'v',
      components: named.map(([name, tree]) => ({ ...tree.parameter, name })),
    } as AbiParameter,
    ours: Object.fromEntries(named.map(([name, tree]) => [name, tree.ours])),
    theirs: Object.fromEntries(named.map(([name, tree]) => [name, tree.theirs])),
  }
}

const { value: anyValue } = fc.letrec<{ value: Tree }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.tuple(tie('value'), fc.nat(3)).map(([tree, count]) => listOf(tree, count)),
    fc.array(tie('value'), { minLength: 1, maxLength: 4 }).map(tupleOf),
  ),
}))

t.test('any value encodes as viem encodes it, and decodes to itself', async (t) => {
  fc.assert(
    fc.property(fc.array(anyValue, { minLength: 1, maxLength: 4 }), (trees) => {
      const parameters = trees.map((tree, i) => ({ ...tree.parameter, name: `p${i}` }))
      const codec = new TupleCodec(parameters)
      const values = Object.fromEntries(trees.map((tree, i) => [`p${i}`, tree.ours]))
      const bytes = encodeTuple(codec, values)
      const expected = encodeAbiParameters(
        parameters,
        trees.map((tree) => tree.theirs),
      )
      if (toHex(bytes) !== expected) throw new Error(`${toHex(bytes)} is not ${expected}`)
      t.same(decodeTuple(codec, bytes), values)
    }),
    { numRuns: 300 },
  )
})

t.test('damaged encodings are refused or decode to what encodes back to them', async (t) => {
  const codec = new TupleCodec(parseParameters('uint32 a, (bytes32 id, bytes data, uint8[] list)[] items, string text'))
  const item = { id: `0x${'ab'.repeat(32)}`, data: Uint8Array.of(1, 2, 3), list: [1, 2] }
  const good = encodeTuple(codec, { a: 7, items: [item, item], text: 'concordat' })
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, byte, length) => {
      const bytes = good.slice(0, length > good.length / 2 ? length : good.length)
      if (at < bytes.length) bytes[at] = byte
      try {
        t.same(encodeTuple(codec, decodeTuple(codec, bytes)), bytes)
      } catch (error) {
        if (!(error instanceof AbiError)) throw error
      }
    }),
    { numRuns: 2_000 },
  )
})

t.test('decoding is strict', async (t) => {
  const codec = new TupleCodec(parseParameters('address to, bool flag, uint8 small, bytes data'))
  const good = encodeTuple(codec, { to: `0x${'11'.repeat(20)}`, flag: true, small: 9, data: Uint8Array.of(1, 2) })
  const damaged = (at: number, byte: number) => {
    const bytes = good.slice()
    bytes[at] = byte
    return () => decodeTuple(codec, bytes)
  }
  t.throws(damaged(0, 1), { code: 'OUT_OF_RANGE', path: 'to' }, 'address with a 21st byte')
  t.throws(damaged(63, 2), { code: 'OUT_OF_RANGE', path: 'flag' }, 'bool of 2')
  t.throws(damaged(94, 1), { code: 'OUT_OF_RANGE', path: 'small' }, 'uint8 of 265')
  t.throws(damaged(127, 0xa0), { code: 'NOT_CANONICAL', path: 'data' }, 'offset beyond the tail')
  t.throws(damaged(127, 0x60), { code: 'NOT_CANONICAL' }, 'offset into the head')
  t.throws(damaged(156, 1), { code: 'OUT_OF_BOUNDS', path: 'data' }, 'length beyond the end')
  t.throws(damaged(150, 1), { code: 'OUT_OF_RANGE', path: 'data' }, 'length of 2^72')
  t.throws(damaged(190, 1), { code: 'NOT_CANONICAL', path: 'data' }, 'padding')
  t.throws(() => decodeTuple(codec, good.subarray(0, 190)), { code: 'OUT_OF_BOUNDS' }, 'cut off')
  t.throws(() => decodeTuple(codec, new Uint8Array([...good, 0])), { code: 'TRAILING_BYTES' }, 'trailing byte')
})

t.test('an array cannot claim more items than there are bytes', async (t) => {
  const codec = new TupleCodec(parseParameters('uint256[][] lists'))
  const bomb = encodeTuple(codec, { lists: [[], [], []] })
  bomb.fill(0xff, 32 + 26, 64)
  t.throws(() => decodeTuple(codec, bomb), { code: 'OUT_OF_BOUNDS', path: 'lists' })
  const shared = encodeTuple(codec, { lists: [[1n], [2n]] })
  shared.set(shared.subarray(64, 96), 96)
  t.throws(() => decodeTuple(codec, shared), { code: 'NOT_CANONICAL', path: 'lists[1]' }, 'two offsets to one tail')
})

t.test('encoding names the field that does not fit', async (t) => {
  const codec = new TupleCodec(parseParameters('(uint8 small, address to)[] items'))
  const to = `0x${'11'.repeat(20)}`
  t.throws(() => encodeTuple(codec, { items: [{ small: 256, to }] }), { path: 'items[0].small', code: 'OUT_OF_RANGE' })
  t.throws(() => encodeTuple(codec, { items: [{ small: 1, to: '0x12' }] }), {
    path: 'items[0].to',
    code: 'TYPE_MISMATCH',
  })
  t.throws(() => encodeTuple(codec, { items: [{ small: 1.5, to }] }), { code: 'TYPE_MISMATCH' })
  t.throws(() => encodeTuple(codec, { items: 1 }), { path: 'items', code: 'TYPE_MISMATCH' })
})

t.test('calls, results, events and errors agree with viem', async (t) => {
  const abi = new ContractAbi(dataSharingAbi)
  const json = viemParseAbi(dataSharingAbi)
  const word = `0x${'ab'.repeat(32)}` as Hash
  const recipient = `0x${'cd'.repeat(20)}` as Address
  const envelope = Uint8Array.from({ length: 77 }, (_, i) => i)
  const part = { recipient, keyEpoch: 3n, attributes: [word, word], digests: [word, word] }
  const args = { enterpriseId: word, documentHash: word, portraitVersion: 2, parts: [{ ...part, envelope }] }
  const calldata = abi.encodeCall('StoreData', args)
  t.equal(
    toHex(calldata),
    encodeFunctionData({
      abi: json,
      functionName: 'StoreData',
      args: [word, word, 2, [{ ...part, envelope: toHex(envelope) }]],
    }),
  )
  t.same(abi.decodeCall('StoreData', calldata), args)
  t.equal(decodeFunctionData({ abi: json, data: toHex(calldata) }).functionName, 'StoreData')
  t.throws(() => abi.decodeCall('attest', calldata), { code: 'TYPE_MISMATCH' })

  const item = { attribute: word, digest: word, existence: 1, confirmed: true, answers: 1, answeredAt: 9n }
  const request = {
    enterpriseId: word,
    requester: recipient,
    purpose: word,
    height: 5n,
    deadline: 0n,
    completed: true,
    items: [item],
  }
  const { enterpriseId, requester, purpose, height, deadline, completed, items } = request
  const result = abi.encodeResult('requestOf', request)
  t.equal(
    toHex(result),
    encodeFunctionResult({
      abi: json,
      functionName: 'requestOf',
      result: [enterpriseId, requester, purpose, height, deadline, completed, items],
    }),
  )
  t.same(abi.decodeResult('requestOf', result), request)
  t.same(abi.decodeResult('submissionCount', abi.encodeResult('submissionCount', 7n)), 7n)

  const event = { submissionId: 7n, enterpriseId: word, recipient, part: 1 }
  const log = abi.encodeEvent('DataStored', event)
  t.same(log.topics, encodeEventTopics({ abi: json, eventName: 'DataStored', args: event }))
  t.same(abi.decodeEvent('DataStored', log), event)
  t.equal(abi.decodeEvent('Attested', log), undefined)

  const fault = { recipient, given: 1n, current: 2n }
  const revertData = abi.encodeError('StaleKeyEpoch', fault)
  t.equal(toHex(revertData), encodeErrorResult({ abi: json, errorName: 'StaleKeyEpoch', args: [recipient, 1n, 2n] }))
  t.same(abi.decodeError(revertData), { name: 'StaleKeyEpoch', args: fault })
  const text = abi.encodeError('Error', { message: 'why' })
  t.same(decodeErrorResult({ abi: json, data: toHex(text) }).args, ['why'])
  t.equal(abi.decodeError(fromHex('0x01020304')), undefined)
})

t.test('ethereum-tests ABITests', { skip: skipWithoutVectors }, async (t) => {
  const vectors = readVector<Record<string, { args: unknown[]; types: string[]; result: string }>>(
    'ethereum-tests/ABITests/basic_abi_tests.json',
  )
  for (const [name, { args, types, result }] of Object.entries(vectors)) {
    const parameters = parseAbiParameters(types.join(','))
    const codec = new TupleCodec(parameters)
    const values = Object.fromEntries(args.map((arg, i) => [String(i), ours(types[i]!, arg)]))
    t.equal(toHex(encodeTuple(codec, values)).slice(2), result, name)
    t.same(decodeTuple(codec, fromHex(`0x${result}`)), values, `${name} decoded`)
  }
})

function ours(type: string, arg: unknown): unknown {
  if (type === 'bytes') return new TextEncoder().encode(arg as string)
  if (type === 'bytes10') return toHex(new TextEncoder().encode(arg as string))
  return type === 'uint256' ? BigInt(arg as number) : arg
}

/** Storage layout against Solidity's rules, computed independently with viem, on the state that contracts really write. */
import t from 'tap'
import { concat, encodeAbiParameters, keccak256, numberToHex, padHex, stringToHex } from 'viem'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { systemContracts } from '../../src/contracts/registry.js'
import { type Address, type Hash, type Hex, ZERO_HASH } from '../../src/core/bytes.js'
import { systemHost } from '../../src/vm/host.js'
import { ScratchState } from '../../src/vm/scratchState.js'
import {
  arraySlot,
  loadText,
  loadWords,
  mappingSlot,
  packed,
  slotAfter,
  slotAt,
  storeText,
  storeWords,
} from '../../src/vm/storage.js'
import { CAPITAL, ENTERPRISE, ENTERPRISE_ID, ENVELOPE, MARKET, OPERATOR, World, word } from '../contracts/world.js'

const uint = (value: number | bigint) => numberToHex(value, { size: 32 })
/** keccak256(abi.encode(key, slot)) for a value-type key. */
const ofMapping = (type: 'address' | 'bytes32' | 'uint256', key: unknown, slot: Hex) =>
  keccak256(encodeAbiParameters([{ type }, { type: 'bytes32' }], [key as never, slot])) as Hash
const plus = (slot: Hex, by: number) => uint((BigInt(slot) + BigInt(by)) % 2n ** 256n) as Hash
const read = (world: World, contract: keyof typeof CONTRACT_ADDRESSES, slot: Hex) =>
  world.state.storage(CONTRACT_ADDRESSES[contract], slot as Hash)

function host() {
  const world = new World()
  return systemHost(new ScratchState(world.state), CONTRACT_ADDRESSES.members, world.block)
}

t.test('slots of mappings, arrays and neighbours', async (t) => {
  const h = host()
  for (let round = 0; round < 2; round++) {
    t.equal(mappingSlot(h, slotAt(3), MARKET), ofMapping('address', MARKET, uint(3)), 'also when remembered')
    t.equal(mappingSlot(h, slotAt(9), word('k')), ofMapping('bytes32', word('k'), uint(9)))
  }
  t.equal(arraySlot(h, slotAt(2)), keccak256(uint(2)))
  for (const slot of [uint(0), uint(250), word('s'), `0x${'ff'.repeat(31)}fe`, `0x00${'ff'.repeat(31)}`] as Hash[]) {
    for (const by of [0, 1, 5, 6, 255, 256, 70_000]) t.equal(slotAfter(slot, by), plus(slot, by), `${slot} + ${by}`)
  }
})

t.test('packed words put the first field lowest', async (t) => {
  const struct = packed({ a: 'uint8', b: 'bool', c: 'address', d: 'uint64' })
  const values = { a: 0x12, b: true, c: `0x${'cd'.repeat(20)}` as Address, d: 2n ** 64n - 1n }
  const expected = concat(['0x0000', `0x${'ff'.repeat(8)}`, values.c, '0x01', '0x12'])
  t.equal(struct.write(values), expected)
  t.same(struct.read(expected as Hash), values)
  t.throws(() => struct.write({ ...values, a: 256 }), { message: /a does not fit uint8/ })
  t.throws(() => struct.write({ ...values, d: -1n }), { message: /d does not fit uint64/ })
  t.throws(() => packed({ a: 'address', b: 'uint128' }), { message: /exceed one word/ })
})

t.test('strings and word arrays, as they grow and shrink', async (t) => {
  const h = host()
  const slot = slotAt(77)
  for (const text of ['', 'short', 'x'.repeat(31), 'x'.repeat(32), '市'.repeat(40), 'short again']) {
    storeText(h, slot, text)
    t.equal(loadText(h, slot), text)
  }
  t.equal(h.load(slot), concat([padHex(stringToHex('short again'), { size: 31, dir: 'right' }), numberToHex(22)]))
  storeText(h, slot, 'x'.repeat(33))
  t.equal(h.load(slot), uint(67), 'long: length * 2 + 1')
  t.equal(h.load(keccak256(slot) as Hash), stringToHex('x'.repeat(32)))
  const list = slotAt(78)
  for (const count of [3, 5, 1, 0]) {
    const words = Array.from({ length: count }, (_, i) => word(`item ${i}`))
    storeWords(h, list, words)
    t.same(loadWords(h, list), words)
    t.equal(h.load(plus(keccak256(list), count)), ZERO_HASH, 'what lies behind is cleared')
  }
})

t.test('golden slots: members', async (t) => {
  const world = new World()
  const member = ofMapping('address', MARKET, uint(0))
  t.equal(read(world, 'members', member), uint(0x02 | (0x01 << 8) | (1 << 16)), 'role, status, keyEpoch, since')
  t.equal(read(world, 'members', plus(member, 1)), padHex(stringToHex('market-regulation'), { size: 32, dir: 'right' }))
  t.equal(read(world, 'members', plus(member, 2)), word('key of market-regulation'))
  t.equal(read(world, 'members', ofMapping('bytes32', ENTERPRISE_ID, uint(1))), padHex(ENTERPRISE, { size: 32 }))
  t.equal(read(world, 'members', uint(2)), uint(7), 'accounts.length')
  t.equal(read(world, 'members', keccak256(uint(2))), padHex(OPERATOR, { size: 32 }), 'accounts[0]')
  t.equal(
    read(world, 'members', ofMapping('uint256', 1n, ofMapping('address', MARKET, uint(3)))),
    word('key of market-regulation'),
  )
})

t.test('golden slots: dataPortrait and dataSharing', async (t) => {
  const world = new World()
  const entry = ofMapping('bytes32', CAPITAL, uint(0))
  t.equal(read(world, 'dataPortrait', entry), uint(BigInt(MARKET) | (1n << 160n) | (1n << 192n)))
  const part = { recipient: MARKET, keyEpoch: 1n, attributes: [CAPITAL], digests: [word('d')], envelope: ENVELOPE }
  const args = { enterpriseId: ENTERPRISE_ID, documentHash: word('doc'), portraitVersion: 2, parts: [part] }
  world.must('dataSharing', ENTERPRISE, 'StoreData', args)
  const submission = ofMapping('uint256', 1n, uint(3))
  t.equal(read(world, 'dataSharing', uint(0)), uint(1), 'submissionCount')
  t.equal(read(world, 'dataSharing', submission), ENTERPRISE_ID)
  t.equal(read(world, 'dataSharing', plus(submission, 1)), word('doc'))
  t.equal(read(world, 'dataSharing', plus(submission, 2)), uint(2n | (1n << 32n) | (1n << 96n)))
  t.equal(read(world, 'dataSharing', plus(submission, 3)), uint(BigInt(MARKET) | (1n << 160n)), 'parts[0]')
  t.equal(read(world, 'dataSharing', ofMapping('bytes32', ENTERPRISE_ID, uint(6))), uint(2), 'portrait version')

  const digest = word('d')
  world.must('dataSharing', MARKET, 'SetUserProfile', {
    enterpriseId: ENTERPRISE_ID,
    attribute: CAPITAL,
    digest,
    existence: 1,
    confirmed: true,
  })
  const portrait = ofMapping('bytes32', CAPITAL, ofMapping('bytes32', ENTERPRISE_ID, uint(9)))
  const kept = ofMapping('bytes32', digest, plus(portrait, 1))
  const head = (1n << 32n) | (1n << 40n) | (1n << 48n) | (1n << 64n)
  t.equal(read(world, 'dataSharing', kept), uint(head), 'existence, confirmed, attesters, height')
  t.equal(read(world, 'dataSharing', plus(kept, 1)), padHex(MARKET, { size: 32 }))
})

t.test('system contracts have code', async (t) => {
  const world = new World()
  t.equal(systemContracts.size, Object.keys(CONTRACT_ADDRESSES).length)
  for (const { address, code, name } of systemContracts.values()) {
    t.same(world.state.code(address), code)
    t.equal(code[0], 0xef)
    t.match(new TextDecoder().decode(code.subarray(1)), new RegExp(`^concordat:${name}:[1-9]$`))
  }
})

import t from 'tap'
import { type Address, fromHex } from '../../src/core/bytes.js'
import { guestsMax, inboundFrameCostBytes, peersMax, sealersMax, streamWindowBytesMax } from '../../src/core/limits.js'
import { FaultLedger } from '../../src/p2p/faultLedger.js'
import type { HostConnection } from '../../src/p2p/host.js'
import {
  addressOfPrivateKey,
  listenMultiaddr,
  nodeMultiaddr,
  parsePeerMultiaddr,
  peerIdOf,
} from '../../src/p2p/identity.js'
import { InboundBudget } from '../../src/p2p/inboundBudget.js'
import { Reporter } from '../../src/p2p/reporter.js'
import { hasRoom, replaces } from '../../src/p2p/session.js'
import { defaultTuning, redialDelayMs } from '../../src/p2p/tuning.js'
import { YamuxGuard } from '../../src/p2p/yamuxGuard.js'

const low = `0x${'11'.repeat(20)}` as Address
const high = `0x${'ee'.repeat(20)}` as Address

// Key of https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md#test-vectors
const specPrivateKey = fromHex('0x53dadf1d5a164d6b4acdb15e24aa4c5b1d3461bdbd42abedb0a4404d56ced8fb')
const specPublicKey = fromHex('0x037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99')

t.test('one key has one peer id, one address, one multiaddr', (t) => {
  t.equal(peerIdOf(specPrivateKey), peerIdOf(specPublicKey))
  t.match(peerIdOf(specPrivateKey), /^16Uiu2HA[1-9A-HJ-NP-Za-km-z]{45}$/)
  const one = new Uint8Array(32)
  one[31] = 1
  t.equal(addressOfPrivateKey(one), '0x7e5f4552091a69125d5dfcb7b8c2659029395bdf')
  const text = nodeMultiaddr('127.0.0.1', 7000, one)
  t.equal(text, `/ip4/127.0.0.1/tcp/7000/p2p/${peerIdOf(one)}`)
  t.equal(parsePeerMultiaddr(text).address, addressOfPrivateKey(one))
  t.equal(listenMultiaddr('::1', 0), '/ip6/::1/tcp/0')
  t.equal(listenMultiaddr('node1.example.org', 1), '/dns/node1.example.org/tcp/1')
  t.throws(() => listenMultiaddr('127.0.0.1', 70000), { code: 'ADDRESS_INVALID' })
  t.throws(() => listenMultiaddr('a b/tcp/1', 1), { code: 'ADDRESS_INVALID' })
  t.end()
})

const connection = (address: Address, outbound: boolean): HostConnection => ({
  address,
  outbound,
  openStream: () => Promise.reject(new Error('unused')),
  abort: () => {},
})

t.test('of two crossed connections both sides keep the same one; otherwise the newer counts', (t) => {
  // The one that `low` dialled is outbound at `low` and inbound at `high`.
  const keptAt = (self: Address, peer: Address, newOutbound: boolean, ageMs: number): boolean => {
    const current = { connection: connection(peer, !newOutbound), ageMs }
    return replaces(connection(peer, newOutbound), current, self, 1000)
  }
  t.equal(keptAt(low, high, true, 0), true)
  t.equal(keptAt(low, high, false, 0), false)
  t.equal(keptAt(high, low, false, 0), true)
  t.equal(keptAt(high, low, true, 0), false)
  t.equal(keptAt(high, low, true, 1000), true, 'an old connection gives way')
  t.equal(replaces(connection(high, true), { connection: connection(high, true), ageMs: 0 }, low, 1000), true)
  t.end()
})

t.test('five quick faults refuse a peer, slow ones do not', (t) => {
  const ledger = new FaultLedger(1000)
  for (let i = 0; i < 4; i++) t.notOk(ledger.add(low, 10_000 + i))
  t.notOk(ledger.isBanned(low, 10_010))
  t.ok(ledger.add(low, 10_010))
  t.ok(ledger.isBanned(low, 11_009))
  t.notOk(ledger.isBanned(low, 11_010))
  t.notOk(ledger.isBanned(high, 10_020))
  for (let i = 0; i < 50; i++) t.notOk(ledger.add(high, 20_000 + i * 10_000))
  t.end()
})

t.test('the inbound budget lets a second of bytes through at once, then its rate', (t) => {
  const budget = new InboundBudget(0, 1_000_000)
  t.equal(budget.spend(1_000_000, 0, 0), 0)
  t.equal(budget.spend(100_000, 0, 0), 100)
  t.equal(budget.spend(0, 0, 100), 0)
  t.equal(budget.spend(0, 10, 100), (10 * inboundFrameCostBytes) / 1000)
  t.end()
})

t.test('delays before dialling again grow to their cap', (t) => {
  t.equal(redialDelayMs(defaultTuning, 0, 1), defaultTuning.redialMs)
  t.equal(redialDelayMs(defaultTuning, 0, 0), defaultTuning.redialMs / 2)
  t.equal(redialDelayMs(defaultTuning, 3, 1), defaultTuning.redialMs * 8)
  t.equal(redialDelayMs(defaultTuning, 1_000_000, 1), defaultTuning.redialMsMax)
  t.end()
})

t.test('reports are counted all and shown a few', (t) => {
  let time = 0
  const shown: string[] = []
  const reporter = new Reporter(
    ({ message }) => shown.push(message),
    () => time,
  )
  for (let i = 0; i < 100; i++) reporter.report('STRANGER_REFUSED', undefined, 'stranger')
  reporter.report('PING_TIMEOUT', low, 'silence')
  time = 1000
  reporter.report('STRANGER_REFUSED', undefined, 'stranger')
  t.equal(reporter.counts().get('STRANGER_REFUSED'), 101)
  t.same(shown, [...Array(5).fill('stranger'), 'silence', 'stranger (95 more like it were not shown)'])
  t.end()
})

const transportFrame = (type: number, flags: number, length: number, data = 0): Uint8Array => {
  const bytes = new Uint8Array(12 + data)
  bytes.set([0, type, flags >> 8, flags, 0, 0, 0, 1])
  new DataView(bytes.buffer).setUint32(8, length)
  return bytes
}

t.test('the transport guard lets honest frames through and stops false ones', (t) => {
  const honest = new YamuxGuard(0)
  const stream = [
    transportFrame(1, 1, 0),
    transportFrame(0, 0, 40, 40),
    transportFrame(2, 1, 7),
    transportFrame(0, 0, 0),
  ]
  const bytes = new Uint8Array(Buffer.concat(stream))
  for (let at = 0; at < bytes.length; at += 5) honest.inspect(bytes.subarray(at, at + 5), 0)
  t.throws(() => honest.inspect(transportFrame(0, 0, streamWindowBytesMax + 1), 0), { name: 'TransportFault' })
  t.throws(() => new YamuxGuard(0).inspect(transportFrame(0, 0, 0xffffffff), 0), { message: /4294967295 bytes/ })
  t.throws(() => new YamuxGuard(0).inspect(transportFrame(9, 0, 0), 0), { name: 'TransportFault' })
  const floods = [transportFrame(2, 1, 0), transportFrame(1, 1, 0)]
  for (const frame of floods) {
    const guard = new YamuxGuard(0)
    for (let i = 0; i < 64; i++) guard.inspect(frame, 0)
    t.throws(() => guard.inspect(frame, 0), { message: /too many/ })
    guard.inspect(frame, 2000)
  }
  const tiny = new Uint8Array(12 * 1000)
  const guard = new YamuxGuard(0)
  for (let i = 0; i < 100; i++) guard.inspect(tiny, 0)
  t.throws(() => guard.inspect(tiny, 0), { message: /frames in a second/ })
  t.end()
})

t.test('observers leave a place for every sealer', (t) => {
  const [guest, peer] = [
    { isKnown: false, admission: 'guest' },
    { isKnown: false, admission: 'peer' },
  ] as const
  t.ok(hasRoom(guest, { all: guestsMax - 1, guests: guestsMax - 1 }))
  t.notOk(hasRoom(guest, { all: guestsMax, guests: guestsMax }))
  t.ok(hasRoom(peer, { all: guestsMax, guests: guestsMax }))
  t.notOk(hasRoom(peer, { all: peersMax, guests: 0 }))
  t.ok(
    hasRoom({ isKnown: true, admission: 'guest' }, { all: peersMax, guests: guestsMax }),
    'who is dialled or there already',
  )
  t.ok(guestsMax + sealersMax <= peersMax)
  t.end()
})

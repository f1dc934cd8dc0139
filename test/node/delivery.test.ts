/** Envelopes from node to node: nodes that are away, restart, lose or lie; budgets, expiry, erasure. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  envelopeBytesMax,
  envelopeBytesPerSecondMax,
  envelopeCostBytes,
  storedEnvelopeOverheadBytes,
} from '../../src/core/limits.js'
import { claimDigest } from '../../src/crypto/envelopeSlip.js'
import { secp256k1 } from '../../src/crypto/secp256k1.js'
import { encodeDeliveryMessage } from '../../src/node/delivery/messages.js'
import { RateBucket } from '../../src/node/delivery/rate.js'
import { idText } from '../../src/node/delivery/records.js'
import { CHANNEL } from '../../src/p2p/network.js'
import type { EnvelopeKey } from '../../src/rpc/deliveryApi.js'
import { eventually } from '../support/localNetwork.js'
import { addressOf, CHAIN_ID, DeliveryNodes, folderHolds, handed, keyOf, type TestNode } from './deliveryNodes.js'

/** Keys: 1 carries, 2 receives, 3 relays, 9 sends. */
const CARRIER = 1
const RECIPIENT = 2
const RELAY = 3
const SENDER = 9
const sender = addressOf(SENDER)
const recipients = [addressOf(RECIPIENT)]
const WAIT_MS = 30_000

/** Bytes that are found nowhere by chance. */
const bodyOf = (fill: number, bytes = 300) => Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + fill * 31) & 255)
const claim = (id: EnvelopeKey, n = RECIPIENT) => secp256k1.sign(claimDigest(CHAIN_ID, id.sender, id.hash), keyOf(n))
const idOf = ({ slip }: ReturnType<typeof handed>): EnvelopeKey => ({ sender, hash: slip.hash })

async function pair(t: Test, carrierOptions = {}) {
  const nodes = new DeliveryNodes(t)
  const carrier = await nodes.start(CARRIER, carrierOptions)
  const recipient = await nodes.start(RECIPIENT)
  return { nodes, carrier, recipient, chain: nodes.chain }
}

const holds = (node: TestNode, id: EnvelopeKey) => node.delivery.status(id).state === 'held'

t.test('an envelope is durable with carrier and recipient before it counts as delivered', async (t) => {
  const { carrier, recipient } = await pair(t)
  const envelope = handed(SENDER, bodyOf(1), recipients)
  const id = idOf(envelope)
  t.equal(carrier.delivery.status(id).state, 'unknown')
  const status = await carrier.delivery.deliver(envelope, WAIT_MS)
  t.match(status, { ...id, carrier: carrier.address, state: 'delivered', lengthBytes: 300, expiresAt: 1_000 })
  t.same(status.recipients, [{ address: recipient.address, delivered: true }])
  t.ok(holds(recipient, id))
  for (const node of [carrier, recipient]) t.ok(await folderHolds(node.dir, envelope.body))
  t.same(await recipient.delivery.envelope(id, claim(id)), envelope.body)
  await t.rejects(recipient.delivery.envelope(id, claim(id, SENDER)), { code: 'NOT_A_RECIPIENT' })
  await t.rejects(recipient.delivery.envelope(id, new Uint8Array(65)), { code: 'BAD_SIGNATURE' })
  const again = await carrier.delivery.deliver(envelope, WAIT_MS)
  t.equal(again.state, 'delivered', 'a second time changes nothing')
  t.equal(carrier.delivery.counts().stored, 1)
})

t.test('a recipient whose node is away gets it when it is back; restarts of both lose nothing', async (t) => {
  const nodes = new DeliveryNodes(t)
  const first = await nodes.start(CARRIER)
  const envelope = handed(SENDER, bodyOf(2), recipients)
  const id = idOf(envelope)
  t.equal((await first.delivery.deliver(envelope, 0)).state, 'waiting')
  await first.stop()
  const second = await nodes.start(CARRIER)
  t.equal(second.delivery.status(id).state, 'waiting', 'after a restart')
  t.equal(second.delivery.counts().waiting, 1)
  const [overdue, ...more] = second.delivery.overdue()
  t.same(more, [])
  t.match(overdue, { recipient: addressOf(RECIPIENT), waiting: 1 })
  await eventually(() => second.delivery.overdue()[0]!.longestMs > overdue!.longestMs, 'time to pass')
  const recipient = await nodes.start(RECIPIENT)
  await eventually(() => second.delivery.status(id).state === 'delivered', 'the delivery')
  t.equal(second.delivery.counts().waiting, 0)
  t.same(second.delivery.overdue(), [])
  await second.stop()
  await recipient.stop()
  const back = await nodes.start(RECIPIENT)
  t.same(await back.delivery.envelope(id, claim(id)), envelope.body, 'the carrier is gone, the recipient has it')
})

t.test('a node without a connection to the recipient goes past a sealer, which keeps nothing', async (t) => {
  const nodes = new DeliveryNodes(t)
  nodes.hub.cut(addressOf(CARRIER), addressOf(RECIPIENT))
  nodes.chain.relays.add(addressOf(RELAY))
  const [carrier, recipient, relay] = await Promise.all([CARRIER, RECIPIENT, RELAY].map((n) => nodes.start(n)))
  const envelope = handed(SENDER, bodyOf(3), recipients)
  const status = await carrier!.delivery.deliver(envelope, WAIT_MS)
  t.equal(status.state, 'delivered')
  t.ok(holds(recipient!, idOf(envelope)))
  t.equal(relay!.delivery.counts().stored, 0)
  t.notOk(await folderHolds(relay!.dir, envelope.body))
})

t.test('a recipient that lost its bytes claims them from the carrier, as long as it is the recipient', async (t) => {
  const { nodes, carrier, recipient } = await pair(t)
  const envelope = handed(SENDER, bodyOf(4), recipients)
  const id = idOf(envelope)
  await carrier.delivery.deliver(envelope, WAIT_MS)
  await nodes.chain.announce(id, recipient.address, carrier.address, 1_000)
  await writeFile(join(recipient.dir, 'bodies', idText(id)), bodyOf(5))
  t.equal(await recipient.delivery.envelope(id, claim(id)), null, 'changed bytes are none')
  const found = await eventually(() => recipient.delivery.envelope(id, claim(id)), 'the bytes from the carrier')
  t.same(found, envelope.body)
  const strange = await nodes.start(RELAY)
  await t.rejects(strange.delivery.envelope(id, claim(id, RELAY)), { code: 'NOT_A_RECIPIENT' })
})

t.test('what a sender may hand over', async (t) => {
  const room = 2 * (envelopeBytesMax + storedEnvelopeOverheadBytes)
  const { carrier, chain } = await pair(t, { senderBytesMax: room, bytesMax: room + 5_000 })
  const refused = async (envelope: ReturnType<typeof handed>, code: string) =>
    t.rejects(carrier.delivery.deliver(envelope, 0), { code }, code)
  await refused(handed(SENDER, bodyOf(0, envelopeBytesMax + 1), recipients), 'TOO_LARGE')
  await refused(handed(SENDER, new Uint8Array(0), recipients), 'TOO_LARGE')
  await refused({ ...handed(SENDER, bodyOf(1), recipients), body: bodyOf(2) }, 'HASH_MISMATCH')
  const forged = handed(SENDER, bodyOf(1), recipients)
  await refused({ ...forged, slip: { ...forged.slip, signature: new Uint8Array(65) } }, 'BAD_SIGNATURE')
  await refused(handed(SENDER, bodyOf(1), recipients, chain.height), 'EXPIRED')
  await refused(handed(SENDER, bodyOf(1), recipients, 2 ** 40), 'EXPIRES_TOO_LATE')
  chain.inactive.add(sender)
  await refused(handed(SENDER, bodyOf(1), recipients), 'NOT_PERMITTED')
  chain.inactive.clear()
  chain.inactive.add(recipients[0]!)
  await refused(handed(SENDER, bodyOf(1), recipients), 'BAD_RECIPIENTS')
  chain.inactive.clear()
  for (const n of [1, 2]) {
    const largest = await carrier.delivery.deliver(handed(SENDER, bodyOf(n, envelopeBytesMax), recipients), WAIT_MS)
    t.equal(largest.state, 'delivered', 'the largest envelope')
  }
  await refused(handed(SENDER, bodyOf(3, 1), recipients), 'OVER_BUDGET')
  const other = await carrier.delivery.deliver(handed(8, bodyOf(4, 100), recipients), WAIT_MS)
  t.equal(other.state, 'delivered', 'another sender has its own part')
  await t.rejects(carrier.delivery.deliver(handed(8, bodyOf(5, 2_000), recipients), 0), { code: 'OVER_BUDGET' }, 'full')
})

t.test('what peers send: corrupted, misdirected, malformed, too much', async (t) => {
  const { nodes, carrier, recipient } = await pair(t)
  nodes.now = () => 0
  const send = (envelope: ReturnType<typeof handed>, to = recipient.address) => {
    const message = { kind: 'envelope', to, from: carrier.address, ...envelope } as const
    carrier.network.send(recipient.address, CHANNEL.envelopes, encodeDeliveryMessage(message))
  }
  send({ ...handed(SENDER, bodyOf(1), recipients), body: bodyOf(2) })
  send(handed(SENDER, bodyOf(3), [addressOf(RELAY)]))
  carrier.network.send(recipient.address, CHANNEL.envelopes, Uint8Array.of(0xc0))
  const good = handed(SENDER, bodyOf(4), recipients)
  send(good)
  await eventually(() => holds(recipient, idOf(good)), 'the sound one')
  t.equal(recipient.delivery.counts().stored, 1)
  t.match(nodes.faults, [/^MALFORMED/])
  const bucket = new RateBucket(0, envelopeBytesPerSecondMax)
  const frames = Math.floor(envelopeBytesPerSecondMax / (envelopeCostBytes + 400))
  for (let i = 0; i < frames; i++) t.ok(bucket.take(envelopeCostBytes + 400, 0), 'within the budget')
  t.notOk(bucket.take(envelopeCostBytes + 400, 0), 'beyond it')
  t.ok(bucket.take(envelopeCostBytes + 400, 1_000), 'a second later')
})

t.test('a flood of one peer takes no more than its budget, and ends with it', async (t) => {
  const { nodes, carrier, recipient } = await pair(t)
  nodes.now = () => 0
  const most = Math.floor(envelopeBytesPerSecondMax / envelopeCostBytes)
  const frame = encodeDeliveryMessage({
    kind: 'receipt',
    to: recipient.address,
    from: carrier.address,
    sender,
    hash: handed(SENDER, bodyOf(1), recipients).slip.hash,
    signature: new Uint8Array(65),
  })
  for (let i = 0; i < 2 * most; i++) recipient.delivery.receive(carrier.address, frame)
  const envelope = handed(SENDER, bodyOf(1), recipients)
  t.equal((await carrier.delivery.deliver(envelope, 50)).state, 'waiting', 'it is not listened to')
  nodes.now = () => 60_000
  await eventually(() => carrier.delivery.status(idOf(envelope)).state === 'delivered', 'the delivery afterwards')
})

t.test('an envelope is gone after it expired, or when no transaction refers to it', async (t) => {
  const nodes = new DeliveryNodes(t)
  const options = { orphanBlocks: 5 }
  const carrier = await nodes.start(CARRIER, options)
  const recipient = await nodes.start(RECIPIENT, options)
  const { chain } = nodes
  const referred = handed(SENDER, bodyOf(1), recipients, 20)
  const orphan = handed(SENDER, bodyOf(2), recipients, 900)
  for (const envelope of [referred, orphan]) await carrier.delivery.deliver(envelope, WAIT_MS)
  await chain.announce(idOf(referred), recipient.address, carrier.address, 20)
  while (chain.height < 6) await chain.block()
  t.ok(holds(recipient, idOf(orphan)))
  await chain.block()
  for (const node of [carrier, recipient]) {
    t.equal(node.delivery.status(idOf(orphan)).state, 'orphaned')
    t.notOk(await folderHolds(node.dir, orphan.body))
    t.ok(await folderHolds(node.dir, referred.body))
  }
  await t.rejects(carrier.delivery.deliver(orphan, 0), { code: 'ERASED' })
  while (chain.height < 20) await chain.block()
  t.ok(holds(recipient, idOf(referred)), 'in its last block')
  await chain.block()
  for (const node of [carrier, recipient]) {
    t.equal(node.delivery.status(idOf(referred)).state, 'expired')
    t.notOk(await folderHolds(node.dir, referred.body))
  }
})

t.test('erasure: holders erase, confirm, and take it never again', async (t) => {
  const { nodes, carrier, recipient, chain } = await pair(t)
  const envelope = handed(SENDER, bodyOf(1), recipients)
  const id = idOf(envelope)
  await carrier.delivery.deliver(envelope, WAIT_MS)
  await chain.announce(id, recipient.address, carrier.address, 1_000)
  await recipient.stop()
  await chain.askErasure(id)
  t.same(chain.confirmed, [`${carrier.address} ${idText(id)}`])
  t.notOk(await folderHolds(carrier.dir, envelope.body))
  t.ok(await folderHolds(recipient.dir, envelope.body), 'a holder that is away is late')
  t.equal(carrier.delivery.status(id).state, 'erased')
  await t.rejects(carrier.delivery.deliver(envelope, 0), { code: 'ERASED' })

  const back = await nodes.start(RECIPIENT)
  t.equal(back.delivery.nextBlock, 3, 'it reads on where it was')
  await t.rejects(back.delivery.deliver(envelope, 0), { code: 'ERASED' }, 'by the chain, before the block is read')
  const again = await nodes.start(RELAY)
  await t.rejects(again.delivery.deliver(envelope, 0), { code: 'ERASED' }, 'a node that never had it')
})

t.test('a holder that was away erases and confirms when it reads the block', async (t) => {
  const { nodes, carrier, recipient, chain } = await pair(t)
  const envelope = handed(SENDER, bodyOf(1), recipients)
  const id = idOf(envelope)
  await carrier.delivery.deliver(envelope, WAIT_MS)
  await chain.announce(id, recipient.address, carrier.address, 1_000)
  await recipient.stop()
  await carrier.stop()
  await chain.askErasure(id)
  const back = await nodes.start(RECIPIENT)
  t.ok(await folderHolds(back.dir, envelope.body))
  await chain.reread(back.delivery)
  t.same(chain.confirmed, [`${recipient.address} ${idText(id)}`])
  t.notOk(await folderHolds(back.dir, envelope.body))
  await back.stop()
  const third = await nodes.start(RECIPIENT)
  t.equal(third.delivery.status(id).state, 'erased', 'the tombstone is durable')
  t.equal(third.delivery.counts().owed, 1, 'and what is owed, until the chain has it')
})

t.test('erasure while it is being delivered', async (t) => {
  const nodes = new DeliveryNodes(t)
  const carrier = await nodes.start(CARRIER)
  const envelope = handed(SENDER, bodyOf(1), recipients)
  const id = idOf(envelope)
  const delivering = carrier.delivery.deliver(envelope, WAIT_MS)
  await eventually(() => carrier.delivery.status(id).state === 'waiting', 'it is stored')
  await nodes.chain.announce(id, recipients[0]!, carrier.address, 1_000)
  await nodes.chain.askErasure(id)
  t.equal((await delivering).state, 'erased')
  t.equal(carrier.delivery.counts().waiting, 0)
  const recipient = await nodes.start(RECIPIENT)
  await t.rejects(recipient.delivery.envelope(id, claim(id)), { code: 'ERASED' })
  t.equal(recipient.delivery.counts().stored, 0)
})

import fc from 'fast-check'
import t from 'tap'
import {
  blocksQueueBytesMax,
  fragmentBytesMax,
  queuedFrameOverheadBytes,
  writeBytesMax,
} from '../../src/core/limits.js'
import { FrameDecoder, FrameFault, frameBytesMaxOf, type WireChannel } from '../../src/p2p/frames.js'
import { SendQueue } from '../../src/p2p/sendQueue.js'

interface Frame {
  readonly channel: WireChannel
  readonly payload: Uint8Array
}

function decodeAll(chunks: readonly Uint8Array[]): Frame[] {
  const frames: Frame[] = []
  const decoder = new FrameDecoder((channel, payload) => frames.push({ channel, payload }))
  for (const chunk of chunks) decoder.push(chunk)
  t.equal(decoder.heldBytes, 0)
  return frames
}

function encodeAll(frames: readonly Frame[]): Uint8Array {
  const queue = new SendQueue()
  const writes: Uint8Array[] = []
  for (const { channel, payload } of frames) t.ok(queue.push(channel, payload))
  for (let bytes = queue.take(); bytes !== undefined; bytes = queue.take()) {
    t.ok(bytes.length <= writeBytesMax)
    writes.push(bytes)
  }
  t.equal(queue.queuedBytes, 0)
  return new Uint8Array(Buffer.concat(writes))
}

function cut(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = []
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const end = Math.min(bytes.length, at + lengths[i % lengths.length]!)
    chunks.push(bytes.subarray(at, end))
    at = end
  }
  return chunks
}

const frameOf = fc.record({
  channel: fc.constantFrom<WireChannel>(0, 1, 2, 3, 4),
  size: fc.oneof(
    fc.nat(64),
    fc.nat(3 * fragmentBytesMax),
    fc.constantFrom(fragmentBytesMax - 1, fragmentBytesMax, fragmentBytesMax + 1),
  ),
  fill: fc.nat(255),
})

t.test('what was sent is what arrives, however the stream is cut; channels keep their order', (t) => {
  fc.assert(
    fc.property(
      fc.array(frameOf, { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 50_000 }), { minLength: 1, maxLength: 8 }),
      (specs, lengths) => {
        const frames = specs.map(({ channel, size, fill }) => ({
          channel,
          payload: new Uint8Array(Math.min(size, channel === 0 ? 60 : size)).map((_, i) => (i + fill) & 0xff),
        }))
        const received = decodeAll(cut(encodeAll(frames), lengths))
        for (const channel of [0, 1, 2, 3, 4]) {
          const sent = frames.filter((frame) => frame.channel === channel).map(({ payload }) => Buffer.from(payload))
          const got = received.filter((frame) => frame.channel === channel).map(({ payload }) => Buffer.from(payload))
          if (sent.length !== got.length || sent.some((payload, i) => !payload.equals(got[i]!))) return false
        }
        return true
      },
    ),
    { numRuns: 60 },
  )
  t.end()
})

t.test('no input makes the decoder fail otherwise than by FrameFault, or hold more than arrived', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), fc.boolean(), (bytes, plausible) => {
      if (plausible && bytes.length > 2) bytes.set([bytes[0]! & 0x83, 0, 0])
      const decoder = new FrameDecoder(() => {})
      try {
        decoder.push(bytes)
      } catch (error) {
        return error instanceof FrameFault
      }
      return decoder.heldBytes <= 5 * fragmentBytesMax
    }),
    { numRuns: 2000 },
  )
  t.end()
})

const header = (channel: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(5)
  bytes[0] = channel
  new DataView(bytes.buffer).setUint32(1, length)
  return bytes
}

t.test('a length is checked before anything is kept for it', (t) => {
  for (const channel of [0, 1, 2, 3, 4] as const) {
    const decoder = new FrameDecoder(() => {})
    t.throws(() => decoder.push(header(channel, frameBytesMaxOf[channel] + 1)), { code: 'FRAME_TOO_LARGE' })
    t.throws(() => new FrameDecoder(() => {}).push(header(channel, 0xffffffff)), { code: 'FRAME_TOO_LARGE' })
    const patient = new FrameDecoder(() => {})
    patient.push(header(channel, frameBytesMaxOf[channel]))
    t.ok(patient.heldBytes <= fragmentBytesMax, 'a claimed length alone holds one fragment at most')
  }
  t.end()
})

t.test('frames that break the rules', (t) => {
  const decoder = (): FrameDecoder => new FrameDecoder(() => {})
  t.throws(() => decoder().push(header(5, 1)), { code: 'CHANNEL_UNKNOWN' })
  t.throws(() => decoder().push(Uint8Array.of(0x85)), { code: 'CHANNEL_UNKNOWN' })
  t.throws(() => decoder().push(Uint8Array.of(0x81)), { code: 'CONTINUATION_UNEXPECTED' })
  const interrupted = decoder()
  interrupted.push(header(3, fragmentBytesMax + 10))
  interrupted.push(new Uint8Array(fragmentBytesMax))
  t.throws(() => interrupted.push(header(3, 1)), { code: 'FRAME_INTERRUPTED' })
  t.end()
})

t.test('a vote leaves before the rest of a block; transactions and blocks take turns', (t) => {
  const queue = new SendQueue()
  queue.push(3, new Uint8Array(10 * fragmentBytesMax).fill(3))
  queue.push(2, new Uint8Array(4 * fragmentBytesMax).fill(2))
  const order: number[] = []
  const channelsOf = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; ) {
      const channel = bytes[at]! & 0x7f
      order.push(channel)
      at += channel === 1 ? 6 : fragmentBytesMax + ((bytes[at]! & 0x80) === 0 ? 5 : 1)
    }
  }
  channelsOf(queue.take()!)
  queue.push(1, new Uint8Array(1))
  for (let bytes = queue.take(); bytes !== undefined; bytes = queue.take()) channelsOf(bytes)
  t.equal(order[1], 1, 'the vote is behind what was already handed to the transport, and ahead of all else')
  t.same(order.filter((channel) => channel !== 1).slice(0, 8), [2, 3, 2, 3, 2, 3, 2, 3])
  t.equal(order.length, 10 + 4 + 1)
  t.end()
})

t.test('an envelope waits for everything else', (t) => {
  const queue = new SendQueue()
  queue.push(4, new Uint8Array(2).fill(4))
  for (const channel of [3, 2, 1, 0] as const) queue.push(channel, new Uint8Array(1))
  const bytes = queue.take()!
  const order = [0, 6, 12, 18, 24].map((at) => bytes[at]!)
  t.same(order.slice(0, 2), [0, 1])
  t.equal(order[4], 4)
  t.end()
})

t.test('queues are bounded by channel, overhead included', (t) => {
  const queue = new SendQueue()
  let count = 0
  while (queue.push(0, new Uint8Array(0))) count++
  t.ok(count * queuedFrameOverheadBytes <= 4096)
  const large = new Uint8Array(8 * 1024 * 1024)
  t.ok(queue.push(3, large))
  t.notOk(queue.push(3, large), 'two of the largest and their overhead are too much')
  t.ok(queue.push(3, large.subarray(queuedFrameOverheadBytes * 2)))
  t.ok(queue.queuedBytes <= blocksQueueBytesMax + 4096)
  t.end()
})

/** What wraps a libp2p stream: pausing, and window updates, over a fake stream and over yamux itself without a network. */
import type { MessageStream, Stream, StreamMuxer } from '@libp2p/interface'
import t from 'tap'
import { streamWindowBytesMax } from '../../src/core/limits.js'
import { guardedYamux, oneWriteAFrame } from '../../src/p2p/libp2pLayers.js'
import { wrapStream } from '../../src/p2p/libp2pStream.js'
import { updateWindowByHalves } from '../../src/p2p/receiveWindow.js'

/** Holds bytes while it is paused, and delivers them on resume before it opens the window, as libp2p's streams do. */
class FakeStream extends EventTarget {
  status = 'open'
  readStatus = 'readable'
  writeBufferLength = 0
  writableNeedsDrain = false
  isWindowOpen = true
  held: Uint8Array[] = []

  pause(): void {
    this.#requireReading()
    this.readStatus = 'paused'
    this.isWindowOpen = false
  }

  resume(): void {
    this.#requireReading()
    this.readStatus = 'readable'
    for (const data of this.held.splice(0)) this.#deliver(data)
    this.isWindowOpen = true
  }

  receive(data: Uint8Array): void {
    if (this.readStatus === 'paused') this.held.push(data)
    else this.#deliver(data)
  }

  #deliver(data: Uint8Array): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }

  #requireReading(): void {
    if (this.readStatus !== 'readable' && this.readStatus !== 'paused') throw new Error('the reading end is closed')
  }
}

function wrapped(onData: (chunk: Uint8Array) => void) {
  const fake = new FakeStream()
  const stream = wrapStream(fake as unknown as Stream)
  stream.listen({ onData, onDrain: () => {}, onClose: () => {} })
  return { fake, stream }
}

t.test('a pause from within a resume leaves the stream paused and its window closed', async (t) => {
  const seen: number[] = []
  const { fake, stream } = wrapped((chunk) => {
    seen.push(chunk[0]!)
    stream.pause()
  })
  fake.receive(Uint8Array.of(1))
  t.same([fake.readStatus, fake.isWindowOpen], ['paused', false])
  fake.receive(Uint8Array.of(2))
  stream.resume()
  t.same(seen, [1, 2])
  t.same([fake.readStatus, fake.isWindowOpen], ['paused', false])
  stream.resume()
  t.same([fake.readStatus, fake.isWindowOpen], ['readable', true], 'the pause before is not wanted any more')
})

t.test('a fault from within a resume does not swallow later pauses', async (t) => {
  const { fake, stream } = wrapped(() => {})
  fake.resume = () => {
    throw new Error('closing')
  }
  t.throws(() => stream.resume(), { message: 'closing' })
  stream.pause()
  t.equal(fake.readStatus, 'paused')
})

t.test('a stream whose reading end is closed is neither paused nor resumed', async (t) => {
  const { fake, stream } = wrapped(() => {})
  fake.readStatus = 'closed'
  stream.pause()
  stream.resume()
  t.equal(fake.readStatus, 'closed')
  fake.readStatus = 'readable'
  fake.status = 'aborted'
  stream.pause()
  t.equal(fake.readStatus, 'readable')
})

const YAMUX_WINDOW_UPDATE = 1

/** One end of a connection in this process: what it sends reaches the other end in a later turn, in order. */
class Link extends EventTarget {
  other: Link | undefined
  /** Window updates among what this end sent; yamux sends those alone. */
  updates = 0
  status = 'open'
  maxWriteBufferLength = 0
  readonly log = silent()

  constructor(readonly direction: 'inbound' | 'outbound') {
    super()
  }

  send(data: Uint8Array | { subarray(): Uint8Array }): boolean {
    const bytes = data instanceof Uint8Array ? data.slice() : data.subarray().slice()
    if (bytes.length === 12 && bytes[1] === YAMUX_WINDOW_UPDATE) this.updates++
    setImmediate(() => this.other?.dispatchEvent(Object.assign(new Event('message'), { data: bytes })))
    return true
  }

  abort(): void {}
}

function silent(): MessageStream['log'] {
  const ignore = () => {}
  const log: MessageStream['log'] = Object.assign(() => {}, {
    enabled: false,
    trace: Object.assign(() => {}, { enabled: false }),
    error: ignore,
    newScope: () => log,
  })
  return log
}

/** A yamux stream's two ends over a Link. */
async function yamuxPair() {
  const near = new Link('outbound')
  const far = new Link('inbound')
  near.other = far
  far.other = near
  const muxer = (link: Link): StreamMuxer => guardedYamux().createStreamMuxer(link as unknown as MessageStream)
  const [client, server] = [muxer(near), muxer(far)]
  const accepted = new Promise<Stream>((resolve) => {
    server.addEventListener('stream', ({ detail }) => resolve(detail))
  })
  const sender = await client.createStream()
  const receiver = await accepted
  return { sender, receiver, far, close: () => [client, server].map((one) => one.abort(new Error('done'))) }
}

/** Writes `bytes` in pieces as far as the stream takes them; resolves when `onData` has seen all. */
async function transfer(
  { sender, receiver }: { sender: Stream; receiver: Stream },
  bytes: number,
  pieceBytes: number,
  onData: (stream: ReturnType<typeof wrapStream>) => void = () => {},
): Promise<number> {
  const out = wrapStream(sender)
  const into = wrapStream(receiver)
  let sent = 0
  const push = () => {
    while (sent < bytes) {
      sent += pieceBytes
      if (!out.write(new Uint8Array(pieceBytes))) return
    }
  }
  out.listen({ onData: () => {}, onDrain: push, onClose: () => {} })
  let got = 0
  return new Promise((resolve, reject) => {
    into.listen({
      onData(chunk) {
        got += chunk.length
        onData(into)
        if (got >= bytes) resolve(got)
      },
      onDrain: () => {},
      onClose: () => reject(new Error(`closed after ${got} bytes`)),
    })
    push()
  })
}

const MANY_WINDOWS_BYTES = 16 * streamWindowBytesMax

t.test('a sender of many windows is kept going by an update for each half window', async (t) => {
  for (const pieceBytes of [1_000, 16 * 1024, 300_000]) {
    const pair = await yamuxPair()
    const bytes = Math.ceil(MANY_WINDOWS_BYTES / pieceBytes) * pieceBytes
    t.equal(await transfer(pair, bytes, pieceBytes), bytes)
    // The first window is a quarter of the largest; a frame may be larger than half a window.
    const halves = bytes / (streamWindowBytesMax / 8)
    t.ok(pair.far.updates <= halves + 2, `${pair.far.updates} updates for pieces of ${pieceBytes}`)
    pair.close()
  }
})

/** Turns of the event loop from a pause to its resume: more than a window's frames take. */
const PAUSE_TURNS = 300

t.test(
  'pausing at each delivery, within resume too, neither starves the sender nor overfills the receiver',
  async (t) => {
    const pair = await yamuxPair()
    const held: number[] = []
    let isPaused = false
    const got = await transfer(pair, MANY_WINDOWS_BYTES, 16 * 1024, (stream) => {
      stream.pause()
      if (isPaused) return
      isPaused = true
      const resumeAfter = (turns: number): void => {
        if (turns > 0) return void setImmediate(resumeAfter, turns - 1)
        held.push((pair.receiver as unknown as { readBufferLength: number }).readBufferLength)
        isPaused = false
        stream.resume()
      }
      resumeAfter(PAUSE_TURNS)
    })
    t.equal(got, MANY_WINDOWS_BYTES)
    const most = Math.max(...held)
    t.ok(most > streamWindowBytesMax / 8 && most <= streamWindowBytesMax, `${most} bytes held at most`)
    pair.close()
  },
)

/** A stream's window as yamux keeps it. */
class FakeWindow {
  state = 3
  recvWindow = 1_000
  recvWindowCapacity = 1_000
  updates = 0

  sendWindowUpdate(): void {
    this.updates++
    this.recvWindowCapacity = this.recvWindow
  }
}

t.test('updates wait for half a window, but only on an established stream', async (t) => {
  const window = new FakeWindow()
  updateWindowByHalves(window)
  window.recvWindowCapacity = 500
  window.sendWindowUpdate()
  t.equal(window.updates, 0, 'half is left')
  window.recvWindowCapacity = 499
  window.sendWindowUpdate()
  t.same([window.updates, window.recvWindowCapacity], [1, 1_000])
  window.state = 2
  window.sendWindowUpdate()
  t.equal(window.updates, 2, 'the answer to an opening carries a flag and goes at once')
  const other = { sendWindowUpdate: () => {} }
  const { sendWindowUpdate } = other
  updateWindowByHalves(other)
  t.equal(other.sendWindowUpdate, sendWindowUpdate, 'another muxer is left alone')
})

t.test('a frame of several pieces reaches the socket as one', async (t) => {
  const writes: number[] = []
  const socket = { send: (data: Uint8Array) => void writes.push(data.length) }
  const encrypter = oneWriteAFrame({
    protocol: 'x',
    secureInbound: async (connection: MessageStream) => {
      connection.send(Uint8Array.of(1))
      connection.send({ byteLength: 3, subarray: () => Uint8Array.of(0, 1, 2) } as never)
      return {} as never
    },
    secureOutbound: async () => ({}) as never,
  } as never)
  await encrypter.secureInbound(socket as unknown as MessageStream, {} as never)
  t.same(writes, [1, 3])
})

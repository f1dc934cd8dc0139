/** A libp2p stream behind the HostStream port. */
import type { Stream } from '@libp2p/interface'
import type { HostStream, HostStreamEvents } from './host.js'
import { updateWindowByHalves } from './receiveWindow.js'

type Chunks = Uint8Array | Iterable<Uint8Array>

export function forEachChunk(data: Chunks, each: (chunk: Uint8Array) => void): void {
  if (data instanceof Uint8Array) each(data)
  else for (const chunk of data) each(chunk)
}

/**
 * A stream's 'drain' says that some bytes may leave, not that all have left; to write at each of them would pile up bytes below our
 * queue. So it counts as full until its own buffer is empty.
 */
export function wrapStream(stream: Stream): HostStream {
  updateWindowByHalves(stream)
  let isWriting = false
  let isResuming = false
  let isPauseWanted = false
  /** Its reading end may be closed while it is open; to pause or resume it then would throw. */
  const isReading = (): boolean =>
    stream.status === 'open' && (stream.readStatus === 'readable' || stream.readStatus === 'paused')
  const isFree = (): boolean => stream.writeBufferLength === 0 && !stream.writableNeedsDrain
  return {
    write(bytes) {
      isWriting = true
      try {
        stream.send(bytes)
      } finally {
        isWriting = false
      }
      return isFree()
    },
    pause() {
      if (isResuming) isPauseWanted = true
      else if (isReading()) stream.pause()
    },
    resume() {
      if (!isReading()) return
      // resume delivers what it held and only then opens the window: a pause from within would leave a paused stream with an open one.
      isResuming = true
      isPauseWanted = false
      try {
        stream.resume()
      } finally {
        isResuming = false
      }
      if (isPauseWanted && isReading()) stream.pause()
    },
    abort: (reason) => stream.abort(reason),
    listen: (events: HostStreamEvents) => {
      const onRoom = (): void => {
        if (!isWriting && isFree()) events.onDrain()
      }
      stream.addEventListener('drain', onRoom)
      // 'idle' comes from within the stream's send, which would keep what is sent now without sending it.
      stream.addEventListener('idle', () => {
        if (!isWriting) queueMicrotask(onRoom)
      })
      stream.addEventListener('remoteCloseWrite', () => events.onClose())
      stream.addEventListener('close', () => events.onClose())
      stream.addEventListener('message', (event) => forEachChunk(event.data, (chunk) => events.onData(chunk)))
      if (stream.status !== 'open') queueMicrotask(() => events.onClose())
    },
  }
}

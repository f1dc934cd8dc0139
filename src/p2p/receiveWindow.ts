/** When a yamux stream tells its sender that there is room again. */

/** What of a yamux stream decides when its receive window is opened again. */
interface WindowedStream {
  state: unknown
  recvWindow: number
  recvWindowCapacity: number
  sendWindowUpdate(): void
}

/** yamux's state of a stream whose opening both sides have seen. */
const ESTABLISHED = 3

/**
 * yamux answers every data frame with a window update, which doubles the frames of a chatty stream. One for each half
 * window keeps the sender going just as well: whatever it has left to send is never less than half a window, less what is on
 * the way. Pausing and resuming stay yamux's own: a paused stream is not established, and a resumed one asks here again.
 * A stream without these fields is left as it is.
 */
export function updateWindowByHalves(stream: object): void {
  if (!isWindowed(stream)) return
  const update = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    const isRoomy = stream.recvWindowCapacity * 2 >= stream.recvWindow
    if (stream.state !== ESTABLISHED || !isRoomy) update()
  }
}

function isWindowed(stream: object): stream is WindowedStream {
  const fields = stream as Partial<WindowedStream>
  return (
    typeof fields.sendWindowUpdate === 'function' &&
    typeof fields.recvWindow === 'number' &&
    typeof fields.recvWindowCapacity === 'number'
  )
}

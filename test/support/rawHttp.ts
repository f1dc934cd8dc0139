/** Bytes over TCP as no HTTP client would send them. */
import { connect } from 'node:net'

/** All that comes back until the server ends the connection, or has said nothing more for `quietMs`. */
export function exchangeRaw(port: number, bytes: string, quietMs = 1_000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let said = ''
    socket.setTimeout(quietMs, () => socket.destroy())
    socket.on('data', (data) => (said += data.toString('latin1')))
    // What was reset while we still sent has answered before, or not at all.
    socket.on('error', () => {})
    socket.on('close', () => resolve(said))
    socket.write(bytes, 'latin1')
  })
}

/** A request as text; a body brings its length along. */
export function rawRequest(first: string, headers: readonly string[], body = ''): string {
  const lines = [first, 'Host: 127.0.0.1', ...headers, ...(body === '' ? [] : [`Content-Length: ${body.length}`])]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

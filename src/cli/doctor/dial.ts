/** Whether a peer's p2p port takes connections. */
import { connect } from 'node:net'

const DIAL_MS = 2_000
/** `/ip4/10.0.0.2/tcp/30301/p2p/...`; what else a multiaddr can say, no configuration of ours uses. */
const TCP = /^\/(?:ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d{1,5})(?:\/|$)/

/** Null when the port takes a connection; what goes wrong otherwise. Says nothing of who listens there. */
export function dialFault(multiaddr: string): Promise<string | null> {
  const [, host, port] = TCP.exec(multiaddr) ?? []
  if (host === undefined) return Promise.resolve('is no address of the form /ip4/HOST/tcp/PORT/p2p/ID')
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) })
    const done = (fault: string | null) => {
      socket.destroy()
      resolve(fault)
    }
    socket.setTimeout(DIAL_MS, () =>
      done('no connection within 2 s: the machine is off, or a firewall drops the packets'),
    )
    socket.once('connect', () => done(null))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      done(error.code === 'ECONNREFUSED' ? 'connection refused: no node listens there' : (error.code ?? error.message)),
    )
  })
}

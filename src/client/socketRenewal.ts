/**
 * WebSockets of viem that it has given up. It tries a few times to open one again, in Node in effect once, and then keeps the closed
 * one for good: whoever asked over it would never hear of the node again. Closing it makes viem open another at the next request.
 */
import type { Client, Transport } from 'viem'

/** Milliseconds without an answer: as viem tries five times with 2 s between, nothing of it is disturbed. */
const GIVEN_UP_AFTER_MS = 12_000
const OPEN = 1

/** A WebSocket of whatever implementation viem has chosen. */
interface Socket {
  readonly url: string
  readonly readyState: number
  onopen: unknown
  onerror: unknown
  close(): void
}

interface KeptClient {
  readonly socket: Socket
  close(): void
}

export interface SocketRenewal {
  /** The node has answered. */
  works(): void
  /** It could not be reached. */
  failed(): void
}

/** `renewed`: subscriptions of the socket before are gone. Undefined for other transports. */
export function socketRenewal({ transport }: Client<Transport>, renewed: () => void): SocketRenewal | undefined {
  const { getRpcClient } = transport as { getRpcClient?: () => Promise<KeptClient> }
  if (!getRpcClient) return undefined
  let failingSinceMs: number | undefined
  let isTrying = false

  async function renew(getKept: () => Promise<KeptClient>): Promise<void> {
    const kept = await getKept()
    if (kept.socket.readyState === OPEN || !(await isAnswered(kept.socket))) return
    failingSinceMs = undefined
    kept.close()
    renewed()
  }

  return {
    works() {
      failingSinceMs = undefined
    },
    failed() {
      failingSinceMs ??= Date.now()
      if (isTrying || Date.now() - failingSinceMs < GIVEN_UP_AFTER_MS) return
      isTrying = true
      renew(getRpcClient)
        .catch(() => {})
        .finally(() => {
          isTrying = false
        })
    },
  }
}

/** Whether the address of `socket` takes a connection now. viem itself would leave one behind for each vain try. */
function isAnswered(socket: Socket): Promise<boolean> {
  const Implementation = socket.constructor as new (url: string) => Socket
  const probe = new Implementation(socket.url)
  return new Promise((resolve) => {
    probe.onopen = () => {
      probe.close()
      resolve(true)
    }
    probe.onerror = () => resolve(false)
  })
}

/** Nodes under more load than they can take answer late, which is what is measured, not a fault. */
import { RpcClientError } from '../../src/rpc/clientError.js'
import { RPC_CODES, RpcError } from '../../src/rpc/errors.js'

const TRIES = 20

/** The node, or the way to it, was too slow; whether it did what was asked is unknown. */
export function timedOut(error: unknown): boolean {
  if (error instanceof RpcError) return error.code === RPC_CODES.timeout
  return error instanceof RpcClientError && error.code === 'TIMEOUT'
}

/** Asks again while the node is too busy to answer. For calls that change nothing. */
export async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call()
    } catch (error) {
      if (!timedOut(error) || tries === TRIES) throw error
    }
  }
}

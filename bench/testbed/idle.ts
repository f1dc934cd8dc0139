/** Waiting for a network that has nothing left to do. */
import { setTimeout as delay } from 'node:timers/promises'
import { CommandError } from '../../src/cli/errors.js'
import type { RpcClient } from '../../src/rpc/client.js'
import { abortable } from './loops.js'
import { patiently } from './patience.js'
import { blockNumber } from './transactions.js'

const POLL_MS = 20
const TIMEOUT_MS = 120_000

/** Resolves when no pool holds a transaction and all nodes have the same last final block. Throws CommandError after two minutes. */
export async function untilIdle(clients: readonly RpcClient[], signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS
  while (!(await abortable(isIdle(clients), signal))) {
    if (performance.now() > deadline) {
      throw new CommandError(
        `the network was not idle within ${TIMEOUT_MS / 1_000} s; does something else send transactions to it?`,
      )
    }
    await delay(POLL_MS, undefined, { signal })
  }
}

async function isIdle(clients: readonly RpcClient[]): Promise<boolean> {
  const pools = await Promise.all(clients.map((client) => patiently(() => client.call('txpool_status'))))
  if (pools.some(({ pending, queued }) => Number(pending) + Number(queued) > 0)) return false
  const heights = await Promise.all(clients.map((client) => patiently(() => blockNumber(client))))
  return heights.every((height) => height === heights[0])
}

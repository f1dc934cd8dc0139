/** A client whose calls of one turn of the event loop travel as one JSON-RPC batch: many waiters that look at each new block cost one request. */
import { rpcBatchMax, rpcBodyBytesMax } from '../../core/limits.js'
import type { RpcCall, RpcClient } from '../../rpc/client.js'
import type { ResultOf, RpcMethod } from '../../rpc/wire.js'

interface Waiting extends RpcCall {
  readonly bytes: number
  resolve(result: unknown): void
  reject(error: unknown): void
}

/** Closing it closes `client`. */
export function batchingClient(client: RpcClient): RpcClient {
  let waiting: Waiting[] = []

  function request(method: string, params: readonly unknown[] = []): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(flush)
      waiting.push({ method, params, bytes: JSON.stringify(params).length + 100, resolve, reject })
    })
  }

  function flush(): void {
    const calls = waiting
    waiting = []
    for (const batch of batches(calls)) void carry(client, batch)
  }

  return {
    url: client.url,
    call: (method, ...params) => request(method, params) as Promise<ResultOf<typeof method & RpcMethod>>,
    request,
    batch: (calls) => client.batch(calls),
    subscribe: (kind, params, handlers) => client.subscribe(kind, params, handlers),
    close: () => client.close(),
  }
}

/** At most as many calls and bytes as a node takes at once. */
function* batches(calls: readonly Waiting[]): Generator<readonly Waiting[]> {
  let batch: Waiting[] = []
  let bytes = 0
  for (const call of calls) {
    if (batch.length > 0 && (batch.length >= rpcBatchMax || bytes + call.bytes > rpcBodyBytesMax / 2)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(call)
    bytes += call.bytes
  }
  if (batch.length > 0) yield batch
}

async function carry(client: RpcClient, batch: readonly Waiting[]): Promise<void> {
  try {
    const [first] = batch
    if (first && batch.length === 1) return first.resolve(await client.request(first.method, first.params))
    const results = await client.batch(batch)
    for (const [i, result] of results.entries()) {
      if (result.ok) batch[i]?.resolve(result.result)
      else batch[i]?.reject(result.error)
    }
  } catch (error) {
    for (const call of batch) call.reject(error)
  }
}

import t from 'tap'
import { batchingClient } from '../../src/agent/bulk/batchingClient.js'
import { inParallel } from '../../src/agent/bulk/inParallel.js'
import { rpcBatchMax, rpcBodyBytesMax } from '../../src/core/limits.js'
import type { BatchResult, RpcCall, RpcClient } from '../../src/rpc/client.js'
import { RpcError } from '../../src/rpc/errors.js'

function recording(answer: (call: RpcCall) => BatchResult) {
  const sizes: number[] = []
  const client = {
    url: 'test:',
    request: async (method: string, params: readonly unknown[]) => {
      sizes.push(1)
      const result = answer({ method, params })
      if (result.ok) return result.result
      throw result.error
    },
    batch: async (calls: readonly RpcCall[]) => {
      sizes.push(calls.length)
      return calls.map(answer)
    },
  } as unknown as RpcClient
  return { client: batchingClient(client), sizes }
}

t.test('calls of one turn are one batch, each with its own answer', async (t) => {
  const { client, sizes } = recording(({ params }) =>
    params[0] === 3 ? { ok: false, error: new RpcError(-32000, 'three') } : { ok: true, result: params[0] },
  )
  const results = await Promise.allSettled([1, 2, 3, 4].map((n) => client.request('m', [n])))
  t.same(
    results.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.message)),
    [1, 2, 'three', 4],
  )
  t.same(sizes, [4])
  t.equal(await client.request('m', [5]), 5)
  t.same(sizes, [4, 1], 'one alone is no batch')
})

t.test('no batch is larger than a node takes', async (t) => {
  const { client, sizes } = recording(({ params }) => ({ ok: true, result: params.length }))
  await Promise.all(Array.from({ length: rpcBatchMax + 1 }, () => client.request('m', [])))
  t.same(sizes, [rpcBatchMax, 1])
  sizes.length = 0
  const large = 'x'.repeat(rpcBodyBytesMax / 4)
  await Promise.all([1, 2, 3].map(() => client.request('m', [large])))
  t.same(sizes, [1, 1, 1])
})

t.test('a batch that fails fails all of its calls', async (t) => {
  const client = batchingClient({
    batch: async () => {
      throw new Error('gone')
    },
  } as unknown as RpcClient)
  const results = await Promise.allSettled([1, 2].map((n) => client.request('m', [n])))
  t.ok(results.every(({ status }) => status === 'rejected'))
})

t.test('so many at a time, and none after a failure', async (t) => {
  let running = 0
  let most = 0
  const done: number[] = []
  await inParallel([1, 2, 3, 4, 5, 6, 7], 3, async (n) => {
    running++
    most = Math.max(most, running)
    await new Promise((resolve) => setImmediate(resolve))
    running--
    done.push(n)
  })
  t.equal(most, 3)
  t.equal(done.length, 7)
  const begun: number[] = []
  const failing = inParallel([1, 2, 3, 4], 1, async (n) => {
    begun.push(n)
    if (n === 2) throw new Error('two')
  })
  await t.rejects(failing, /two/)
  t.same(begun, [1, 2])
})

/** No JSON makes a method throw anything but an RpcError: no defect, always one well-formed answer. */
import fc from 'fast-check'
import t from 'tap'
import { Dispatcher } from '../../src/rpc/dispatcher.js'
import { Filters } from '../../src/rpc/filters.js'
import { Line } from '../../src/rpc/line.js'
import { LogScanner } from '../../src/rpc/logScan.js'
import { buildMethodTable } from '../../src/rpc/methods/table.js'
import { RPC_LIMITS } from '../../src/rpc/rpcLimits.js'
import { Slices } from '../../src/rpc/slices.js'
import { Subscriptions } from '../../src/rpc/subscriptions.js'
import { COUNTER, createFakeChain } from './fakeChain.js'

const api = createFakeChain()
api.sealMany(3)
const logs = new LogScanner(api, RPC_LIMITS.responseBytesMax)
const filters = new Filters(api, logs, RPC_LIMITS)
const subscriptions = new Subscriptions(api, RPC_LIMITS.subscriptionsMax)
const { logRangeBlocksMax, callGasMax } = RPC_LIMITS
const methods = buildMethodTable({ api, logs, filters, subscriptions, logRangeBlocksMax, callGasMax })
const defects: unknown[] = []
const dispatcher = new Dispatcher(RPC_LIMITS, { methods, onDefect: (error) => defects.push(error) })

const names = [...methods.keys()]
const hex = fc.oneof(
  fc.constantFrom(
    '0x',
    '0x0',
    '0x1',
    '0x01',
    '0xZZ',
    '0x3',
    '0xffffffffffffffffff',
    'latest',
    'earliest',
    'pending',
    '',
    COUNTER,
  ),
  fc.constantFrom(COUNTER.toUpperCase(), `0x${'00'.repeat(32)}`, api.head().hash, `0x${'ab'.repeat(500)}`),
)
const key = fc.constantFrom(
  'to',
  'from',
  'data',
  'input',
  'address',
  'topics',
  'fromBlock',
  'toBlock',
  'blockHash',
  'blockNumber',
  'gas',
  'value',
  '__proto__',
  'constructor',
)
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    hex,
    fc.constantFrom(null, true, 0, -1, 1.5, 1e300),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  ),
}))

t.test('parameters of every kind', async (t) => {
  const call = fc.tuple(fc.constantFrom(...names), fc.array(value, { maxLength: 4 }))
  await fc.assert(
    fc.asyncProperty(call, async ([method, params]) => {
      const text = await dispatcher.handle(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
      const answer = JSON.parse(text ?? '') as Record<string, unknown>
      return defects.length === 0 && answer.id === 1 && 'result' in answer !== 'error' in answer
    }),
    { numRuns: 5_000 },
  )
  t.same(defects, [])
})

t.test('text of every kind', async (t) => {
  const framed = fc.json().map((json) => `{"jsonrpc":"2.0","id":1,"method":"eth_call","params":${json}}`)
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.json(), framed), async (text) => {
      const answer = await dispatcher.handle(text)
      return answer === undefined || typeof JSON.parse(answer) === 'object'
    }),
    { numRuns: 2_000 },
  )
  t.same(defects, [])
})

const SLICES = new Slices(new Line(), Number.POSITIVE_INFINITY)

t.test('polled filters: idle ones go, long absences come back in parts, floods drop the filter', async (t) => {
  let nowMs = 0
  const chain = createFakeChain()
  const limits = { filtersMax: 10, filterHashesMax: 2, filterIdleMs: 1_000, logRangeBlocksMax: 4 }
  const polled = new Filters(chain, new LogScanner(chain, 1_000_000), limits, () => nowMs)
  const blocks = polled.addBlocks()
  const used = polled.addBlocks()
  chain.sealMany(6)
  nowMs = 600
  t.equal((await polled.changes(used, SLICES)).length, 4, 'one allowed range')
  t.equal((await polled.changes(used, SLICES)).length, 2, 'the rest')
  t.same(polled.changes(used, SLICES), [])
  nowMs = 1_200
  t.throws(() => polled.changes(blocks, SLICES), { code: -32000, message: 'filter not found' })
  t.equal(polled.size, 1)
  const idle = chain.listeners()
  const pending = polled.addPending()
  t.equal(chain.listeners(), idle + 1)
  t.ok(polled.remove(pending))
  t.notOk(polled.remove(pending))
  t.equal(chain.listeners(), idle)
})

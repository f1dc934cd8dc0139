/** docs/rpc.md lists exactly the methods that a node serves, and those of execution-apis that it does not. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { AuditApi } from '../../src/rpc/auditApi.js'
import type { DeliveryApi } from '../../src/rpc/deliveryApi.js'
import { Filters } from '../../src/rpc/filters.js'
import { LogScanner } from '../../src/rpc/logScan.js'
import { buildMethodTable } from '../../src/rpc/methods/table.js'
import { RPC_LIMITS } from '../../src/rpc/rpcLimits.js'
import { Subscriptions } from '../../src/rpc/subscriptions.js'
import { createFakeChain } from '../rpc/fakeChain.js'

const page = readFileSync('docs/rpc.md', 'utf8')
const [served, refused] = page.split('## Not served') as [string, string]

/** Every method there can be: all options of a node on. None is called here. */
function servedMethods(): string[] {
  const api = createFakeChain()
  const logs = new LogScanner(api, RPC_LIMITS.responseBytesMax)
  const table = buildMethodTable({
    api,
    logs,
    filters: new Filters(api, logs, RPC_LIMITS),
    subscriptions: new Subscriptions(api, RPC_LIMITS.subscriptionsMax),
    callGasMax: RPC_LIMITS.callGasMax,
    logRangeBlocksMax: RPC_LIMITS.logRangeBlocksMax,
    audit: {} as AuditApi,
    delivery: {} as DeliveryApi,
  })
  return [...table.keys()]
}

t.test('docs/rpc.md and the nodes name the same methods', async (t) => {
  const listed = [...served.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name!)
  t.same(listed.toSorted(), servedMethods().sort())
  t.equal(new Set(listed).size, listed.length, 'none twice')
})

t.test('what it says is not served is not', async (t) => {
  const methods = servedMethods()
  const rows = [...refused.matchAll(/^\| (`[^|]+`) \|/gm)].map(([, names]) => names!)
  t.ok(rows.length > 5)
  for (const [, name = ''] of rows.join().matchAll(/`(\w+)\*?`/g)) {
    t.notOk(
      methods.some((method) => method.startsWith(name)),
      name,
    )
  }
})

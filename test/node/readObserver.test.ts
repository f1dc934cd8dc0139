/** The RPC server over real contracts and a real read log: nothing of the user portrait is answered without a record. */
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { EXISTENCE } from '../../src/contracts/codes.js'
import { systemContracts } from '../../src/contracts/registry.js'
import { textId } from '../../src/contracts/textId.js'
import { type Address, asHeight, type Hex, toHex, ZERO_ADDRESS, ZERO_HASH } from '../../src/core/bytes.js'
import { requestItemsMax } from '../../src/core/limits.js'
import { ReadLog } from '../../src/node/readLog.js'
import { scanReadFile } from '../../src/node/readLogFiles.js'
import { PortraitReads } from '../../src/node/readObserver.js'
import type { ChainState } from '../../src/rpc/chainApi.js'
import { startRpcServer } from '../../src/rpc/server.js'
import { accessListOf, callContract, estimateGas } from '../../src/vm/call.js'
import {
  CAPITAL,
  EMPLOYEES,
  ENTERPRISE_ID,
  FINANCE,
  INTERFACES,
  MARKET,
  PURPOSE,
  World,
  word,
} from '../contracts/world.js'
import { createFakeChain } from '../rpc/fakeChain.js'
import { post } from '../rpc/harness.js'

const { dataSharing: SHARING, eligibility: ELIGIBILITY, audit: AUDIT } = CONTRACT_ADDRESSES
const DIGEST = word('declared')
const items = [CAPITAL, EMPLOYEES].map((attribute) => ({ attribute, digest: DIGEST }))

async function serve(t: Test, queueMax = 1_000) {
  const w = new World()
  const held = { enterpriseId: ENTERPRISE_ID, attribute: CAPITAL, digest: DIGEST }
  w.must('dataSharing', MARKET, 'SetUserProfile', { ...held, existence: EXISTENCE.exists, confirmed: true })
  const log = ReadLog.open(
    { dir: t.testdir(), fileBytesMax: 1_000_000, totalBytesMax: 10_000_000, flushMs: 60_000, queueMax },
    { fatal: (error) => t.fail(String(error)), warn: () => {} },
  )
  const reads = new PortraitReads({ log, height: () => 7, now: () => 1_800_000_000_000 })
  const chain = createFakeChain()
  const plain = chain.state(asHeight(0))!
  const state: ChainState = {
    ...plain,
    call: (request) => callContract(w.state, w.block, request, systemContracts),
    estimateGas: (request) => estimateGas(w.state, w.block, request, systemContracts),
    accessList: (request) => accessListOf(w.state, w.block, request, systemContracts),
  }
  const api = { ...chain, state: () => state }
  const server = await startRpcServer(
    { host: '127.0.0.1', port: 0 },
    { api, reads, onDefect: (error) => t.fail(String(error)) },
  )
  t.teardown(async () => {
    await server.close()
    await log.close()
  })
  const send = async (body: unknown) => JSON.parse((await post(server.url, JSON.stringify(body))).body)
  const rpc = (method: string, ...params: unknown[]) => send({ jsonrpc: '2.0', id: 1, method, params })
  /** What has been recorded since the last look. */
  let seen = 0
  const recorded = async () => {
    await log.flush()
    const records = log.files.flatMap((file) => scanReadFile(file).records).map(({ record }) => record)
    const fresh = records.slice(seen)
    seen = records.length
    return fresh
  }
  return { w, log, server, send, rpc, recorded }
}

const to = (address: Address, data: Hex | Uint8Array, more = {}) => {
  return { from: FINANCE, to: address, data: typeof data === 'string' ? data : toHex(data), ...more }
}

t.test(
  'every function whose result depends on the portrait is recorded, by eth_call, by its gas and by the slots that it touches',
  async (t) => {
    const { rpc, recorded } = await serve(t)
    const sharing = INTERFACES.dataSharing
    const about = { enterpriseId: ENTERPRISE_ID, items }
    const basis = { purpose: PURPOSE, basis: ZERO_HASH }
    const param = { userID: ENTERPRISE_ID, dataParam: CAPITAL }
    const policy = { policyId: textId('grant'), enterpriseId: ENTERPRISE_ID }
    const asked = items.map(({ attribute }) => attribute)
    const cases: [string, Address, Uint8Array, readonly Hex[], { from?: Address }?][] = [
      ['portraitEntries', SHARING, sharing.encodeCall('portraitEntries', about), asked],
      ['portraitHeld', SHARING, sharing.encodeCall('portraitHeld', about), asked],
      ['usePortrait', SHARING, sharing.encodeCall('usePortrait', { ...about, ...basis }), asked],
      [
        'usePortraitFor',
        SHARING,
        sharing.encodeCall('usePortraitFor', { requester: FINANCE, ...about, ...basis }),
        asked,
        { from: ELIGIBILITY },
      ],
      ['GetUserProfile', SHARING, sharing.encodeCall('GetUserProfile', { enterpriseId: ENTERPRISE_ID }), []],
      ['GetExistence', SHARING, sharing.encodeCall('GetExistence', param), [CAPITAL]],
      ['GetConfirm', SHARING, sharing.encodeCall('GetConfirm', { ...param, digest: DIGEST }), [CAPITAL]],
      ['evaluate', ELIGIBILITY, INTERFACES.eligibility.encodeCall('evaluate', policy), []],
      ['decide', ELIGIBILITY, INTERFACES.eligibility.encodeCall('decide', { ...policy, basis: ZERO_HASH }), []],
    ]
    for (const [call, address, data, attributes, more] of cases) {
      const request = to(address, data, more)
      const { result } = await rpc('eth_call', request, 'latest')
      await rpc('eth_estimateGas', request)
      await rpc('eth_createAccessList', request, 'latest')
      if (address === SHARING) t.ok(result, `${call} is answered`)
      const about = { call, enterprise: ENTERPRISE_ID, attributes, height: 7, remote: 'loopback', note: '' }
      t.match(await recorded(), [
        { ...about, reader: request.from },
        { ...about, reader: request.from },
        { ...about, reader: request.from },
      ])
    }
    const named = new Set(cases.map(([call]) => call))
    const unrecorded = sharing.json.flatMap((item) => (item.type === 'function' && !named.has(item.name) ? [item] : []))
    for (const { name } of unrecorded)
      await rpc('eth_call', to(SHARING, sharing.selector(name as 'requestOf')), 'latest')
    await rpc('eth_call', to(AUDIT, INTERFACES.audit.encodeCall('mandatesOf', { grantee: FINANCE })), 'latest')
    await rpc('eth_call', to(SHARING, '0x'), 'latest')
    t.same(await recorded(), [], 'nothing else is')
  },
)

t.test('raw storage of the portrait, batches and sockets', async (t) => {
  const { rpc, send, server, recorded } = await serve(t)
  const slot = ZERO_HASH
  await rpc('eth_getStorageAt', SHARING, slot, 'latest')
  await rpc('eth_getProof', SHARING, [slot], 'latest')
  await rpc('eth_getStorageValues', { [SHARING]: [slot], [AUDIT]: [slot] }, 'latest')
  await rpc('eth_getStorageAt', AUDIT, slot, 'latest')
  t.match(await recorded(), [
    { call: 'storage', enterprise: ZERO_HASH, attributes: [], reader: ZERO_ADDRESS },
    { call: 'storage' },
    { call: 'storage' },
  ])
  const data = INTERFACES.dataSharing.encodeCall('GetUserProfile', { enterpriseId: ENTERPRISE_ID })
  const read = (id: number) => ({ jsonrpc: '2.0', id, method: 'eth_call', params: [to(SHARING, data), 'latest'] })
  await send([read(1), read(2)])
  t.match(await recorded(), { length: 2 })
  const socket = new WebSocket(server.url.replace('http', 'ws'))
  const answer = await new Promise<string>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('message', (text) => resolve(String(text)))
    socket.on('open', () => socket.send(JSON.stringify(read(3))))
  })
  socket.terminate()
  t.ok(JSON.parse(answer).result)
  t.match(await recorded(), [{ call: 'GetUserProfile', remote: 'loopback' }])
})

t.test('a read that fails is recorded too: what it fails for may tell', async (t) => {
  const { rpc, recorded, w } = await serve(t)
  const { dataSharing: sharing } = INTERFACES
  const data = sharing.encodeCall('portraitEntries', { enterpriseId: ENTERPRISE_ID, items })
  const request = { from: FINANCE, to: SHARING, data, value: 0n, gas: undefined }
  const full = callContract(w.state, w.block, request, systemContracts) as { gasUsed: bigint }
  const little = await rpc('eth_call', to(SHARING, data, { gas: `0x${(full.gasUsed - 1n).toString(16)}` }), 'latest')
  t.match(little.error, { message: /gas/ })
  t.match(await recorded(), [{ call: 'portraitEntries', enterprise: ENTERPRISE_ID }])

  const many = Array.from({ length: 500 }, (_, i) => ({ attribute: word(`${i}`), digest: DIGEST }))
  const refused = await rpc(
    'eth_call',
    to(SHARING, sharing.encodeCall('portraitEntries', { enterpriseId: ENTERPRISE_ID, items: many })),
    'latest',
  )
  t.ok(refused.error, 'more than the contract takes')
  const garbage = await rpc('eth_call', to(SHARING, `${sharing.selector('GetConfirm')}01`), 'latest')
  t.ok(garbage.error)
  t.match(await recorded(), [
    { enterprise: ENTERPRISE_ID, attributes: { length: requestItemsMax } },
    { call: 'GetConfirm', enterprise: ZERO_HASH, attributes: [] },
  ])
})

t.test('without room for a record there is no answer', async (t) => {
  const { rpc, recorded, log } = await serve(t, 2)
  const data = INTERFACES.dataSharing.encodeCall('GetUserProfile', { enterpriseId: ENTERPRISE_ID })
  const ask = () => rpc('eth_call', to(SHARING, data), 'latest')
  t.ok((await ask()).result)
  t.ok((await ask()).result)
  for (const params of [
    ['eth_call', to(SHARING, data), 'latest'],
    ['eth_estimateGas', to(SHARING, data)],
    ['eth_getStorageAt', SHARING, ZERO_HASH, 'latest'],
  ] as const) {
    const [method, ...rest] = params
    t.match(await rpc(method, ...rest), { error: { code: -32005, message: /record of reads is behind/ } }, method)
  }
  t.ok((await rpc('eth_getStorageAt', AUDIT, ZERO_HASH, 'latest')).result, 'what is not recorded goes on')
  t.match(await recorded(), { length: 2 })
  t.ok((await ask()).result, 'and again once it is on disk')
  t.equal(log.head.sequence, 2)
})

/**
 * Every method of execution-apis: requests and answers of a chain with real data against the published schemas, by a validator
 * that nobody here wrote; or the reason why it is not served.
 */
import { Ajv, type ValidateFunction } from 'ajv'
import t, { type Test } from 'tap'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { ZERO_HASH } from '../../src/core/bytes.js'
import { readVector, skipWithoutVectors } from '../vectors.js'
import { addressOf, type Live, type Sharing, sharing, startLive } from './liveChain.js'

interface Described {
  readonly name: string
  readonly params: readonly { readonly name: string; readonly required?: boolean; readonly schema: object }[]
  readonly result?: { readonly schema: object }
}

const NO_TRACES = 'contracts are native: there are no steps to trace'
const NO_KEYS = 'a node holds no keys of its clients'
const BLOCK_LISTS = 'EIP-7928: blocks carry no access lists'
const NO_ENGINE = 'consensus and execution are one process'

/** Methods of the specification that are answered with -32601. */
const NOT_SERVED: readonly [name: RegExp, why: string][] = [
  [/^engine_/, NO_ENGINE],
  [/^testing_/, 'for test networks of clients of Ethereum'],
  [/^debug_trace/, NO_TRACES],
  [/^(eth_sign|eth_signTransaction|eth_sendTransaction|eth_fillTransaction)$/, NO_KEYS],
  [/^(debug_getRawBlockAccessList|eth_getBlockAccessList)$/, BLOCK_LISTS],
  [/^eth_blobBaseFee$/, 'there are no blobs'],
  [/^eth_simulateV1$/, 'state and block overrides are not supported, and without them eth_call says the same'],
  [/^debug_getBadBlocks$/, 'a block that is refused is not kept'],
]

const whyNot = (name: string) => NOT_SERVED.find(([names]) => names.test(name))?.[1]

type Call = readonly [method: string, params: readonly unknown[], expected?: 'null' | 'error']

async function callsOf({ chain, rpc }: Live, hashes: Sharing): Promise<Call[]> {
  const { dataSharing, members } = CONTRACT_ADDRESSES
  const absent = `0x${'ee'.repeat(32)}`
  const result = async (method: string, params: unknown[]) => (await rpc(method, params)).result
  const block = (await result('eth_getBlockByNumber', ['0x3', false])) as { hash: string }
  const receipt = (await result('eth_getTransactionReceipt', [hashes.submission])) as { logs: { topics: string[] }[] }
  const [topic] = receipt.logs[0]!.topics
  const logFilter = await result('eth_newFilter', [{ fromBlock: '0x0', address: [dataSharing, members] }])
  const blockFilter = await result('eth_newBlockFilter', [])
  const poolFilter = await result('eth_newPendingTransactionFilter', [])
  const encryptionKey = `0x${'22'.repeat(32)}`
  chain.send('finance', 'members', 'rotateEncryptionKey', { encryptionKey })
  await chain.seal()
  chain.submit(chain.sign('patents', { type: 0 }))
  const refusedCall = { from: addressOf('enterprise'), to: members, input: '0x12345678' }
  const count = { to: members, input: '0x11aee380' }
  const raw = chain.sign('market', { type: 1 })
  const { submission, question, answer, refused, transfer } = hashes
  const all = [submission, question, answer, refused, transfer]
  return [
    ...all.map((hash): Call => ['eth_getTransactionByHash', [hash]]),
    ['eth_getTransactionByHash', [absent], 'null'],
    ...all.map((hash): Call => ['eth_getTransactionReceipt', [hash]]),
    ['eth_getTransactionReceipt', [absent], 'null'],
    ...['0x0', '0x1', 'latest', 'safe', 'finalized', 'earliest', 'pending'].flatMap((tag): Call[] => [
      ['eth_getBlockByNumber', [tag, true]],
      ['eth_getBlockByNumber', [tag, false]],
      ['eth_getBlockReceipts', [tag]],
      ['eth_getBlockTransactionCountByNumber', [tag]],
      ['debug_getRawBlock', [tag]],
      ['debug_getRawHeader', [tag]],
      ['debug_getRawReceipts', [tag]],
    ]),
    ['eth_getBlockByNumber', ['0x99', true], 'null'],
    ['eth_getBlockByHash', [block.hash, true]],
    ['eth_getBlockByHash', [block.hash, false]],
    ['eth_getBlockByHash', [absent, false], 'null'],
    ['eth_getBlockReceipts', ['0x99'], 'null'],
    ['eth_getBlockReceipts', [block.hash]],
    ['eth_getBlockTransactionCountByNumber', ['0x99'], 'null'],
    ['eth_getBlockTransactionCountByHash', [block.hash]],
    ['eth_getBlockTransactionCountByHash', [absent], 'null'],
    ['eth_getTransactionByBlockNumberAndIndex', ['0x1', '0x2']],
    ['eth_getTransactionByBlockNumberAndIndex', ['0x1', '0x99'], 'null'],
    ['eth_getTransactionByBlockHashAndIndex', [block.hash, '0x1']],
    ['eth_getTransactionByBlockHashAndIndex', [absent, '0x0'], 'null'],
    ['debug_getRawBlock', ['0x99'], 'error'],
    ['debug_getRawTransaction', [answer]],
    [
      'eth_getLogs',
      [{ fromBlock: '0x0', toBlock: 'latest', address: [dataSharing, members], topics: [[topic], null] }],
    ],
    ['eth_getLogs', [{ blockHash: block.hash }]],
    ['eth_getLogs', [{ fromBlock: '0x0', toBlock: '0x99' }], 'error'],
    ['eth_getFilterLogs', [logFilter]],
    ['eth_getFilterChanges', [logFilter]],
    ['eth_getFilterChanges', [blockFilter]],
    ['eth_getFilterChanges', [poolFilter]],
    ['eth_uninstallFilter', [logFilter]],
    ['eth_getFilterChanges', ['0x1'], 'error'],
    ['eth_newFilter', [{ topics: [] }]],
    ['eth_newBlockFilter', []],
    ['eth_newPendingTransactionFilter', []],
    ['eth_getProof', [dataSharing, [ZERO_HASH, absent], 'latest']],
    ['eth_getProof', [`0x${'77'.repeat(20)}`, [], 'latest']],
    ['eth_getProof', [dataSharing, [], absent], 'error'],
    ['eth_getStorageAt', [dataSharing, '0x0', 'latest']],
    ['eth_getStorageAt', [dataSharing, ZERO_HASH]],
    ['eth_getStorageValues', [{ [dataSharing]: [ZERO_HASH], [addressOf('market')]: [ZERO_HASH] }, 'latest']],
    ['eth_getBalance', [addressOf('operator'), 'latest']],
    ['eth_getBalance', [addressOf('operator')]],
    ['eth_getCode', [dataSharing, 'latest']],
    ['eth_getCode', [addressOf('operator'), 'latest']],
    ['eth_getTransactionCount', [addressOf('market'), 'pending']],
    ['eth_getTransactionCount', [addressOf('market')]],
    ['eth_call', [count, 'latest']],
    ['eth_call', [refusedCall, 'latest'], 'error'],
    ['eth_estimateGas', [count]],
    ['eth_estimateGas', [count, 'pending']],
    ['eth_estimateGas', [refusedCall], 'error'],
    ['eth_createAccessList', [count, 'latest']],
    ['eth_createAccessList', [refusedCall]],
    ['eth_feeHistory', ['0x3', 'latest', [10, 90]]],
    ['eth_feeHistory', ['0x9', 'latest', []]],
    ['eth_feeHistory', ['0x1', '0x99', []], 'error'],
    ['txpool_content', []],
    ['txpool_contentFrom', [addressOf('operator')]],
    ['txpool_contentFrom', [addressOf('market')]],
    ['eth_sendRawTransaction', [`0x${Buffer.from(raw.raw).toString('hex')}`]],
    ['eth_sendRawTransaction', [`0x${Buffer.from(raw.raw).toString('hex')}`], 'error'],
    ...NO_PARAMS.split(' ').map((name): Call => [name, []]),
  ]
}

const NO_PARAMS =
  'eth_chainId eth_blockNumber eth_accounts eth_coinbase eth_syncing eth_gasPrice eth_maxPriorityFeePerGas eth_baseFee eth_config eth_capabilities net_version txpool_status'

t.test('execution-apis: each method is served to the letter, or listed', { skip: skipWithoutVectors }, async (t) => {
  const live = await startLive(t)
  const calls = await callsOf(live, await sharing(live.chain))
  const { methods } = readVector<{ methods: Described[] }>('openrpc.json')
  const served = new Set(calls.map(([name]) => name))
  const known = new Set(methods.map(({ name }) => name))
  t.same(
    [...served].filter((name) => !known.has(name)),
    [],
    'all calls are of the specification',
  )
  // Types beside combinations of types, as the specification has them, are no fault of its schemas.
  const ajv = new Ajv({ strict: false, allErrors: false })
  for (const described of methods) {
    const { name, result } = described
    const why = whyNot(name)
    if (why !== undefined) {
      t.notOk(served.has(name), `${name} is not served: ${why}`)
      t.match((await live.rpc(name)).error, {
        code: -32601,
        message: `the method ${name} does not exist/is not available`,
      })
      continue
    }
    const own = calls.filter(([method]) => method === name)
    t.ok(own.length > 0, `${name} is tried`)
    const check = ajv.compile(result!.schema)
    for (const call of own) await tryCall(t, live, described, check, call, ajv)
  }
  t.same(live.defects, [])
})

async function tryCall(
  t: Test,
  { rpc }: Live,
  described: Described,
  check: ValidateFunction,
  [name, params, expected]: Call,
  ajv: Ajv,
): Promise<void> {
  const label = `${name} ${JSON.stringify(params).slice(0, 80)}`
  for (const [i, { schema, required }] of described.params.entries()) {
    if (params[i] === undefined) t.notOk(required, `${label}: parameter ${i} may be left out`)
    else t.ok(ajv.validate(schema, params[i]), `${label}: parameter ${i} ${ajv.errorsText()}`)
  }
  const { result, error } = await rpc(name, params)
  if (expected === 'error') {
    t.equal(result, undefined, label)
    t.match(error, { code: Number, message: /./ }, label)
    return
  }
  t.equal(error, undefined, label)
  t.equal(result === null, expected === 'null', `${label} is ${expected ?? 'something'}`)
  t.ok(check(result), `${label}: ${ajv.errorsText(check.errors)}`)
}

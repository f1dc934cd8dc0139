/** Requests as Ethereum's tools put them on the wire, taken from their own code and traffic: none of them may be surprised by an answer. */
import t from 'tap'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { type Hex, toHex } from '../../src/core/bytes.js'
import { type Answer, post } from './harness.js'
import { addressOf, type Live, sharing, startLive } from './liveChain.js'

const { members, dataSharing } = CONTRACT_ADDRESSES
const finance = addressOf('finance')
/** memberCount() */
const count = '0x11aee380'
/** Members of a chain after `sharing`. */
const six = `0x${'00'.repeat(31)}06`

/** What the answer has to be: a value or pattern of the result, or the code and text of the error. */
type Expected = unknown | { readonly error: readonly [code: number, message: RegExp | string] }
type Case = readonly [method: string, params: unknown, expected: Expected]

const isError = (expected: Expected): expected is { error: [number, RegExp | string] } =>
  typeof expected === 'object' && expected !== null && 'error' in expected

/** Alloy, under cast and forge: `input` and `data` together, everything that it filled, blocks as tags. */
const cast = (hash: Hex): Case[] => [
  ['eth_chainId', [], '0x4f25'],
  ['eth_call', [{ to: members, input: count, data: count }, 'latest'], six],
  ['eth_call', [{ from: finance, to: members, input: count, data: count, chainId: '0x4f25' }, 'latest', null], six],
  ['eth_call', [{ to: members, input: count }, 'latest', {}, null], six],
  [
    'eth_estimateGas',
    [
      {
        type: '0x2',
        from: finance,
        to: members,
        maxFeePerGas: '0x1',
        maxPriorityFeePerGas: '0x1',
        value: '0x0',
        input: count,
        data: count,
        nonce: '0x0',
        chainId: '0x4f25',
        accessList: [],
      },
      'pending',
    ],
    /^0x5/,
  ],
  [
    'eth_feeHistory',
    ['0xa', 'latest', [20.0]],
    { baseFeePerGas: /^0x0(,0x0)+$/, gasUsedRatio: /./, oldestBlock: '0x0' },
  ],
  ['eth_getTransactionCount', [finance, 'pending'], '0x0'],
  ['eth_createAccessList', [{ from: finance, to: members, input: count, data: count }, 'latest'], { gasUsed: /^0x/ }],
  ['eth_getProof', [members, [], 'latest'], { storageProof: [] }],
  [
    'eth_getTransactionReceipt',
    [hash],
    { type: '0x0', status: '0x1', effectiveGasPrice: '0x0', contractAddress: null },
  ],
  ['eth_getTransactionByHash', [hash], { v: /^0x/, r: /^0x/, s: /^0x/, type: '0x0', chainId: '0x4f25' }],
  ['eth_getRawTransactionByHash', [hash], /^0xf8|^0xf9/],
  ['eth_getBlockByNumber', ['latest', true], { uncles: [], size: /^0x/, nonce: /^0x0{16}$/, baseFeePerGas: '0x0' }],
  [
    'eth_fillTransaction',
    [{ to: members }],
    { error: [-32601, 'the method eth_fillTransaction does not exist/is not available'] },
  ],
  ['debug_traceTransaction', [hash, {}], { error: [-32601, /does not exist\/is not available/] }],
]

const metaMask = (hash: Hex): Case[] => [
  ['net_version', null, '20261'],
  ['eth_accounts', [], /^$/],
  ['eth_blockNumber', undefined, '0x3'],
  ['eth_getBlockByNumber', ['latest', false], { gasLimit: /^0x/, baseFeePerGas: '0x0', difficulty: '0x1' }],
  ['eth_getBalance', [finance, 'latest'], '0x0'],
  ['eth_getCode', [finance, 'latest'], '0x'],
  ['eth_getCode', [members, 'latest'], /^0xef/],
  ['eth_gasPrice', [], '0x0'],
  ['eth_feeHistory', ['0x5', 'latest', [10, 20, 30]], { reward: /^0x0/ }],
  ['eth_feeHistory', [5, 'latest', [10, 20, 30]], { reward: /^0x0/ }],
  [
    'eth_estimateGas',
    [{ from: finance, to: addressOf('market'), value: '0x0', gas: '0x1c9c380', type: '0x2' }],
    '0x5208',
  ],
  [
    'eth_estimateGas',
    [{ from: finance, to: members, value: '0x1', data: '0x' }],
    { error: [-32000, /insufficient funds/] },
  ],
  ['eth_getTransactionReceipt', [hash], { logs: /./ }],
  ['eth_requestAccounts', [], { error: [-32601, /does not exist\/is not available/] }],
  ['wallet_switchEthereumChain', [{ chainId: '0x1' }], { error: [-32601, /does not exist\/is not available/] }],
  ['eth_signTypedData_v4', [finance, '{}'], { error: [-32601, /does not exist\/is not available/] }],
  ['personal_sign', ['0x00', finance], { error: [-32601, /does not exist\/is not available/] }],
  ['eth_sendTransaction', [{ from: finance }], { error: [-32601, /does not exist\/is not available/] }],
]

/** go-ethereum's ethclient and abigen, web3.py, web3.js. */
const libraries = (block: Hex): Case[] => [
  ['eth_getCode', [members, 'pending'], /^0xef/],
  ['eth_call', [{ from: `0x${'00'.repeat(20)}`, input: count, to: members }, 'pending'], six],
  ['eth_call', [{ to: members, data: count, gas: '0x2fefd8', gasPrice: '0x0', value: '0x0' }, 'latest'], six],
  ['eth_call', [{ to: members, data: count, from: null, gas: null, value: null, accessList: null }, 'latest'], six],
  ['eth_call', [{ to: members, data: count }], six],
  ['eth_call', [{ to: members, data: count }, null], six],
  ['eth_call', [{ to: members, data: count }, { blockHash: block }], six],
  [
    'eth_call',
    [
      { to: members, data: count },
      { blockHash: block, requireCanonical: true },
    ],
    six,
  ],
  ['eth_call', [{ to: members, data: count }, { blockNumber: '0x3' }], six],
  ['eth_call', [{ to: members, data: count }, block], six],
  ['eth_call', [{ to: members, data: count }, { blockNumber: 'latest' }], six],
  ['eth_getStorageAt', [members, '0x0', 'latest'], /^0x[0-9a-f]{64}$/],
  ['eth_getStorageAt', [members, '0', 'latest'], /^0x[0-9a-f]{64}$/],
  ['eth_getBlockReceipts', [{ blockHash: block }], /./],
  ['eth_getBlockByNumber', ['latest'], { number: '0x3' }],
  ['eth_getBlockByNumber', ['pending', null], { number: '0x3' }],
  ['eth_getUncleCountByBlockNumber', ['latest'], '0x0'],
  ['eth_getLogs', [{ address: null, topics: null, fromBlock: '0x0', toBlock: 'latest' }], /./],
  ['eth_getLogs', [{ address: [dataSharing], topics: [[], null], fromBlock: '0x1', toBlock: '0x3' }], /./],
  ['eth_getLogs', [{ blockHash: block, address: members }], /^$/],
  ['eth_syncing', [], false],
  ['rpc_modules', [], { eth: '1.0', net: '1.0', web3: '1.0', txpool: '1.0', debug: '1.0', concordat: '1.0' }],
  ['net_listening', [], true],
  ['web3_clientVersion', [], /^concordat\//],
  ['eth_getBlockByNumber', ['Latest', false], { error: [-32602, 'invalid argument 0: hex string without 0x prefix'] }],
  ['eth_getBlockByNumber', ['', false], { error: [-32602, 'invalid argument 0: empty hex string'] }],
  [
    'eth_getBlockByNumber',
    ['0x03', false],
    { error: [-32602, 'invalid argument 0: hex number with leading zero digits'] },
  ],
  ['eth_getBlockByNumber', [3, false], { error: [-32602, /^invalid argument 0: /] }],
  ['eth_getBlockByNumber', ['latest', 'true'], { error: [-32602, /^invalid argument 1: /] }],
  ['eth_getBlockByNumber', ['latest', false, 1], { error: [-32602, 'too many arguments, want at most 2'] }],
  ['eth_getTransactionReceipt', [], { error: [-32602, 'missing value for required argument 0'] }],
  ['eth_getLogs', [], { error: [-32602, 'missing value for required argument 0'] }],
  ['eth_call', [], { error: [-32602, 'missing value for required argument 0'] }],
  ['eth_newPendingTransactionFilter', [true], { error: [-32602, /eth_subscribe/] }],
  [
    'eth_call',
    [{ to: members, gasPrice: '0x1', maxFeePerGas: '0x1' }],
    { error: [-32000, 'both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified'] },
  ],
  [
    'eth_estimateGas',
    [{ to: members, maxFeePerGas: '0x1', maxPriorityFeePerGas: '0x2' }],
    { error: [-32000, /^max priority fee per gas higher than max fee per gas/] },
  ],
  [
    'eth_estimateGas',
    [{ to: members, data: count, gas: '0x5300' }],
    { error: [-32000, /^gas required exceeds allowance|^intrinsic/] },
  ],
  [
    'eth_estimateGas',
    [{ to: members, data: count, gas: '0x1' }],
    { error: [-32000, /^intrinsic gas too low: have 1, want /] },
  ],
  ['eth_call', [{ to: members, authorizationList: [] }], { error: [-32000, /^transaction type not supported/] }],
  ['eth_call', [{ to: members, blobVersionedHashes: [] }], { error: [-32000, /^transaction type not supported/] }],
  [
    'eth_call',
    [{ to: members, accessList: [{ address: '0x1' }] }],
    { error: [-32602, /^invalid argument 0: accessList\[0\]: /] },
  ],
  ['eth_call', [{ to: members, accessList: {} }], { error: [-32602, /accessList: expected an array/] }],
  ['eth_sendRawTransactionSync', ['0x00', 'soon'], { error: [-32602, /^invalid argument 1: /] }],
]

async function tryCases(live: Live, cases: readonly Case[]): Promise<void> {
  for (const [method, params, expected] of cases) {
    const label = `${method} ${JSON.stringify(params) ?? ''}`.slice(0, 100)
    const body = JSON.stringify({ method, params, id: 4_294_967_296_001, jsonrpc: '2.0' })
    const { id, result, error } = JSON.parse((await post(live.url, body)).body) as Answer
    t.equal(id, 4_294_967_296_001)
    if (isError(expected)) t.match([error?.code, error?.message], expected.error, label)
    else if (error) t.fail(label, { error })
    else t.match(expected instanceof RegExp ? String(result) : shown(result, expected), expected as object, label)
  }
}

/** Lists as text where a pattern is wanted of them. */
function shown(result: unknown, expected: unknown): unknown {
  if (typeof expected !== 'object' || expected === null || typeof result !== 'object' || result === null) return result
  return Object.fromEntries(
    Object.entries(result).map(([key, value]) => {
      const wanted = (expected as Record<string, unknown>)[key]
      return [key, wanted instanceof RegExp && Array.isArray(value) ? String(value) : value]
    }),
  )
}

t.test('cast, MetaMask, ethclient, web3', async (t) => {
  const live = await startLive(t)
  const { submission } = await sharing(live.chain)
  const { hash } = (await live.rpc('eth_getBlockByNumber', ['latest', false])).result as { hash: Hex }
  await tryCases(live, [...cast(submission), ...metaMask(submission), ...libraries(hash)])
  t.same(live.defects, [])
})

t.test('an indexer goes through the chain in batches, with geth as its variant', async (t) => {
  const live = await startLive(t)
  await sharing(live.chain)
  const batch = async (calls: readonly (readonly [string, unknown[]])[]) => {
    const body = calls.map(([method, params], id) => ({ id, jsonrpc: '2.0', method, params }))
    const answers = JSON.parse((await post(live.url, JSON.stringify(body))).body) as Answer[]
    t.same(
      answers.map(({ id }) => id),
      calls.map((_, id) => id),
    )
    return answers.map(({ result, error }) => result ?? error)
  }
  const heights = [0, 1, 2, 3].map((height) => `0x${height}`)
  type Block = { hash: Hex; number: Hex; transactions: { hash: Hex; from: Hex }[]; uncles: Hex[] }
  const blocks = (await batch(heights.map((height) => ['eth_getBlockByNumber', [height, true]]))) as Block[]
  t.same(
    blocks.map(({ number }) => number),
    heights,
  )
  const transactions = blocks.flatMap((block) => block.transactions)
  const receipts = (await batch(transactions.map(({ hash }) => ['eth_getTransactionReceipt', [hash]]))) as object[]
  const ofBlocks = (await batch(blocks.map(({ hash }) => ['eth_getBlockReceipts', [hash]]))) as object[][]
  t.same(ofBlocks.flat(), receipts)
  const logs = (await live.rpc('eth_getLogs', [{ fromBlock: '0x0', toBlock: '0x3' }])).result as object[]
  t.same(
    logs,
    receipts.flatMap((receipt) => (receipt as { logs: object[] }).logs),
  )
  const senders = transactions.map(({ from }, i) => ['eth_getBalance', [from, heights[1 + (i % 3)]]] as const)
  t.ok(
    (await batch(senders as never)).every((balance) => typeof balance === 'string'),
    'of past blocks too',
  )
  const codes = await batch([
    ['eth_getCode', [members, '0x1']],
    ['txpool_content', []],
    ['txpool_inspect', []],
    ['net_version', []],
    ['eth_getBlockByNumber', ['0x99', true]],
    ['debug_traceBlockByNumber', ['0x1', {}]],
  ])
  const operator = addressOf('operator')
  t.match(codes, [
    /^0xef/,
    { pending: { [operator]: { 2: { type: '0x0' } } } },
    {},
    '20261',
    undefined,
    { code: -32601 },
  ])
  t.match(codes[2], { queued: { [operator]: { 5: `${addressOf('patents')}: 1 wei + 5000000 gas × 7 wei` } } })
  t.same(live.defects, [])
})

t.test('access lists and raw transactions agree with what was sent', async (t) => {
  const { chain, rpc } = await startLive(t)
  const { question, answer, refused } = await sharing(chain)
  const { from, to, input } = (await rpc('eth_getTransactionByHash', [refused])).result as Record<string, Hex>
  const failed = (await rpc('eth_createAccessList', [{ from, to, input }])).result
  t.match(failed, { error: 'execution reverted', accessList: [{ address: members }], gasUsed: /^0x/ })
  for (const [hash, block, index] of [
    [question, '0x2', '0x0'],
    [answer, '0x3', '0x0'],
  ]) {
    const raw = (await rpc('debug_getRawTransaction', [hash])).result
    t.match(raw, /^0x0[12]/)
    const { blockHash } = (await rpc('eth_getTransactionByHash', [hash])).result as { blockHash: Hex }
    t.equal((await rpc('eth_getRawTransactionByHash', [hash])).result, raw)
    t.equal((await rpc('eth_getRawTransactionByBlockNumberAndIndex', [block, index])).result, raw)
    t.equal((await rpc('eth_getRawTransactionByBlockHashAndIndex', [blockHash, index])).result, raw)
    const header = (await rpc('eth_getHeaderByHash', [blockHash])).result as object
    t.match((await rpc('eth_getBlockByHash', [blockHash, false])).result, header)
    t.same((await rpc('eth_getHeaderByNumber', [block])).result, header)
  }
  t.equal((await rpc('eth_getRawTransactionByHash', [`0x${'ee'.repeat(32)}`])).result, '0x')
  t.equal((await rpc('eth_getRawTransactionByBlockNumberAndIndex', ['0x1', '0x9'])).result, '0x')
  t.equal((await rpc('eth_getHeaderByNumber', ['0x99'])).result, null)
})

t.test('eth_sendRawTransactionSync ends in time with the hash (EIP-7966)', async (t) => {
  const { chain, rpc } = await startLive(t)
  const tx = chain.sign('finance', {})
  for (const [wait, raw] of [
    ['0x5', tx],
    [0, chain.sign('market', {})],
  ] as const) {
    const { error } = await rpc('eth_sendRawTransactionSync', [toHex(raw.raw), wait])
    t.match(error, { code: 4, data: raw.hash, message: /^the transaction is in the pool and not final after [05] ms$/ })
  }
  t.equal(chain.view.pendingNonce(finance), 1n, 'it stays in the pool')
  await chain.seal()
  t.match((await rpc('eth_getTransactionReceipt', [tx.hash])).result, { status: '0x1' })
})

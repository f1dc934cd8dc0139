/** Answers and errors of each method over HTTP. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { encodeFunctionData, toFunctionSelector } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { asHeight } from '../../src/core/bytes.js'
import { readVector, skipWithoutVectors } from '../vectors.js'
import { CHAIN_ID, COUNTER, counterAbi, SEALER } from './fakeChain.js'
import { type Answer, type Running, startServer } from './harness.js'
import { type Schema, schemaFault } from './schema.js'

const account = privateKeyToAccount(generatePrivateKey())
const increment = encodeFunctionData({ abi: counterAbi, functionName: 'increment', args: [1n] })

async function sendAll({ rpc, chain }: Running): Promise<string[]> {
  const common = { to: COUNTER, data: increment, gas: 100_000n, chainId: CHAIN_ID } as const
  const raws = [
    await account.signTransaction({ ...common, type: 'legacy', nonce: 0, gasPrice: 1n }),
    await account.signTransaction({
      ...common,
      type: 'eip2930',
      nonce: 1,
      gasPrice: 1n,
      accessList: [{ address: COUNTER, storageKeys: [] }],
    }),
    await account.signTransaction({ ...common, type: 'eip1559', nonce: 2, maxFeePerGas: 9n, maxPriorityFeePerGas: 1n }),
  ]
  const hashes: string[] = []
  for (const raw of raws) hashes.push((await rpc('eth_sendRawTransaction', [raw])).result as string)
  chain.seal()
  return hashes
}

t.test('answers match the published schemas', { skip: skipWithoutVectors }, async (t) => {
  const { methods } = readVector<{ methods: { name: string; result: { schema: Schema } }[] }>('openrpc.json')
  const schemas = new Map(methods.map(({ name, result }) => [name, result.schema]))
  const server = await startServer(t)
  const [legacy, accessList, dynamic] = await sendAll(server)
  const waiting = await account.signTransaction({
    to: COUNTER,
    nonce: 3,
    gas: 50_000n,
    chainId: CHAIN_ID,
    type: 'eip1559',
  })
  const pending = (await server.rpc('eth_sendRawTransaction', [waiting])).result
  // The schema knows no waiting transaction; clients want nulls.
  const inPool = (await server.rpc('eth_getTransactionByHash', [pending])).result
  t.match(inPool, { blockHash: null, blockNumber: null, transactionIndex: null, hash: pending })
  const block = (await server.rpc('eth_getBlockByNumber', ['latest', false])).result as { hash: string }
  const filter = (await server.rpc('eth_newFilter', [{ fromBlock: '0x0' }])).result
  const call = { to: COUNTER, data: toFunctionSelector('value()') }
  const calls: [string, unknown[]][] = [
    ...[legacy, accessList, dynamic].map((hash): [string, unknown[]] => ['eth_getTransactionByHash', [hash]]),
    ...[legacy, accessList, dynamic].map((hash): [string, unknown[]] => ['eth_getTransactionReceipt', [hash]]),
    ['eth_getTransactionReceipt', [pending]],
    ['eth_getBlockByNumber', ['0x1', true]],
    ['eth_getBlockByNumber', ['0x0', false]],
    ['eth_getBlockByNumber', ['0x99', false]],
    ['eth_getBlockByHash', [block.hash, true]],
    ['eth_getBlockReceipts', ['latest']],
    ['eth_getBlockReceipts', ['0x99']],
    ['eth_getBlockTransactionCountByNumber', ['latest']],
    ['eth_getBlockTransactionCountByHash', [block.hash]],
    ['eth_getTransactionByBlockNumberAndIndex', ['latest', '0x1']],
    ['eth_getTransactionByBlockHashAndIndex', [block.hash, '0x9']],
    [
      'eth_getLogs',
      [
        {
          fromBlock: 'earliest',
          toBlock: 'latest',
          topics: [null, [`0x${account.address.slice(2).toLowerCase().padStart(64, '0')}`]],
        },
      ],
    ],
    ['eth_getFilterLogs', [filter]],
    ['eth_getFilterChanges', [filter]],
    ['eth_uninstallFilter', [filter]],
    ['eth_newFilter', [{}]],
    ['eth_newBlockFilter', []],
    ['eth_newPendingTransactionFilter', []],
    ['eth_getProof', [COUNTER, ['0x0', `0x${'00'.repeat(32)}`], 'latest']],
    ['eth_getStorageAt', [COUNTER, '0x0', 'latest']],
    ['eth_getStorageValues', [{ [COUNTER]: ['0x0'] }, 'latest']],
    ['eth_getBalance', [account.address, 'latest']],
    ['eth_getCode', [COUNTER, { blockHash: block.hash }]],
    ['eth_getTransactionCount', [account.address, 'pending']],
    ['eth_call', [call, 'latest']],
    ['eth_estimateGas', [call]],
    ['eth_feeHistory', ['0x2', 'latest', [10, 90]]],
    ['txpool_content', []],
    ['txpool_contentFrom', [account.address.toLowerCase()]],
    ['debug_getRawTransaction', [dynamic]],
    ['debug_getRawBlock', ['latest']],
    ['debug_getRawHeader', ['latest']],
    ['debug_getRawReceipts', ['latest']],
  ]
  const plain =
    'eth_chainId eth_blockNumber eth_accounts eth_coinbase eth_syncing eth_gasPrice eth_maxPriorityFeePerGas eth_baseFee net_version txpool_status'
  calls.push(...plain.split(' ').map((name): [string, unknown[]] => [name, []]))
  for (const [name, params] of calls) {
    const { result, error } = await server.rpc(name, params)
    const schema = schemas.get(name)
    if (!schema) t.fail(`${name} is in no schema`)
    else t.equal(error ?? schemaFault(schema, result), undefined, `${name} ${JSON.stringify(params).slice(0, 60)}`)
  }
})

t.test('transactions and receipts show what this chain does', async (t) => {
  const server = await startServer(t)
  const [legacy, , dynamic] = await sendAll(server)
  const { rpc } = server
  const first = (await rpc('eth_getTransactionByHash', [legacy])).result as Record<string, unknown>
  t.ok([0, 1].includes(Number(first.v) - 2 * CHAIN_ID - 35), 'EIP-155: 2 * chain id + 35 + parity')
  const last = (await rpc('eth_getTransactionReceipt', [dynamic])).result as Record<string, unknown>
  t.match(last, { gasUsed: '0x7530', cumulativeGasUsed: '0x15f90', effectiveGasPrice: '0x0', transactionIndex: '0x2' })
  t.match(last.logs, [{ logIndex: '0x2', address: COUNTER, removed: false }])
  t.same(new Set(Object.keys((last.logs as object[])[0]!)).size, 10, 'standard log fields only')
  const all = (await rpc('eth_getBlockReceipts', ['latest'])).result as unknown[]
  t.same(all[2], last)
})

const code = (answer: Answer) => answer.error && [answer.error.code, answer.error.message]

t.test('blocks that are not kept', async (t) => {
  const { rpc, chain } = await startServer(t)
  chain.sealMany(4)
  const hash = chain.hashOf(asHeight(2))!
  chain.oldest = 3
  const message = 'pruned history unavailable: block 2 is not kept here, blocks from 3 on are; ask another node'
  const refused: [string, unknown[]][] = [
    ['eth_getBlockByNumber', ['0x2', false]],
    ['eth_getBlockByHash', [hash, false]],
    ['eth_getBlockReceipts', ['0x2']],
    ['debug_getRawBlock', ['0x2']],
  ]
  for (const [method, params] of refused) t.same(code(await rpc(method, params)), [4444, message], method)
  t.match(await rpc('eth_getBlockByNumber', ['0x3', false]), { result: { number: '0x3' } })
  t.match(await rpc('eth_getBlockByNumber', ['0x0', false]), { result: { number: '0x0' } }, 'genesis stays')
  // Blooms of empty blocks say that there is nothing to miss.
  t.same((await rpc('eth_getLogs', [{ fromBlock: '0x1', toBlock: '0x4', address: COUNTER }])).result, [])
  t.same(code(await rpc('eth_getLogs', [{ fromBlock: '0x2', toBlock: '0x4' }])), [4444, message])
})

t.test('errors: codes and texts', async (t) => {
  const { rpc, chain, defects } = await startServer(t)
  const address = account.address
  const zeros = `0x${'00'.repeat(32)}`
  chain.seal()
  const cases: [string, unknown, number, string][] = [
    ['eth_nope', [], -32601, 'the method eth_nope does not exist/is not available'],
    ['constructor', [], -32601, 'the method constructor does not exist/is not available'],
    ['__proto__', [], -32601, 'the method __proto__ does not exist/is not available'],
    ['eth_fillTransaction', [{}], -32601, 'the method eth_fillTransaction does not exist/is not available'],
    ['eth_blobBaseFee', [], -32601, 'the method eth_blobBaseFee does not exist/is not available'],
    ['eth_subscribe', ['newHeads'], -32601, 'notifications not supported'],
    ['eth_chainId', {}, -32602, 'non-array args'],
    ['eth_chainId', [1], -32602, 'too many arguments, want at most 0'],
    ['eth_getBalance', [], -32602, 'missing value for required argument 0'],
    ['eth_getBalance', ['0x12'], -32602, 'invalid argument 0: hex string has length 2, want 40'],
    ['eth_getBalance', [address, '0x01'], -32602, 'invalid argument 1: hex number with leading zero digits'],
    ['eth_getBalance', [address, '0x99'], -32000, 'header not found'],
    [
      'eth_getBalance',
      [address, '0x0'],
      -32000,
      'missing trie node: state of block 0 is not kept, this node keeps those of blocks 1 to 1 (state.recentBlocks, state.archive)',
    ],
    ['eth_getBalance', [address, { blockHash: zeros }], -32000, 'header not found'],
    ['debug_getRawBlock', ['2'], -32602, 'invalid argument 0: hex string without 0x prefix'],
    ['debug_getRawBlock', ['0x99'], -32000, 'block not found'],
    ['eth_getStorageAt', [COUNTER, '0xasdf', 'latest'], -32602, 'invalid hex in storage key: "0xasdf"'],
    [
      'eth_getStorageAt',
      [COUNTER, `${zeros}0`, 'latest'],
      -32602,
      `storage key too long (want at most 32 bytes): "${zeros}0"`,
    ],
    ['eth_getStorageValues', [{}, 'latest'], -32602, 'empty request'],
    ['eth_getLogs', [{ fromBlock: '0x0', toBlock: '0x2' }], -32602, 'block range extends beyond current head block'],
    ['eth_getLogs', [{ fromBlock: '0x32', toBlock: '0x2f' }], -32602, 'invalid block range params'],
    [
      'eth_getLogs',
      [{ blockHash: zeros, fromBlock: '0x0' }],
      -32602,
      'invalid argument 0: cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other',
    ],
    ['eth_getLogs', [{ blockHash: zeros }], -32000, 'unknown block'],
    ['eth_getLogs', [{ topics: [null, null, null, null, null] }], -32602, 'exceed max topics'],
    ['eth_getFilterChanges', ['0x1'], -32000, 'filter not found'],
    [
      'eth_call',
      [{ to: COUNTER, data: '0x1' }, 'latest'],
      -32602,
      'invalid argument 0: data: hex string of odd length',
    ],
    [
      'eth_call',
      [{ to: COUNTER, data: '0x', input: '0x00' }],
      -32602,
      'both "data" and "input" are set and not equal. Please use "input" to pass transaction call data',
    ],
    ['eth_call', [{ to: COUNTER, chainId: '0x1' }], -32602, `chainId does not match node's (have=1, want=${CHAIN_ID})`],
    [
      'eth_call',
      [{ to: COUNTER }, 'latest', { [COUNTER]: {} }],
      -32602,
      'invalid argument 2: state and block overrides are not supported',
    ],
    ['eth_call', [{ data: '0x6000' }], -32000, 'contract creation is not supported'],
    ['eth_sendRawTransaction', ['0x'], -32000, 'rlp: malformed transaction'],
    ['eth_sendRawTransaction', ['0x03c0'], -32000, 'transaction type not supported'],
    [
      'eth_feeHistory',
      ['0x1', 'latest', [90, 10]],
      -32000,
      'invalid reward percentile: want ascending numbers from 0 to 100',
    ],
  ]
  for (const [method, params, ...expected] of cases) {
    t.same(code(await rpc(method, params)), expected, `${method} ${JSON.stringify(params).slice(0, 60)}`)
  }
  t.same(defects, [])
})

t.test("submission: geth's texts", async (t) => {
  const { rpc, chain } = await startServer(t)
  const tx = { to: COUNTER, nonce: 0, gas: 50_000n, gasPrice: 0n, type: 'legacy' } as const
  const raw = await account.signTransaction({ ...tx, chainId: CHAIN_ID })
  const submit = async (bytes: string) => code(await rpc('eth_sendRawTransaction', [bytes]))
  t.same(await submit(raw), undefined)
  t.same(await submit(raw), [-32000, 'already known'])
  chain.seal()
  t.same(await submit(raw), [-32000, 'nonce too low: next nonce 1, tx nonce 0'])
  const other = await account.signTransaction({ ...tx, chainId: 1 })
  t.same(await submit(other), [-32000, `invalid chain id for signer: have 1 want ${CHAIN_ID}`])
  const unprotected = await account.signTransaction(tx)
  t.same(await submit(unprotected), [-32000, 'only replay-protected (EIP-155) transactions allowed over RPC'])
  t.match(await submit(`${raw}00`), [-32000, /^rlp: /], 'trailing byte')
})

t.test('a revert is code 3 with raw data; estimateGas too', async (t) => {
  const { rpc } = await startServer(t)
  const data = encodeFunctionData({ abi: counterAbi, functionName: 'refuse', args: ['closed'] })
  for (const method of ['eth_call', 'eth_estimateGas']) {
    const { error } = await rpc(method, [{ to: COUNTER, input: data }])
    t.match(error, { code: 3, message: 'execution reverted: closed', data: /^0x08c379a0/ })
  }
  const custom = encodeFunctionData({ abi: counterAbi, functionName: 'refuseCustom', args: [9n] })
  const { error } = await rpc('eth_call', [{ to: COUNTER, data: custom }, 'latest'])
  t.match(error, { code: 3, message: 'execution reverted', data: /09$/ })
})

t.test('a defect is -32603, told to the node and not to the client', async (t) => {
  const { rpc, chain, defects } = await startServer(t)
  chain.defect = new Error('secret path /data')
  t.same(code(await rpc('eth_getBalance', [COUNTER, 'latest'])), [-32603, 'internal error'])
  t.same(defects, [chain.defect])
})

t.test('concordat_, net_, web3_', async (t) => {
  const { rpc, chain } = await startServer(t)
  const { hash } = chain.seal()
  const certificate = (await rpc('concordat_getFinalityCertificate', [hash])).result
  t.match(certificate, { blockNumber: '0x1', blockHash: hash, kind: 'finalize', view: '0x1', signers: [SEALER] })
  t.equal((await rpc('concordat_getFinalityCertificate', ['earliest'])).result, null)
  t.same((await rpc('concordat_getSealerSet', ['latest'])).result, {
    epoch: '0x0',
    sealers: [{ address: SEALER, weight: '0x1' }],
  })
  t.match((await rpc('concordat_peers')).result, [
    { name: 'node2', connected: true },
    { name: null, connected: false, rttMs: null },
  ])
  t.match((await rpc('concordat_consensusStatus')).result, {
    finalHeight: '0x1',
    isSealer: true,
    history: { checked: '0x1', total: '0x3' },
  })
  const consensus = (await rpc('concordat_consensus')).result
  const published = JSON.parse(readFileSync('schemas/concordat-consensus.schema.json', 'utf8')) as Schema
  t.equal(schemaFault(published, consensus), undefined)
  t.match(consensus, {
    stage: 'proposal',
    stageAgeMs: 3_100,
    view: '0x2',
    sealers: [{ name: null }, { name: 'node2' }],
  })
  t.same((await rpc('concordat_consensus', [1])).error?.message, 'too many arguments, want at most 0')
  t.match((await rpc('concordat_genesisHash')).result, /^0x/)
  t.match((await rpc('concordat_getGenesisProof')).result, { header: /^0xf9/, nodes: ['0xc180'] })
  t.equal((await rpc('concordat_getEpochEnd', ['0x0'])).result, '0x0')
  t.equal((await rpc('concordat_getEpochEnd', ['0x1'])).result, null)
  t.match((await rpc('concordat_getEpochEnd', ['1'])).error?.message, /invalid argument 0/)
  t.equal((await rpc('net_peerCount')).result, '0x1')
  t.equal((await rpc('net_version')).result, String(CHAIN_ID))
  t.equal((await rpc('net_listening')).result, true)
  const empty = '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'
  t.equal((await rpc('web3_sha3', ['0x'])).result, empty)
  t.match((await rpc('web3_clientVersion')).result, /^concordat\//)
})

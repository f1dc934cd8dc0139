/** Ethereum client libraries, unpatched, against the server. */
import { Contract, type ContractEventPayload, JsonRpcProvider, Network, Wallet, WebSocketProvider } from 'ethers'
import t from 'tap'
import {
  type BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  createWalletClient,
  decodeEventLog,
  defineChain,
  http,
  type Log,
  webSocket,
} from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { CHAIN_ID, COUNTER, counterAbi } from './fakeChain.js'
import { startServer, until } from './harness.js'

function viemClients(url: string, wsUrl: string) {
  const chain = defineChain({
    id: CHAIN_ID,
    name: 'test',
    nativeCurrency: { name: 'none', symbol: 'NONE', decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  })
  const account = privateKeyToAccount(generatePrivateKey())
  const options = { chain, pollingInterval: 10 }
  return {
    account,
    reader: createPublicClient({ ...options, transport: http(url) }),
    writer: createWalletClient({ ...options, account, transport: http(url) }),
    socket: createPublicClient({ ...options, transport: webSocket(wsUrl) }),
  }
}

t.test('viem reads, sends, calls, decodes an event and a custom error', async (t) => {
  const { url, wsUrl, chain, defects } = await startServer(t)
  chain.autoSeal = true
  const { reader, writer, account } = viemClients(url, wsUrl)
  t.equal(await reader.getChainId(), CHAIN_ID)
  t.equal((await reader.getBlock()).number, 0n)
  const hash = await writer.writeContract({ address: COUNTER, abi: counterAbi, functionName: 'increment', args: [5n] })
  const receipt = await reader.waitForTransactionReceipt({ hash })
  t.equal(receipt.status, 'success')
  t.equal(receipt.from, account.address.toLowerCase())
  const event = decodeEventLog({ abi: counterAbi, ...receipt.logs[0]! })
  t.same(event.args, { by: account.address, value: 5n })
  t.equal(await reader.readContract({ address: COUNTER, abi: counterAbi, functionName: 'value' }), 5n)
  t.equal(await reader.getTransactionCount({ address: account.address }), 1)
  t.equal((await reader.getTransaction({ hash })).type, 'eip1559')
  const full = await reader.getBlock({ includeTransactions: true })
  t.equal(full.transactions[0]!.hash, hash)
  t.equal((await reader.getLogs({ address: COUNTER, fromBlock: 0n, toBlock: 'latest' })).length, 1)
  const reason = await reader
    .readContract({ address: COUNTER, abi: counterAbi, functionName: 'refuse', args: ['closed'] })
    .catch((e: BaseError) => e)
  t.match((reason as BaseError).message, /reverted with the following reason:\s+closed/)
  const custom = await reader
    .readContract({ address: COUNTER, abi: counterAbi, functionName: 'refuseCustom', args: [7n] })
    .catch((e: BaseError) => e.walk((cause) => cause instanceof ContractFunctionRevertedError))
  t.same((custom as ContractFunctionRevertedError).data?.args, [7n])
  t.equal((await reader.estimateFeesPerGas()).maxPriorityFeePerGas, 0n)
  t.equal(await reader.getGasPrice(), 0n)
  t.same((await reader.getFeeHistory({ blockCount: 2, rewardPercentiles: [50] })).reward, [[0n], [0n]])
  t.equal(
    (await reader.getProof({ address: COUNTER, storageKeys: [`0x${'00'.repeat(32)}`] })).storageProof[0]!.value,
    5n,
  )
  t.equal(await reader.getStorageAt({ address: COUNTER, slot: '0x0' }), `0x${'00'.repeat(31)}05`)
  const to = account.address
  const legacy = await writer.sendTransaction({ to, type: 'legacy' })
  await reader.waitForTransactionReceipt({ hash: legacy })
  t.equal((await reader.getTransaction({ hash: legacy })).type, 'legacy')
  const accessList = [{ address: COUNTER, storageKeys: [] }]
  const listed = await writer.sendTransaction({ to, type: 'eip2930', accessList })
  await reader.waitForTransactionReceipt({ hash: listed })
  t.equal((await reader.getTransaction({ hash: listed })).type, 'eip2930')
  await t.rejects(writer.sendTransaction({ to: account.address, nonce: 0 }), /nonce too low/i)
  t.same(defects, [])
})

t.test('viem watches blocks and events over HTTP filters and WebSocket', async (t) => {
  const { url, wsUrl, chain } = await startServer(t)
  chain.autoSeal = true
  const { reader, writer, socket } = viemClients(url, wsUrl)
  const polled: Log[] = []
  const pushed: Log[] = []
  const heads: bigint[] = []
  const watch = { address: COUNTER, abi: counterAbi, eventName: 'Incremented' } as const
  const stops = [
    reader.watchContractEvent({ ...watch, onLogs: (logs) => polled.push(...logs) }),
    socket.watchContractEvent({ ...watch, onLogs: (logs) => pushed.push(...logs) }),
    socket.watchBlockNumber({ onBlockNumber: (number) => heads.push(number) }),
  ]
  const seen = () => polled.length > 0 && pushed.length > 0 && heads.length > 0
  await until(async () => {
    await writer.writeContract({ address: COUNTER, abi: counterAbi, functionName: 'increment', args: [1n] })
    return seen()
  }, 'logs by both transports and a head')
  for (const stop of stops) stop()
  await socket.getChainId()
  const { close } = await socket.transport.getRpcClient()
  close()
  t.equal((pushed[0] as unknown as { eventName: string }).eventName, 'Incremented')
})

t.test('ethers reads, sends, calls, decodes, watches', async (t) => {
  const { url, wsUrl, chain, defects } = await startServer(t)
  chain.autoSeal = true
  const provider = new JsonRpcProvider(url, undefined, { staticNetwork: Network.from(CHAIN_ID), cacheTimeout: -1 })
  provider.pollingInterval = 10
  t.teardown(() => provider.destroy())
  const wallet = new Wallet(generatePrivateKey(), provider)
  const counter = new Contract(COUNTER, JSON.stringify(counterAbi), wallet)
  t.equal((await provider.getNetwork()).chainId, BigInt(CHAIN_ID))
  const sent = await counter.getFunction('increment')(3n)
  const receipt = await sent.wait()
  t.equal(receipt.status, 1)
  t.equal(receipt.logs[0].args.value, 3n)
  t.equal(await counter.getFunction('value')(), 3n)
  t.equal((await provider.getBlock('latest', true))?.prefetchedTransactions[0]?.hash, sent.hash)
  t.equal((await provider.getTransaction(sent.hash))?.from, wallet.address)
  t.equal((await counter.queryFilter('Incremented', 0)).length, 1)
  await t.rejects(counter.getFunction('refuse').staticCall('closed'), { code: 'CALL_EXCEPTION', reason: 'closed' })
  const refusal = await counter
    .getFunction('refuseCustom')
    .staticCall(7n)
    .catch((error: unknown) => error)
  t.match(refusal, { code: 'CALL_EXCEPTION', revert: { name: 'TooMany' } })
  await t.rejects(wallet.sendTransaction({ to: wallet.address, nonce: 0 }), { code: 'NONCE_EXPIRED' })
  const fees = await provider.getFeeData()
  t.equal(fees.gasPrice, 0n)
  const socket = new WebSocketProvider(wsUrl, Network.from(CHAIN_ID))
  t.teardown(() => socket.destroy())
  const values: bigint[] = []
  const watched = counter.connect(socket) as Contract
  await watched.on('Incremented', (_by, value: bigint, payload: ContractEventPayload) => {
    if (payload.log.address.toLowerCase() === COUNTER) values.push(value)
  })
  const polled: bigint[] = []
  await counter.on('Incremented', (_by, value: bigint) => polled.push(value))
  await until(async () => {
    await (await counter.getFunction('increment')(1n)).wait()
    return values.length > 0 && polled.length > 0
  }, 'an event by both transports')
  await counter.removeAllListeners()
  // A poll in flight would start polling again on a destroyed provider: pause, and let it come back first.
  provider.pause()
  await provider.send('eth_chainId', [])
  t.same(defects, [])
})

/** viem and ethers, unpatched, on the system contracts with the ABIs that abi/ publishes: events, custom errors, everything a wallet asks. */
import { readFileSync } from 'node:fs'
import { Contract, isCallException, JsonRpcProvider, Network, Wallet } from 'ethers'
import t from 'tap'
import {
  type Abi,
  BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  createWalletClient,
  defineChain,
  encodeFunctionData,
  type Hex,
  http,
  keccak256,
  parseEventLogs,
  webSocket,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { CAPITAL, CHAIN_ID, ENTERPRISE_ID, word } from '../contracts/world.js'
import { until } from './harness.js'
import { addressOf, hexKeyOf, type Live, sharing, startLive, type Who } from './liveChain.js'

const published = (name: string) => JSON.parse(readFileSync(`abi/${name}.json`, 'utf8')) as Abi
const membersAbi = published('members')
const sharingAbi = published('dataSharing')
const { members, dataSharing } = CONTRACT_ADDRESSES
const ZERO = `0x${'00'.repeat(32)}` as const
const chainId = Number(CHAIN_ID)

function viemOf({ url, wsUrl }: Pick<Live, 'url' | 'wsUrl'>, who: Who) {
  const nativeCurrency = { name: 'none', symbol: 'NONE', decimals: 18 }
  const chain = defineChain({ id: chainId, name: 'live', nativeCurrency, rpcUrls: { default: { http: [url] } } })
  const account = privateKeyToAccount(hexKeyOf(who))
  const options = { chain, pollingInterval: 10 }
  return {
    account,
    reader: createPublicClient({ ...options, transport: http(url) }),
    writer: createWalletClient({ ...options, account, transport: http(url) }),
    socket: createPublicClient({ ...options, transport: webSocket(wsUrl) }),
  }
}

const newMember = { account: `0x${'31'.repeat(20)}`, role: 3, id: word('x'), name: 'Auditor', encryptionKey: ZERO }

const revertOf = (error: unknown) =>
  (error instanceof BaseError ? error.walk((cause) => cause instanceof ContractFunctionRevertedError) : undefined) as
    | ContractFunctionRevertedError
    | undefined

t.test('viem: custom errors from a call and from an estimate, events by indexed arguments', async (t) => {
  const live = await startLive(t)
  const hashes = await sharing(live.chain)
  const { reader, writer, account } = viemOf(live, 'enterprise')
  const refusedCall = { address: members, abi: membersAbi, functionName: 'registerMember', args: [newMember], account }
  for (const attempt of [reader.simulateContract(refusedCall), reader.estimateContractGas(refusedCall)]) {
    const revert = revertOf(await attempt.catch((error: unknown) => error))
    t.equal(revert?.data?.errorName, 'NotOperator')
    t.same(revert?.data?.args, [account.address], 'with its arguments')
  }
  const unknown = { address: dataSharing, abi: sharingAbi, functionName: 'submissionOf', args: [99n] }
  const revert = revertOf(await reader.readContract(unknown).catch((error: unknown) => error))
  t.same([revert?.data?.errorName, revert?.data?.args], ['UnknownSubmission', [99n]])
  const wrong = { to: members, data: '0xdeadbeef' } as const
  await t.rejects(reader.call(wrong), /members has no function 0xdeadbeef/)
  await t.rejects(writer.sendTransaction(wrong), /members has no function 0xdeadbeef/)

  const about = { address: dataSharing, abi: sharingAbi, fromBlock: 0n } as const
  const stored = await reader.getContractEvents({
    ...about,
    eventName: 'DataStored',
    args: { enterpriseId: ENTERPRISE_ID, recipient: addressOf('market') },
  })
  t.match(stored, [{ transactionHash: hashes.submission, args: { submissionId: 1n, part: 0 } }])
  const others = { enterpriseId: word('another') }
  t.same(await reader.getContractEvents({ ...about, eventName: 'DataStored', args: others }), [])
  const { logs } = await reader.getTransactionReceipt({ hash: hashes.answer })
  const attested = parseEventLogs({ abi: sharingAbi, logs, eventName: 'Attested' })
  t.match(attested[0], { args: { requestId: 1n, attribute: CAPITAL, existence: 1, confirmed: true } })
  t.equal(parseEventLogs({ abi: sharingAbi, logs }).length, logs.length, 'the ABI knows every event')
  t.equal((await reader.getTransactionReceipt({ hash: hashes.refused })).status, 'reverted')
  t.same(live.defects, [])
})

t.test('viem: what else its clients ask', async (t) => {
  const live = await startLive(t)
  const { chain } = live
  const hashes = await sharing(chain)
  const { reader, writer, account } = viemOf(live, 'finance')
  const data = encodeFunctionData({ abi: membersAbi, functionName: 'rotateEncryptionKey', args: [word('key')] })
  const call = { account, to: members, data } as const
  const { accessList, gasUsed } = await reader.createAccessList(call)
  t.match(accessList, [{ address: members, storageKeys: [/^0x/] }])
  t.equal(await reader.estimateGas({ ...call, accessList }), gasUsed, 'an estimate counts the list')
  t.ok((await reader.estimateGas(call)) < gasUsed, 'which saves nothing')

  const request = await writer.prepareTransactionRequest({ ...call, type: 'eip2930', accessList })
  const serializedTransaction = await writer.signTransaction(request)
  const sent = writer.sendRawTransactionSync({ serializedTransaction, timeout: 4_000 })
  await until(() => chain.view.poolCounts().pending > 0, 'the transaction to wait')
  const pendingNonce = await reader.getTransactionCount({ address: account.address, blockTag: 'pending' })
  t.equal(pendingNonce, request.nonce + 1)
  const waiting = await reader.getTransaction({ sender: account.address, nonce: request.nonce })
  t.equal(waiting.blockNumber, null)
  await chain.seal()
  const receipt = await sent
  t.match(receipt, { status: 'success', gasUsed, transactionHash: keccak256(serializedTransaction) })
  t.equal(chain.view.poolCounts().pending, 0)
  await t.rejects(writer.sendRawTransactionSync({ serializedTransaction }), /nonce too low/)
  const placed = await reader.getTransaction({ sender: account.address, nonce: request.nonce })
  t.equal(placed.blockHash, receipt.blockHash)
  const first = await reader.getTransaction({ sender: addressOf('enterprise'), nonce: 0 })
  t.equal(first.hash, hashes.submission, 'of another block')

  const message = 'of no meaning'
  const signature = await account.signMessage({ message })
  t.ok(
    await reader.verifyMessage({ address: account.address, message, signature }),
    'also where no verifier is deployed',
  )
  t.notOk(await reader.verifyMessage({ address: addressOf('market'), message, signature }))
  t.equal(await reader.getCode({ address: account.address }), undefined)
  t.equal((await reader.getBlock({ blockTag: 'finalized' })).hash, (await reader.getBlock()).hash)
  t.equal(await reader.getBlockTransactionCount({ blockNumber: 1n }), 3)
  t.equal((await reader.getProof({ address: members, storageKeys: [ZERO] })).address, members)
  t.equal(
    await reader.getStorageAt({ address: members, slot: '0x0' }),
    await reader.getStorageAt({ address: members, slot: ZERO }),
  )
  t.match(await reader.estimateFeesPerGas(), { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n })
  t.match(await reader.getFeeHistory({ blockCount: 2, rewardPercentiles: [50] }), { reward: [[0n], [0n]] })
  const { number } = await reader.getBlock()
  t.equal(await reader.getBalance({ address: addressOf('operator'), blockNumber: number }), 995n)
  await t.rejects(writer.sendTransaction({ to: members, value: 1n }), /insufficient funds/i)
  await t.rejects(writer.deployContract({ abi: [], bytecode: '0x6000' }), /contract creation is not supported/)
  t.same(live.defects, [])
})

t.test('viem: pending transactions by filter and by subscription, whole and by hash', async (t) => {
  const live = await startLive(t)
  const { reader, socket } = viemOf(live, 'operator')
  const polled: Hex[] = []
  const pushed: Hex[] = []
  const stops = [
    reader.watchPendingTransactions({ onTransactions: (hashes) => polled.push(...hashes) }),
    socket.watchPendingTransactions({ onTransactions: (hashes) => pushed.push(...hashes) }),
  ]
  const whole: { hash: Hex; from: Hex }[] = []
  const { unsubscribe } = await socket.transport.subscribe({
    params: ['newPendingTransactions', true] as never,
    onData: (data: { result?: unknown }) => void whole.push(data.result as { hash: Hex; from: Hex }),
  })
  await until(() => {
    live.chain.submit(live.chain.sign('operator', {}))
    return polled.length > 0 && pushed.length > 0 && whole.length > 0
  }, 'a transaction by all three ways')
  t.match(whole[0], { from: addressOf('operator'), blockHash: null, type: '0x2', hash: /^0x/ })
  for (const stop of stops) stop()
  await unsubscribe()
  await socket.getChainId()
  ;(await socket.transport.getRpcClient()).close()
})

t.test('ethers: custom errors, events and views of the published ABI', async (t) => {
  const live = await startLive(t)
  const hashes = await sharing(live.chain)
  const provider = new JsonRpcProvider(live.url, undefined, { staticNetwork: Network.from(chainId), cacheTimeout: -1 })
  t.teardown(() => provider.destroy())
  const wallet = new Wallet(hexKeyOf('enterprise'), provider)
  const register = new Contract(members, JSON.stringify(membersAbi), wallet)
  for (const way of ['staticCall', 'estimateGas'] as const) {
    const error = await register
      .getFunction('registerMember')
      [way](newMember)
      .catch((error: unknown) => error)
    if (!isCallException(error)) throw error
    // ethers decodes with the ABI in calls alone; what an estimate reverted with is there for `parseError`.
    const parsed = error.revert ?? register.interface.parseError(error.data!)
    t.equal(parsed?.name, 'NotOperator', way)
    t.equal(parsed?.args[0], wallet.address)
  }
  const shared = new Contract(dataSharing, JSON.stringify(sharingAbi), provider)
  const found = await shared.queryFilter(shared.filters.DataStored!(null, ENTERPRISE_ID, addressOf('market')), 0)
  t.same(
    found.map((log) => [log.transactionHash, 'args' in log && log.args.submissionId]),
    [[hashes.submission, 1n]],
  )
  t.same((await shared.getFunction('submissionOf')(1n)).documentHash, word('document'))
  t.equal(await shared.getFunction('supportsInterface')('0x01ffc9a7'), true)
  t.equal((await provider.getTransactionReceipt(hashes.refused))?.status, 0)
  const block = await provider.getBlock('safe', true)
  t.equal(block?.prefetchedTransactions.length, 2)
  t.equal((await provider.getTransaction(hashes.question))?.accessList?.[0]?.address.toLowerCase(), dataSharing)
  t.equal(await provider.getTransactionCount(addressOf('operator'), 'pending'), 3, 'none that waits behind a gap')
  t.same(live.defects, [])
})

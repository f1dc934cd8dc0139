/** viem's and ethers' own clients on a real network of four processes, unpatched: read, send, call, decode events and errors. */
import { Trie } from '@ethereumjs/trie'
import { Contract, JsonRpcProvider, Wallet, WebSocketProvider } from 'ethers'
import t from 'tap'
import {
  type BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  createWalletClient,
  defineChain,
  fromRlp,
  hexToBytes,
  http,
  parseAbi,
  parseEventLogs,
  webSocket,
} from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { register } from '../../examples/client/contracts.js'
import { prove } from '../../examples/client/finality.js'
import { traceEnterprise } from '../../examples/client/trace.js'
import {
  connect,
  readChainIdentity,
  readFinalityProof,
  readSealerSet,
  verifyFinality,
  verifyProof,
  waitForFinality,
} from '../../src/client/index.js'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { membersAbi } from '../../src/contracts/members.abi.js'
import { textId } from '../../src/contracts/textId.js'
import { asHash } from '../../src/core/bytes.js'
import { eventually, startLocalNetwork } from '../support/localNetwork.js'

const abi = parseAbi(membersAbi)
const ZERO = `0x${'00'.repeat(32)}` as const

t.test('Ethereum clients nobody here wrote', async (t) => {
  const net = await startLocalNetwork()
  t.teardown(() => net.stop())
  const [node1, node2] = net.network.nodes
  const operatorKey = net.network.accounts.operator!.privateKey
  const chain = defineChain({
    id: net.network.chainId,
    name: 'concordat',
    nativeCurrency: { name: 'none', symbol: 'NONE', decimals: 18 },
    rpcUrls: { default: { http: [node1!.rpc], webSocket: [node1!.ws] } },
  })

  await t.test('viem', async (t) => {
    const client = createPublicClient({ chain, transport: http() })
    const account = privateKeyToAccount(operatorKey)
    const wallet = createWalletClient({ chain, transport: http(), account })
    t.equal(await client.getChainId(), chain.id)
    const genesis = await client.getBlock({ blockNumber: 0n })
    t.equal(genesis.hash, net.network.genesisHash)

    const member = {
      account: `0x${'11'.repeat(20)}`,
      role: 3,
      id: textId('auditor-viem'),
      name: '审计署',
      encryptionKey: ZERO,
    } as const
    const { request } = await client.simulateContract({
      account,
      address: CONTRACT_ADDRESSES.members,
      abi,
      functionName: 'registerMember',
      args: [member],
    })
    const hash = await wallet.writeContract(request)
    const receipt = await client.waitForTransactionReceipt({ hash, pollingInterval: 20, checkReplacement: false })
    t.equal(receipt.status, 'success')
    const [event] = parseEventLogs({ abi, logs: receipt.logs, eventName: 'MemberRegistered' })
    t.match(event!.args, { account: member.account, role: 3, id: member.id, name: member.name })

    const read = await client.readContract({
      address: CONTRACT_ADDRESSES.members,
      abi,
      functionName: 'getMember',
      args: [member.account],
    })
    t.equal(read.name, member.name)
    const block = await client.getBlock({ blockHash: receipt.blockHash, includeTransactions: true })
    t.equal(block.transactions[0]!.from, account.address.toLowerCase())
    t.equal((await client.getTransaction({ hash })).blockNumber, receipt.blockNumber)
    t.equal(await client.getTransactionCount({ address: account.address }), 1)
    const logs = await client.getContractEvents({
      address: CONTRACT_ADDRESSES.members,
      abi,
      eventName: 'MemberRegistered',
      args: { account: member.account },
      fromBlock: 0n,
    })
    t.equal(logs.length, 1)
    t.ok((await client.getCode({ address: CONTRACT_ADDRESSES.members }))!.length > 2)
    t.equal(await client.getGasPrice(), 0n)

    const failure = await client
      .simulateContract({
        account,
        address: CONTRACT_ADDRESSES.members,
        abi,
        functionName: 'registerMember',
        args: [member],
      })
      .catch((error: unknown) => error)
    const revert = (failure as BaseError).walk(
      (error) => error instanceof ContractFunctionRevertedError,
    ) as ContractFunctionRevertedError
    t.equal(revert.data?.errorName, 'AccountRegistered', 'a custom error is decoded')
  })

  await t.test('a receipt at once, and a proof of the state after it', async (t) => {
    const client = createPublicClient({ chain, transport: http() })
    const account = privateKeyToAccount(operatorKey)
    const wallet = createWalletClient({ chain, transport: http(), account })
    const request = await wallet.prepareTransactionRequest({ to: account.address })
    const serializedTransaction = await wallet.signTransaction(request)
    const receipt = await wallet.sendRawTransactionSync({ serializedTransaction })
    t.equal(receipt.status, 'success')
    t.equal(
      (await client.getTransaction({ sender: account.address, nonce: request.nonce })).hash,
      receipt.transactionHash,
    )
    const { stateRoot, number: blockNumber } = await client.getBlock({ blockNumber: receipt.blockNumber })
    const { address, accountProof, nonce } = await client.getProof({
      address: account.address,
      storageKeys: [],
      blockNumber,
    })
    t.equal(nonce, request.nonce + 1)
    const nodes = accountProof.map((node) => hexToBytes(node))
    const value = await new Trie({ useKeyHashing: true }).verifyProof(hexToBytes(stateRoot), hexToBytes(address), nodes)
    t.equal(Number(fromRlp(value!, 'hex')[0]), nonce, 'held by another library to the root of the header')
  })

  await t.test('viem over WebSocket', async (t) => {
    const transport = webSocket(node1!.ws)
    const client = createPublicClient({ chain, transport })
    const blocks: bigint[] = []
    const events: string[] = []
    const unwatch = [
      client.watchBlocks({ onBlock: (block) => void blocks.push(block.number) }),
      client.watchContractEvent({
        address: CONTRACT_ADDRESSES.members,
        abi,
        eventName: 'MemberRegistered',
        onLogs: (logs) => void events.push(...logs.map((log) => log.args.name!)),
      }),
    ]
    const account = privateKeyToAccount(operatorKey)
    const wallet = createWalletClient({ chain, transport, account })
    // A client cannot know when its subscription is in place: write until something is pushed.
    let written = 0
    await eventually(async () => {
      if (blocks.length > 0 && events.length > 0) return true
      const member = {
        account: `0x22${(++written).toString(16).padStart(38, '0')}`,
        role: 3,
        id: textId(`auditor-ws-${written}`),
        name: 'Auditor WS',
        encryptionKey: ZERO,
      } as const
      const hash = await wallet.writeContract({
        address: CONTRACT_ADDRESSES.members,
        abi,
        functionName: 'registerMember',
        args: [member],
      })
      await client.waitForTransactionReceipt({ hash, pollingInterval: 20, checkReplacement: false })
      return false
    }, 'the block and the event to be pushed')
    t.ok(events.every((name) => name === 'Auditor WS'))
    for (const stop of unwatch) stop()
    // viem keeps the process alive when its socket closes with an unsubscription under way.
    await client.getBlockNumber()
    ;(await client.transport.getRpcClient()).close()
    t.ok(blocks.length > 0)
  })

  await t.test('concordat/client: contracts, finality, proofs, trails', async (t) => {
    const said: string[] = []
    const say = (line: string) => void said.push(line)
    const enterprise = privateKeyToAccount(generatePrivateKey())
    const operator = privateKeyToAccount(operatorKey)
    const hash = await register(chain.id, node1!.rpc, http(node1!.rpc), operator, enterprise.address, say)
    t.match(said.splice(0), [/^Sunflower Works is registered in block \d+$/, /^\d+ members$/])

    // Over a socket, which pushes; on another node than the one that took the transaction.
    const socket = webSocket(node2!.ws)
    await prove(socket, hash, say)
    t.match(said.splice(0), [/^final in block \d+, signed by [34] sealers$/, /^the register of members is there/])
    ;(await socket({ chain }).value!.getRpcClient()).close()

    const reader = await connect({ transport: http(node2!.rpc) })
    t.teardown(() => reader.close())
    const block = Number((await waitForFinality(reader, hash)).receipt.blockNumber)
    const proof = await readFinalityProof(reader, block)
    const sealers = await readSealerSet(reader, block)
    const identity = await readChainIdentity(reader)
    const { stateRoot } = verifyFinality(proof, sealers, identity)
    const refused = { name: 'ClientError', code: 'PROOF' }
    const heavier = { ...sealers, sealers: sealers.sealers.map((one, i) => (i === 3 ? { ...one, weight: 9 } : one)) }
    const fewer = { ...proof.certificate, signers: proof.certificate.signers.slice(0, 2) }
    t.throws(() => verifyFinality({ ...proof, certificate: fewer }, sealers, identity), refused, 'no quorum')
    t.throws(() => verifyFinality(proof, sealers, { ...identity, genesisHash: asHash(ZERO) }), refused, 'another chain')
    if (proof.certificate.signers.length === 3 && !proof.certificate.signers.includes(sealers.sealers[3]!.address))
      t.throws(() => verifyFinality(proof, heavier, identity), refused, 'other weights')
    const storageKeys = [ZERO, `0x${'ff'.repeat(32)}`] as const
    const viem = createPublicClient({ chain, transport: http(node2!.rpc) })
    const state = await viem.getProof({ address: CONTRACT_ADDRESSES.members, storageKeys: [...storageKeys] })
    const latest = await viem.getBlock()
    t.equal(verifyProof(latest.stateRoot, state).storage.get(asHash(storageKeys[1])), 0n, 'absence is proved')
    t.throws(() => verifyProof(ZERO, state), refused, 'another root')
    const cut = { ...state, accountProof: state.accountProof.slice(0, -1) }
    t.throws(() => verifyProof(latest.stateRoot, cut), refused, 'a node is missing')
    t.ok(stateRoot)

    await traceEnterprise(http(node1!.rpc), enterprise, '91440300708461136T', say)
    t.ok(said.length > 0 && said.every((line) => /^block \d+, /.test(line)), `${said[0]}`)
    await traceEnterprise(http(node1!.rpc), enterprise, '91440300708461137R', say)
    t.match(said.at(-1), /^refused: [A-Z_]+$/)
  })

  await t.test('ethers', async (t) => {
    const provider = new JsonRpcProvider(node2!.rpc, undefined, {
      polling: true,
      pollingInterval: 20,
      cacheTimeout: -1,
    })
    t.teardown(() => provider.destroy())
    t.equal((await provider.getNetwork()).chainId, BigInt(chain.id))
    const contract = new Contract(
      CONTRACT_ADDRESSES.members,
      membersAbi.filter((line) => !line.startsWith('struct')).map(expandStructs),
      new Wallet(operatorKey, provider),
    )
    const member = {
      account: `0x${'33'.repeat(20)}`,
      role: 3,
      id: textId('auditor-ethers'),
      name: 'Auditor E',
      encryptionKey: ZERO,
    }
    const sent = await contract.getFunction('registerMember')(member)
    const receipt = await sent.wait()
    t.equal(receipt.status, 1)
    t.equal(receipt.logs[0].fragment.name, 'MemberRegistered')
    t.equal(receipt.logs[0].args.name, 'Auditor E')
    const read = await contract.getFunction('getMember')(member.account)
    t.equal(read.name, 'Auditor E')
    t.ok((await provider.getBlock('latest', true))!.number > 0)
    t.equal(
      (
        await provider.getLogs({
          address: CONTRACT_ADDRESSES.members,
          fromBlock: 0,
          topics: [contract.interface.getEvent('MemberRegistered')!.topicHash],
        })
      ).length >= 1,
      true,
    )
    const failure = await contract
      .getFunction('registerMember')
      .staticCall(member)
      .catch((error: unknown) => error)
    t.equal((failure as { revert?: { name: string } }).revert?.name, 'AccountRegistered')
  })

  await t.test('ethers over WebSocket', async (t) => {
    const provider = new WebSocketProvider(node2!.ws)
    const height = await provider.getBlockNumber()
    t.ok(height > 0)
    await provider.destroy()
  })
})

/** ethers' human-readable ABI knows no structs: their fields are written out. */
function expandStructs(line: string): string {
  return line
    .replace(
      /\bNewMember member\b/,
      'tuple(address account, uint8 role, bytes32 id, string name, bytes32 encryptionKey) member',
    )
    .replace(
      /\bMember member\b/,
      'tuple(address account, uint8 role, uint8 status, bytes32 id, string name, bytes32 encryptionKey, uint64 keyEpoch, uint64 since) member',
    )
}

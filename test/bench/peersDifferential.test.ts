/**
 * The Solidity contracts on a geth node against the native ones: random calls, right and wrong, of several members. Every
 * refusal, every log and in the end every word of storage has to be the same.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { readArtifact } from '../../bench/peers/artifact.js'
import { cliqueGenesis } from '../../bench/peers/cliqueGenesis.js'
import { findGeth } from '../../bench/peers/geth.js'
import { type GethNode, initialiseNode, setSealing, startNode } from '../../bench/peers/gethNode.js'
import { signedCall } from '../../bench/testbed/transactions.js'
import { readFee } from '../../src/agent/fee.js'
import { stopProcesses, waitReady } from '../../src/cli/network/processes.js'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { systemContracts } from '../../src/contracts/registry.js'
import { type Hash, type Hex, toHex } from '../../src/core/bytes.js'
import { createRpcClient, type RpcClient } from '../../src/rpc/client.js'
import { RpcError } from '../../src/rpc/errors.js'
import type { RpcReceipt } from '../../src/rpc/wire.js'
import { callContract } from '../../src/vm/call.js'
import { executeTransaction } from '../../src/vm/executeTransaction.js'
import { INTERFACES, World } from '../contracts/world.js'
import { freeBasePort } from '../support/localNetwork.js'
import { ACCOUNTS, at, type Call, Calls, genesis } from './peersCalls.js'

const CALLS = 260
const VIEWS = 120
const SEED = 'peers'

const geth = await findGeth()
const skip = 'problem' in geth ? `needs geth 1.13.x: ${geth.problem}` : false

t.test('the Solidity contracts do what the native ones do', { skip, timeout: 120_000 }, async (t) => {
  const world = new World(genesis())
  const { client, close } = await startChain(world)
  t.teardown(close)
  const fee = await readFee(client)
  for (const account of ACCOUNTS.values()) account.fee = fee
  const calls = new Calls(world, SEED)
  const succeeded = new Map<string, number>()
  const refusals = new Set<string>()
  let onRecord = 0
  for (let i = 0; i < CALLS; i++) {
    const call = calls.next()
    const { raw, outcome } = await sameOutcome(t, client, world, call, `call ${i}`)
    if (outcome.status === 1) {
      succeeded.set(call.name, (succeeded.get(call.name) ?? 0) + 1)
      if (call.name === 'StoreData') calls.submissions++
      const refused = outcome.logs.some(
        ({ topics }) => topics[0] === INTERFACES.dataSharing.topic('VerificationRefused'),
      )
      if (refused) onRecord++
      if (call.name === 'requestVerification' && !refused) calls.requests++
    } else refusals.add(raw.slice(0, 10))
    if (!t.passing()) return
  }
  for (let i = 0; i < VIEWS; i++) await sameResult(t, client, world, calls.view())
  world.state.root()
  for (const name of ['members', 'dataPortrait', 'dataSharing'] as const) {
    const address = CONTRACT_ADDRESSES[name]
    const { storageHash } = (await client.request('eth_getProof', [address, [], 'latest'])) as { storageHash: Hash }
    t.equal(storageHash, world.state.storageTrie(address).root(), `storage of ${name}`)
  }
  const wanted = [
    'StoreData',
    'acknowledge',
    'sharePortraitKey',
    'requestVerification',
    'attest',
    'SetUserProfile',
    'reportChange',
    'registerMember',
    'setStatus',
    'rotateEncryptionKey',
  ]
  t.same(
    wanted.filter((name) => !succeeded.has(name)),
    [],
    'every function succeeded at least once',
  )
  t.ok(onRecord >= 5, `${onRecord} refusals on record`)
  t.ok(refusals.size >= 15, `${refusals.size} different refusals`)
})

async function startChain(world: World): Promise<{ client: RpcClient; close: () => Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'concordat-geth-'))
  const { key } = ACCOUNTS.get('market')!
  const { chainId, gasLimit } = world.genesis
  const port = await freeBasePort(1)
  const node: GethNode = {
    dataDir: join(dir, 'data'),
    logFile: join(dir, 'geth.log'),
    key,
    chainId,
    gasLimit,
    rpcPort: port,
    authPort: port + 1_000,
    p2pPort: port + 2_000,
  }
  const fund = [...ACCOUNTS.values()].map(({ address }) => address)
  writeFileSync(
    join(dir, 'genesis.json'),
    JSON.stringify(cliqueGenesis({ genesis: world.genesis, periodSeconds: 0, fund }, readArtifact())),
  )
  await initialiseNode(node, join(dir, 'genesis.json'), new AbortController().signal)
  const started = startNode(node)
  const client = createRpcClient({ url: `http://127.0.0.1:${port}` })
  const close = async () => {
    client.close()
    await stopProcesses([started.pid])
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    await waitReady(client.url, started, 30_000)
    await setSealing([client], true)
    return { client, close }
  } catch (error) {
    await close()
    throw error
  }
}

function dataOf({ contract, name, args }: Call): Uint8Array {
  return (INTERFACES[contract] as unknown as { encodeCall(name: string, args: unknown): Uint8Array }).encodeCall(
    name,
    args,
  )
}

/** Sends the call to both chains; compares what a call of it says beforehand, then status and logs of the transaction. */
async function sameOutcome(t: Test, client: RpcClient, world: World, call: Call, what: string) {
  const raw = await sameResult(t, client, world, call)
  const from = ACCOUNTS.get(call.from)!
  const data = dataOf(call)
  const to = CONTRACT_ADDRESSES[call.contract]
  const hash = await client.call(
    'eth_sendRawTransaction',
    signedCall(world.genesis.chainId, from, to, data, 10_000_000n),
  )
  const receipt = await receiptOf(client, hash)
  world.number = Number(receipt.blockNumber)
  const outcome = executeTransaction(
    world.state,
    world.block,
    world.transaction(from.address, to, data),
    systemContracts,
  )
  const logs = outcome.logs.map(({ address, topics, data }) => ({ address, topics, data: toHex(data) }))
  t.equal(Number(receipt.status), outcome.status, `${what}, ${call.name}: status`)
  t.same(
    receipt.logs.map(({ address, topics, data }) => ({ address, topics, data })),
    logs,
    `${what}, ${call.name}: logs`,
  )
  return { raw, outcome }
}

/** Compares what eth_call answers on both chains; returns it, or the data of the revert. */
async function sameResult(t: Test, client: RpcClient, world: World, call: Call): Promise<Hex> {
  const from = at(call.from)
  const data = dataOf(call)
  const to = CONTRACT_ADDRESSES[call.contract]
  const theirs = await client.call('eth_call', { from, to, data: toHex(data) }, 'latest').catch((error: unknown) => {
    if (error instanceof RpcError && typeof error.data === 'string') return error.data as Hex
    throw error
  })
  world.number = Number(await client.call('eth_blockNumber'))
  const ours = callContract(world.state, world.block, { from, to, data, value: 0n, gas: undefined }, systemContracts)
  t.equal(theirs, 'returnData' in ours ? toHex(ours.returnData) : ours.message, `${call.name} as a call`)
  return theirs
}

/** Once its block is also the latest: geth knows receipts a moment earlier. Of the first block it says for a while that it is indexed. */
async function receiptOf(client: RpcClient, hash: Hash): Promise<RpcReceipt> {
  for (;;) {
    const receipt = await client.call('eth_getTransactionReceipt', hash).catch(() => null)
    const height = Number(await client.call('eth_blockNumber'))
    if (receipt !== null && height >= Number(receipt.blockNumber)) return receipt
    await delay(2)
  }
}

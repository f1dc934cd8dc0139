/** CPU time of executing transactions, without signatures and tries: `node dist/bench/micro/execute.js`. */
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { BASIS, DELIVERY, EXISTENCE, QUORUM, ROLE, VALUE_TYPE } from '../../src/contracts/codes.js'
import { dataSharingInterface } from '../../src/contracts/dataSharing.js'
import { applyGenesis } from '../../src/contracts/genesis.js'
import type { GenesisConfig } from '../../src/contracts/genesisTypes.js'
import { systemContracts } from '../../src/contracts/registry.js'
import { attributeId, textId } from '../../src/contracts/textId.js'
import { assert } from '../../src/core/assert.js'
import { type Address, asHeight, type Hash, toHash, ZERO_HASH } from '../../src/core/bytes.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { secp256k1 } from '../../src/crypto/secp256k1.js'
import type { RecoveredTransaction } from '../../src/crypto/transaction.js'
import { EMPTY_STATE } from '../../src/state/layer.js'
import { StateOverlay } from '../../src/state/overlay.js'
import { callContract } from '../../src/vm/call.js'
import { executeBlock } from '../../src/vm/executeBlock.js'

const CHAIN_ID = 20261n
const BLOCK_TRANSACTIONS = 200
const ROUNDS = 150
const ENTERPRISES = 100

const account = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}` as Address
const word = (n: number): Hash => toHash(keccak256(new TextEncoder().encode(`word ${n}`)))
const department = (n: number): Address => account(0x1000 + n)
const enterprise = (n: number): Address => account(0x2000 + n)
const enterpriseId = (n: number): Hash => textId(`9144000000000${String(n).padStart(5, '0')}`)
const attributes = Array.from({ length: 18 }, (_, n) => attributeId(`attribute${n}`))
const block = {
  number: asHeight(1),
  timestamp: 1,
  chainId: CHAIN_ID,
  sealer: account(1),
  gasLimit: 1_000_000_000n,
}

const genesis: GenesisConfig = {
  chainId: Number(CHAIN_ID),
  timestamp: 0,
  gasLimit: block.gasLimit,
  sealers: [{ address: account(1), weight: 1 }],
  members: [
    ...[0, 1, 2].map((n) => ({
      address: department(n),
      role: ROLE.department,
      name: `Department ${n}`,
      id: `department-${n}`,
      encryptionKey: word(n),
    })),
    ...Array.from({ length: ENTERPRISES }, (_, n) => ({
      address: enterprise(n),
      role: ROLE.enterprise,
      name: `Enterprise ${n}`,
      id: `9144000000000${String(n).padStart(5, '0')}`,
    })),
  ],
  attributes: attributes.map((attribute, n) => ({
    attribute,
    schemaVersion: 1,
    schema: { valueType: VALUE_TYPE.text, checksum: 0, caseRule: 0, scale: 0, lengthMax: 100, min: 0n, max: 0n },
    supervisors: [department(Math.floor(n / 6))],
    encryptionKey: ZERO_HASH,
    keyEpoch: 0n,
    rule: {
      quorum: QUORUM.all,
      askerRoles: 1 << ROLE.department,
      basis: BASIS.none,
      delivery: DELIVERY.ledger,
      validityBlocks: 0n,
      deadlineBlocks: 0n,
      digestBudget: 0,
    },
  })),
  alloc: [],
}

function transaction(sender: Address, nonce: number, data: Uint8Array): RecoveredTransaction {
  return {
    type: 2,
    chainId: CHAIN_ID,
    nonce: BigInt(nonce),
    gasPrice: 0n,
    maxPriorityFeePerGas: 0n,
    gasLimit: 1_000_000n,
    to: CONTRACT_ADDRESSES.dataSharing,
    value: 0n,
    data,
    accessList: [],
    yParity: 0,
    r: 1n,
    s: 1n,
    raw: data,
    hash: ZERO_HASH,
    sender,
  }
}

function storeData(n: number, parts: number, perPart: number): RecoveredTransaction {
  const sender = n % ENTERPRISES
  const data = dataSharingInterface.encodeCall('StoreData', {
    enterpriseId: enterpriseId(sender),
    documentHash: word(n),
    portraitVersion: 1,
    parts: Array.from({ length: parts }, (_, part) => ({
      recipient: department(part),
      keyEpoch: 1n,
      attributes: attributes.slice(part * 6, part * 6 + perPart),
      digests: Array.from({ length: perPart }, (_, i) => word(i)),
      envelope: new Uint8Array(200 + 60 * perPart).fill(7),
    })),
  })
  return transaction(enterprise(sender), Math.floor(n / ENTERPRISES), data)
}

/** CPU microseconds of recovering one sender, the unit of the budgets: both sides see the same machine. */
function recoverMicros(): number {
  const privateKey = new Uint8Array(32).fill(7)
  const digest = keccak256(privateKey)
  const signature = secp256k1.sign(digest, privateKey)
  const rounds = 3_000
  for (let i = 0; i < rounds / 10; i++) secp256k1.recover(digest, signature)
  const start = process.cpuUsage()
  for (let i = 0; i < rounds; i++) secp256k1.recover(digest, signature)
  return process.cpuUsage(start).user / rounds
}

function measure(name: string, parts: number, perPart: number): void {
  const final = new StateOverlay(EMPTY_STATE)
  applyGenesis(final, genesis)
  final.root()
  const transactions = Array.from({ length: BLOCK_TRANSACTIONS }, (_, n) => storeData(n, parts, perPart))
  const times: number[] = []
  let gas = 0n
  for (let round = 0; round < ROUNDS; round++) {
    const state = new StateOverlay(final)
    const start = process.cpuUsage()
    const result = executeBlock(state, block, transactions, systemContracts)
    times.push(process.cpuUsage(start).user / BLOCK_TRANSACTIONS)
    assert(
      result.outcomes.every((outcome) => outcome.status === 1),
      'every submission succeeds',
    )
    gas = result.gasUsed / BigInt(BLOCK_TRANSACTIONS)
  }
  times.sort((a, b) => a - b)
  const median = times[ROUNDS >> 1]!
  const recover = recoverMicros()
  const ratio = (median / recover).toFixed(2)
  console.log(
    `${name}: ${median.toFixed(1)} us/transaction (first block ${Math.max(...times).toFixed(1)}), ${gas} gas each; ` +
      `one native recover ${recover.toFixed(1)} us, ratio ${ratio}`,
  )
}

function measurePortrait(): void {
  const state = new StateOverlay(EMPTY_STATE)
  applyGenesis(state, genesis)
  const writes = [0, 1, 2, 3, 4, 5].map((n) =>
    transaction(
      department(0),
      n,
      dataSharingInterface.encodeCall('SetUserProfile', {
        enterpriseId: enterpriseId(0),
        attribute: attributes[n]!,
        digest: word(n),
        existence: EXISTENCE.exists,
        confirmed: true,
      }),
    ),
  )
  executeBlock(state, block, writes, systemContracts)
  const items = writes.map((_, n) => ({ attribute: attributes[n]!, digest: word(n) }))
  const data = dataSharingInterface.encodeCall('portraitEntries', { enterpriseId: enterpriseId(0), items })
  const request = { from: department(1), to: CONTRACT_ADDRESSES.dataSharing, data, value: 0n, gas: undefined }
  const run = () => callContract(state, block, request, systemContracts)
  const calls = 5_000
  for (let i = 0; i < calls; i++) run()
  const start = process.cpuUsage()
  for (let i = 0; i < calls; i++) run()
  const micros = process.cpuUsage(start).user / calls
  const result = run()
  const entries = result.ok ? dataSharingInterface.decodeResult('portraitEntries', result.returnData) : []
  assert(entries.length === 6 && entries.every((entry) => entry.hit && entry.confirmed), 'every item is a hit')
  console.log(`portraitEntries, 6 items, all hits: ${micros.toFixed(1)} us/call`)
}

measure('StoreData, 1 part of 4 attributes', 1, 4)
measure('StoreData, 3 parts of 6 attributes', 3, 6)
measurePortrait()

/** The common input of several benchmarks: a small consortium in a state, submissions to it, a filled portrait. */
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { BASIS, DELIVERY, EXISTENCE, QUORUM, ROLE, VALUE_TYPE } from '../../src/contracts/codes.js'
import { dataSharingInterface } from '../../src/contracts/dataSharing.js'
import { applyGenesis } from '../../src/contracts/genesis.js'
import type { GenesisConfig } from '../../src/contracts/genesisTypes.js'
import { systemContracts } from '../../src/contracts/registry.js'
import { attributeId, textId } from '../../src/contracts/textId.js'
import { assert } from '../../src/core/assert.js'
import { type Address, asHeight, type Hash, toHash, utf8, ZERO_HASH } from '../../src/core/bytes.js'
import type { UnsignedTransaction } from '../../src/core/transaction.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import type { RecoveredTransaction } from '../../src/crypto/transaction.js'
import { EMPTY_STATE } from '../../src/state/layer.js'
import { StateOverlay } from '../../src/state/overlay.js'
import { executeBlock } from '../../src/vm/executeBlock.js'

const CHAIN_ID = 20_261n
const DEPARTMENTS = 3
const ENTERPRISES = 100
const ATTRIBUTES_EACH = 6

const account = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}` as Address
const word = (n: number): Hash => toHash(keccak256(utf8(`word ${n}`)))
const department = (n: number): Address => account(0x1000 + n)
const enterprise = (n: number): Address => account(0x2000 + n)
const creditCode = (n: number): string => `9144000000000${String(n).padStart(5, '0')}`
const attributes = Array.from({ length: DEPARTMENTS * ATTRIBUTES_EACH }, (_, n) => attributeId(`attribute${n}`))

export const BLOCK = {
  number: asHeight(1),
  timestamp: 1,
  chainId: CHAIN_ID,
  genesisHash: ZERO_HASH,
  sealer: account(1),
  gasLimit: 1_000_000_000n,
}

const genesis: GenesisConfig = {
  chainId: Number(CHAIN_ID),
  timestamp: 0,
  gasLimit: BLOCK.gasLimit,
  sealers: [{ address: account(1), weight: 1 }],
  members: [
    ...Array.from({ length: DEPARTMENTS }, (_, n) => ({
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
      id: creditCode(n),
    })),
  ],
  attributes: attributes.map((attribute, n) => ({
    attribute,
    schemaVersion: 1,
    schema: { valueType: VALUE_TYPE.text, checksum: 0, caseRule: 0, scale: 0, lengthMax: 100, min: 0n, max: 0n },
    supervisors: [department(Math.floor(n / ATTRIBUTES_EACH))],
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

export function consortiumState(): StateOverlay {
  const state = new StateOverlay(EMPTY_STATE)
  applyGenesis(state, genesis)
  state.root()
  return state
}

export type StoreDataArguments = Parameters<typeof dataSharingInterface.encodeCall<'StoreData'>>[1]

/** Arguments of the nth submission, with as many attributes to each of `parts` departments. */
export function storeDataArguments(n: number, parts: number, perPart: number): StoreDataArguments {
  return {
    enterpriseId: textId(creditCode(n % ENTERPRISES)),
    documentHash: word(n),
    portraitVersion: 1,
    parts: Array.from({ length: parts }, (_, part) => ({
      recipient: department(part),
      keyEpoch: 1n,
      attributes: attributes.slice(part * ATTRIBUTES_EACH, part * ATTRIBUTES_EACH + perPart),
      digests: Array.from({ length: perPart }, (_, i) => word(i)),
      envelope: new Uint8Array(200 + 60 * perPart).fill(7),
    })),
  }
}

/** A call of dataSharing, not signed. */
export function unsignedCall(nonce: number, data: Uint8Array): UnsignedTransaction {
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
  }
}

/** As it comes out of the recovery of its sender: execution looks at no signature. */
function from(sender: Address, nonce: number, data: Uint8Array): RecoveredTransaction {
  return { ...unsignedCall(nonce, data), yParity: 0, r: 1n, s: 1n, raw: data, hash: ZERO_HASH, sender }
}

/** Submissions of all enterprises in turn, ready to be executed. */
export function submissions(count: number, parts: number, perPart: number): RecoveredTransaction[] {
  return Array.from({ length: count }, (_, n) => {
    const data = dataSharingInterface.encodeCall('StoreData', storeDataArguments(n, parts, perPart))
    return from(enterprise(n % ENTERPRISES), Math.floor(n / ENTERPRISES), data)
  })
}

/** Executes on `state`; throws when one is refused. */
export function executeAll(state: StateOverlay, transactions: readonly RecoveredTransaction[]): void {
  const { outcomes } = executeBlock(state, BLOCK, transactions, systemContracts)
  assert(
    outcomes.every(({ status }) => status === 1),
    'every transaction succeeds',
  )
}

export interface FilledPortrait {
  readonly state: StateOverlay
  /** Call of portraitEntries in which every item is a hit. */
  readonly request: {
    readonly from: Address
    readonly to: Address
    readonly data: Uint8Array
    readonly value: bigint
    readonly gas: undefined
  }
}

/** The consortium's state with the portrait entries of one enterprise, and a question for `items` of them. */
export function filledPortrait(items: number): FilledPortrait {
  const state = new StateOverlay(consortiumState())
  const enterpriseId = textId(creditCode(0))
  const asked = attributes.slice(0, items).map((attribute, n) => ({ attribute, digest: word(n) }))
  const writes = asked.map(({ attribute, digest }, n) => {
    const entry = { enterpriseId, attribute, digest, existence: EXISTENCE.exists, confirmed: true }
    return from(department(0), n, dataSharingInterface.encodeCall('SetUserProfile', entry))
  })
  executeAll(state, writes)
  const data = dataSharingInterface.encodeCall('portraitEntries', { enterpriseId, items: asked })
  const request = { from: department(1), to: CONTRACT_ADDRESSES.dataSharing, data, value: 0n, gas: undefined }
  return { state, request }
}

/** A chain in memory for contract tests: genesis, transactions by name, calls, blocks. */
import { type Abi, decodeErrorResult } from 'viem'
import { builtinExtensions, type Extensions } from '../../src/consensus/extensions.js'
import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import type { auditAbi } from '../../src/contracts/audit.abi.js'
import { auditInterface } from '../../src/contracts/auditStorage.js'
import { BASIS, DELIVERY, QUORUM, ROLE, VALUE_TYPE } from '../../src/contracts/codes.js'
import type { consentsAbi } from '../../src/contracts/consents.abi.js'
import { consentsInterface } from '../../src/contracts/consentsStorage.js'
import type { credentialsAbi } from '../../src/contracts/credentials.abi.js'
import { credentialsInterface } from '../../src/contracts/credentials.js'
import type { creditAbi } from '../../src/contracts/credit.abi.js'
import { creditInterface } from '../../src/contracts/creditStorage.js'
import type { dataPortraitAbi } from '../../src/contracts/dataPortrait.abi.js'
import { dataPortraitInterface } from '../../src/contracts/dataPortrait.js'
import type { dataSharingAbi } from '../../src/contracts/dataSharing.abi.js'
import { dataSharingInterface } from '../../src/contracts/dataSharing.js'
import type { deliveryAbi } from '../../src/contracts/delivery.abi.js'
import { deliveryInterface } from '../../src/contracts/deliveryStorage.js'
import type { eligibilityAbi } from '../../src/contracts/eligibility.abi.js'
import { eligibilityInterface } from '../../src/contracts/eligibility.js'
import { endBlock } from '../../src/contracts/epoch.js'
import type { evidenceAbi } from '../../src/contracts/evidence.abi.js'
import { evidenceInterface } from '../../src/contracts/evidence.js'
import { applyGenesis } from '../../src/contracts/genesis.js'
import type { DataProfile, GenesisConfig } from '../../src/contracts/genesisTypes.js'
import type { keyAgreementAbi } from '../../src/contracts/keyAgreement.abi.js'
import { keyAgreementInterface } from '../../src/contracts/keyAgreement.js'
import type { membersAbi } from '../../src/contracts/members.abi.js'
import { membersInterface } from '../../src/contracts/members.js'
import type { provenanceAbi } from '../../src/contracts/provenance.abi.js'
import { provenanceInterface } from '../../src/contracts/provenance.js'
import { systemContracts } from '../../src/contracts/registry.js'
import type { sealersAbi } from '../../src/contracts/sealers.abi.js'
import { type SealerSetView, sealerSetOf, sealersInterface } from '../../src/contracts/sealers.js'
import { attributeId, textId } from '../../src/contracts/textId.js'
import {
  type Address,
  asHeight,
  asView,
  type Hash,
  toHash,
  toHex,
  utf8,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '../../src/core/bytes.js'
import type { Log } from '../../src/core/receipt.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import type { RecoveredTransaction } from '../../src/crypto/transaction.js'
import { EMPTY_STATE } from '../../src/state/layer.js'
import { StateOverlay } from '../../src/state/overlay.js'
import type { FunctionArgs, FunctionName, FunctionResult } from '../../src/vm/abiTypes.js'
import { callContract } from '../../src/vm/call.js'
import type { BlockContext } from '../../src/vm/contract.js'
import { executeTransaction, type TransactionOutcome } from '../../src/vm/executeTransaction.js'

export const CHAIN_ID = 20261n
export const INTERFACES = {
  members: membersInterface,
  dataPortrait: dataPortraitInterface,
  dataSharing: dataSharingInterface,
  keyAgreement: keyAgreementInterface,
  credit: creditInterface,
  sealers: sealersInterface,
  eligibility: eligibilityInterface,
  evidence: evidenceInterface,
  credentials: credentialsInterface,
  provenance: provenanceInterface,
  delivery: deliveryInterface,
  audit: auditInterface,
  consents: consentsInterface,
}

export const account = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}` as Address
export const word = (text: string): Hash => toHash(keccak256(utf8(text)))
/** To which votes in evidence are bound; the contracts take it as it is. */
export const GENESIS_HASH = word('genesis')

export const OPERATOR = account(0x01)
export const MARKET = account(0x11)
export const FINANCE = account(0x12)
export const PATENTS = account(0x13)
export const AUDITOR = account(0x21)
export const ENTERPRISE = account(0x31)
export const OTHER_ENTERPRISE = account(0x32)
export const STRANGER = account(0x99)
export const SEALER = account(0x41)
export const ENTERPRISE_ID = textId('91440300708461136T')
export const OTHER_ENTERPRISE_ID = textId('914403001922038216')
export const PURPOSE = textId('policy-declaration')
export const ENVELOPE = Uint8Array.of(1, 2, 3)

export const CAPITAL = attributeId('registeredCapital')
export const EMPLOYEES = attributeId('employees')
export const BANK_ACCOUNT = attributeId('bankAccount')
/** Supervised by MARKET and FINANCE together. */
export const LEGAL_REPRESENTATIVE = attributeId('legalRepresentative')

export function profile(
  attribute: Hash,
  supervisors: readonly Address[],
  rule: Partial<DataProfile['rule']> = {},
): DataProfile {
  return {
    attribute,
    schemaVersion: 1,
    schema: { valueType: VALUE_TYPE.text, checksum: 0, caseRule: 0, scale: 0, lengthMax: 100, min: 0n, max: 0n },
    supervisors,
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
      ...rule,
    },
  }
}

export function genesisConfig(changes: Partial<GenesisConfig> = {}): GenesisConfig {
  const department = (address: Address, id: string) => {
    return { address, role: ROLE.department, name: `Department ${id}`, id, encryptionKey: word(`key of ${id}`) }
  }
  const enterprise = (address: Address, id: string) => ({ address, role: ROLE.enterprise, name: `Company ${id}`, id })
  return {
    chainId: Number(CHAIN_ID),
    timestamp: 1_700_000_000,
    gasLimit: 100_000_000n,
    sealers: [
      { address: SEALER, weight: 1 },
      { address: MARKET, weight: 3 },
    ],
    members: [
      { address: OPERATOR, role: ROLE.operator, name: 'Operations centre', id: 'operator' },
      department(MARKET, 'market-regulation'),
      department(FINANCE, 'finance'),
      department(PATENTS, 'intellectual-property'),
      { address: AUDITOR, role: ROLE.auditor, name: 'Audit office', id: 'audit' },
      enterprise(ENTERPRISE, '91440300708461136T'),
      enterprise(OTHER_ENTERPRISE, '914403001922038216'),
    ],
    attributes: [
      profile(CAPITAL, [MARKET]),
      profile(EMPLOYEES, [MARKET]),
      profile(BANK_ACCOUNT, [FINANCE]),
      profile(LEGAL_REPRESENTATIVE, [MARKET, FINANCE]),
    ],
    alloc: [{ address: OPERATOR, balance: 1_000n }],
    ...changes,
  }
}

interface Lines {
  readonly members: typeof membersAbi
  readonly dataPortrait: typeof dataPortraitAbi
  readonly dataSharing: typeof dataSharingAbi
  readonly keyAgreement: typeof keyAgreementAbi
  readonly credit: typeof creditAbi
  readonly sealers: typeof sealersAbi
  readonly eligibility: typeof eligibilityAbi
  readonly evidence: typeof evidenceAbi
  readonly credentials: typeof credentialsAbi
  readonly provenance: typeof provenanceAbi
  readonly delivery: typeof deliveryAbi
  readonly audit: typeof auditAbi
  readonly consents: typeof consentsAbi
}
type Name = keyof Lines
type Fn<C extends Name> = FunctionName<Lines[C]>

/** The interface of a contract, without the type of its name: that the arguments fit is checked where they are given. */
interface AnyInterface {
  readonly json: Abi
  encodeCall(name: string, args: unknown): Uint8Array
  decodeResult(name: string, bytes: Uint8Array): unknown
  decodeEvent(name: string, log: Log): Record<string, unknown> | undefined
}
const interfaceOf = (contract: Name): AnyInterface => INTERFACES[contract] as unknown as AnyInterface

export class World {
  readonly state = new StateOverlay(EMPTY_STATE)
  number = 1
  /** Of the present block. */
  sealer = SEALER

  constructor(readonly genesis: GenesisConfig = genesisConfig()) {
    applyGenesis(this.state, genesis)
  }

  get block(): BlockContext {
    const { gasLimit, timestamp } = this.genesis
    const number = asHeight(this.number)
    const chain = { chainId: CHAIN_ID, genesisHash: GENESIS_HASH }
    return { number, timestamp: timestamp + this.number, ...chain, sealer: this.sealer, gasLimit }
  }

  transaction(
    sender: Address,
    to: Address,
    data: Uint8Array,
    changes: Partial<RecoveredTransaction> = {},
  ): RecoveredTransaction {
    return {
      type: 2,
      chainId: CHAIN_ID,
      nonce: this.state.account(sender)?.nonce ?? 0n,
      gasPrice: 1n,
      maxPriorityFeePerGas: 1n,
      gasLimit: 10_000_000n,
      to,
      value: 0n,
      data,
      accessList: [],
      yParity: 0,
      r: 1n,
      s: 1n,
      raw: data,
      hash: ZERO_HASH,
      sender,
      ...changes,
    }
  }

  /** Ends the present block and begins the next one; returns the set of the next epoch when the block closed its epoch. */
  endBlock(missed: readonly Address[] = [], extensions: Extensions = builtinExtensions): SealerSetView | null {
    const { epoch } = sealerSetOf(this.state)
    const next = endBlock(this.state, this.block, { epoch, view: asView(this.number), missed }, extensions)
    this.number++
    return next
  }

  /** Sends a transaction that calls a contract's function. */
  send<C extends Name, N extends Fn<C>>(
    contract: C,
    sender: Address,
    name: N,
    args: FunctionArgs<Lines[C], N>,
  ): TransactionOutcome {
    const data = interfaceOf(contract).encodeCall(name, args)
    const tx = this.transaction(sender, CONTRACT_ADDRESSES[contract], data)
    return executeTransaction(this.state, this.block, tx, systemContracts)
  }

  /** As `send`; throws when the transaction fails. Returns its logs as [event, arguments]. */
  must<C extends Name, N extends Fn<C>>(
    contract: C,
    sender: Address,
    name: N,
    args: FunctionArgs<Lines[C], N>,
  ): Logged[] {
    const outcome = this.send(contract, sender, name, args)
    if (outcome.status !== 1) throw new Error(`${name} failed: ${fault(contract, outcome)}`)
    return logged(outcome)
  }

  /** Name of the custom error, or text, with which the transaction would revert, decoded by viem. */
  refusal<C extends Name, N extends Fn<C>>(
    contract: C,
    sender: Address,
    name: N,
    args: FunctionArgs<Lines[C], N>,
  ): string {
    const mark = this.state.checkpoint()
    const outcome = this.send(contract, sender, name, args)
    this.state.revert(mark)
    return fault(contract, outcome)
  }

  /** Result of a view function; throws an Error with the name of the contract's error. */
  view<C extends Name, N extends Fn<C>>(
    contract: C,
    name: N,
    args: FunctionArgs<Lines[C], N>,
  ): FunctionResult<Lines[C], N> {
    const data = interfaceOf(contract).encodeCall(name, args)
    const request = { from: ZERO_ADDRESS, to: CONTRACT_ADDRESSES[contract], data, value: 0n, gas: undefined }
    const result = callContract(this.state, this.block, request, systemContracts)
    if (result.ok) return interfaceOf(contract).decodeResult(name, result.returnData) as FunctionResult<Lines[C], N>
    throw new Error(result.code === 'REVERTED' ? errorName(contract, result.returnData) : result.message)
  }
}

export type Logged = readonly [name: string, args: Record<string, unknown>]

function fault(contract: Name, outcome: TransactionOutcome): string {
  if (outcome.status === 1) return 'succeeded'
  return outcome.revertData === undefined ? outcome.error! : errorName(contract, outcome.revertData)
}

function errorName(contract: Name, data: Uint8Array): string {
  const abi = interfaceOf(contract).json
  const { errorName: name, args } = decodeErrorResult({ abi, data: toHex(data) }) as {
    errorName: string
    args?: unknown[]
  }
  return name === 'Error' ? String(args?.[0]) : name
}

function logged(outcome: TransactionOutcome): Logged[] {
  return outcome.logs.map((log) => {
    for (const contract of Object.keys(INTERFACES) as Name[]) {
      for (const item of interfaceOf(contract).json) {
        if (item.type !== 'event') continue
        const args = interfaceOf(contract).decodeEvent(item.name, log)
        if (args !== undefined) return [item.name, args] as const
      }
    }
    throw new Error(`unknown log ${log.topics[0]}`)
  })
}

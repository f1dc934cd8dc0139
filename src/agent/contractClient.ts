/** Typed use of the system contracts through a node's JSON-RPC. */
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import { auditAbi } from '../contracts/audit.abi.js'
import { consentsAbi } from '../contracts/consents.abi.js'
import { credentialsAbi } from '../contracts/credentials.abi.js'
import { creditAbi } from '../contracts/credit.abi.js'
import { dataPortraitAbi } from '../contracts/dataPortrait.abi.js'
import { dataSharingAbi } from '../contracts/dataSharing.abi.js'
import { deliveryAbi } from '../contracts/delivery.abi.js'
import { eligibilityAbi } from '../contracts/eligibility.abi.js'
import { evidenceAbi } from '../contracts/evidence.abi.js'
import { keyAgreementAbi } from '../contracts/keyAgreement.abi.js'
import { membersAbi } from '../contracts/members.abi.js'
import { provenanceAbi } from '../contracts/provenance.abi.js'
import { sealersAbi } from '../contracts/sealers.abi.js'
import { type Address, fromHex, toHex } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import type { RpcClient } from '../rpc/client.js'
import { RPC_CODES, RpcError } from '../rpc/errors.js'
import { ContractAbi } from '../vm/abi.js'
import { AbiError } from '../vm/abiReader.js'
import type { FunctionArgs, FunctionName, FunctionResult, HumanAbi } from '../vm/abiTypes.js'

export interface Contract<H extends HumanAbi> {
  readonly name: string
  readonly address: Address
  readonly abi: ContractAbi<H>
}

export const members: Contract<typeof membersAbi> = {
  name: 'members',
  address: CONTRACT_ADDRESSES.members,
  abi: new ContractAbi(membersAbi),
}

export const dataPortrait: Contract<typeof dataPortraitAbi> = {
  name: 'dataPortrait',
  address: CONTRACT_ADDRESSES.dataPortrait,
  abi: new ContractAbi(dataPortraitAbi),
}

export const dataSharing: Contract<typeof dataSharingAbi> = {
  name: 'dataSharing',
  address: CONTRACT_ADDRESSES.dataSharing,
  abi: new ContractAbi(dataSharingAbi),
}

export const keyAgreement: Contract<typeof keyAgreementAbi> = {
  name: 'keyAgreement',
  address: CONTRACT_ADDRESSES.keyAgreement,
  abi: new ContractAbi(keyAgreementAbi),
}

export const sealers: Contract<typeof sealersAbi> = {
  name: 'sealers',
  address: CONTRACT_ADDRESSES.sealers,
  abi: new ContractAbi(sealersAbi),
}

export const credit: Contract<typeof creditAbi> = {
  name: 'credit',
  address: CONTRACT_ADDRESSES.credit,
  abi: new ContractAbi(creditAbi),
}

export const consents: Contract<typeof consentsAbi> = {
  name: 'consents',
  address: CONTRACT_ADDRESSES.consents,
  abi: new ContractAbi(consentsAbi),
}

export const eligibility: Contract<typeof eligibilityAbi> = {
  name: 'eligibility',
  address: CONTRACT_ADDRESSES.eligibility,
  abi: new ContractAbi(eligibilityAbi),
}

export const evidence: Contract<typeof evidenceAbi> = {
  name: 'evidence',
  address: CONTRACT_ADDRESSES.evidence,
  abi: new ContractAbi(evidenceAbi),
}

export const credentials: Contract<typeof credentialsAbi> = {
  name: 'credentials',
  address: CONTRACT_ADDRESSES.credentials,
  abi: new ContractAbi(credentialsAbi),
}

export const provenance: Contract<typeof provenanceAbi> = {
  name: 'provenance',
  address: CONTRACT_ADDRESSES.provenance,
  abi: new ContractAbi(provenanceAbi),
}

export const delivery: Contract<typeof deliveryAbi> = {
  name: 'delivery',
  address: CONTRACT_ADDRESSES.delivery,
  abi: new ContractAbi(deliveryAbi),
}

export const audit: Contract<typeof auditAbi> = {
  name: 'audit',
  address: CONTRACT_ADDRESSES.audit,
  abi: new ContractAbi(auditAbi),
}

/** A contract refused a call or a transaction. `error` is the name of its ABI error. */
export class ContractRevert extends CodedError<'REVERTED'> {
  constructor(
    readonly contract: string,
    readonly error: string,
    readonly args: Readonly<Record<string, unknown>>,
  ) {
    const shown = Object.entries(args).map(([name, value]) => `${name} ${String(value)}`)
    super('REVERTED', `${contract} refused: ${error}${shown.length > 0 ? ` (${shown.join(', ')})` : ''}`)
  }
}

/** The node's answer is not what the contract's ABI says: another version, or not a concordat chain. */
export class ContractMismatch extends CodedError<'NOT_THE_CONTRACT'> {}

/** Calls a view at the newest final block; `from`: who asks, where nodes keep a record of that. Throws ContractRevert, ContractMismatch, RpcError or RpcClientError. */
export async function view<H extends HumanAbi, N extends FunctionName<H>>(
  client: RpcClient,
  contract: Contract<H>,
  name: N,
  args: FunctionArgs<H, N>,
  from?: Address,
): Promise<FunctionResult<H, N>> {
  const data = toHex(contract.abi.encodeCall(name, args))
  try {
    const result = await client.call('eth_call', { ...(from && { from }), to: contract.address, data }, 'latest')
    return decodeView(contract, name, result)
  } catch (error) {
    throw asRevert(contract, error)
  }
}

function decodeView<H extends HumanAbi, N extends FunctionName<H>>(
  contract: Contract<H>,
  name: N,
  result: string,
): FunctionResult<H, N> {
  try {
    return contract.abi.decodeResult(name, fromHex(result, 'result of eth_call'))
  } catch (cause) {
    if (!(cause instanceof AbiError)) throw cause
    const message = `${contract.name}.${name} at ${contract.address} answered something else: is this node of this version?`
    throw new ContractMismatch('NOT_THE_CONTRACT', message, { cause })
  }
}

/** The contract's own error where a node reports a revert; any other error as it is. */
export function asRevert<H extends HumanAbi>(contract: Contract<H>, error: unknown): unknown {
  if (!(error instanceof RpcError) || error.code !== RPC_CODES.revert || typeof error.data !== 'string') return error
  const decoded = contract.abi.decodeError(fromHex(error.data, 'revert data'))
  return decoded ? new ContractRevert(contract.name, decoded.name, decoded.args) : error
}

/** The state of block 0. */
import { asHeight, ZERO_ADDRESS, ZERO_HASH } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import type { ContractAbi } from '../vm/abi.js'
import type { HumanAbi } from '../vm/abiTypes.js'
import { type BlockContext, type ContractHost, ContractRevert, type NativeContract } from '../vm/contract.js'
import { systemHost } from '../vm/host.js'
import type { MutableState } from '../vm/state.js'
import { credit, initCredit } from './credit.js'
import { creditInterface } from './creditStorage.js'
import { dataPortrait, dataPortraitInterface, initDataPortrait } from './dataPortrait.js'
import type { GenesisConfig } from './genesisTypes.js'
import { initMembers, members, membersInterface } from './members.js'
import { systemContracts } from './registry.js'
import { initSealers, sealers, sealersInterface } from './sealers.js'

/** What genesis needs beyond transactions. */
export interface GenesisState extends MutableState {
  setCode(address: NativeContract['address'], code: Uint8Array): void
}

/** A genesis that the contracts do not take; the message names the section and the contract's reason. */
export class GenesisError extends CodedError<'REFUSED'> {}

/**
 * Writes accounts, the contracts' code (with nonce 1, as EIP-161 has it for contracts) and their first storage. Throws
 * GenesisError, or TextIdError for a member's id.
 */
export function applyGenesis(state: GenesisState, genesis: GenesisConfig): void {
  for (const { address, balance } of genesis.alloc) state.setBalance(address, balance)
  for (const { address, code } of systemContracts.values()) {
    state.setCode(address, code)
    state.setNonce(address, 1n)
  }
  const block = genesisContext(genesis)
  const initialise = <H extends HumanAbi>(
    contract: NativeContract,
    abi: ContractAbi<H>,
    init: (host: ContractHost, genesis: GenesisConfig) => void,
  ) => {
    try {
      init(systemHost(state, contract.address, block), genesis)
    } catch (error) {
      throw error instanceof ContractRevert ? refused(contract, abi, error) : error
    }
  }
  initialise(credit, creditInterface, initCredit)
  initialise(sealers, sealersInterface, initSealers)
  initialise(members, membersInterface, initMembers)
  initialise(dataPortrait, dataPortraitInterface, initDataPortrait)
}

function genesisContext(genesis: GenesisConfig): BlockContext {
  const { timestamp, gasLimit } = genesis
  const chain = { chainId: BigInt(genesis.chainId), genesisHash: ZERO_HASH }
  return { number: asHeight(0), timestamp, ...chain, sealer: ZERO_ADDRESS, gasLimit }
}

function refused<H extends HumanAbi>(
  contract: NativeContract,
  abi: ContractAbi<H>,
  error: ContractRevert,
): GenesisError {
  const args = Object.entries(abi.decodeError(error.data)?.args ?? {}).map(([name, value]) => `${name}: ${value}`)
  return new GenesisError('REFUSED', `genesis: ${contract.name} refuses it: ${error.message} (${args.join(', ')})`)
}

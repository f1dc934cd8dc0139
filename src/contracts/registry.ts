/** All system contracts. */
import type { ContractRegistry, NativeContract } from '../vm/contract.js'
import { dataPortrait } from './dataPortrait.js'
import { dataSharing } from './dataSharing.js'
import { keyAgreement } from './keyAgreement.js'
import { members } from './members.js'
import { sealers } from './sealers.js'

export const SYSTEM_CONTRACTS: readonly NativeContract[] = [members, dataPortrait, dataSharing, keyAgreement, sealers]

export const registry: ContractRegistry = new Map(SYSTEM_CONTRACTS.map((contract) => [contract.address, contract]))

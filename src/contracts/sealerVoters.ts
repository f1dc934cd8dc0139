/** Who votes on the sealer set, and how many votes a change needs. */
import type { Address } from '../core/bytes.js'
import type { ContractHost } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import { ROLE } from './codes.js'
import { isActive, isActiveDepartment, readDepartmentCount, readMemberHead } from './membersStorage.js'
import { isSealer, readParameters, readSealers } from './sealersStorage.js'

/** Active departments, and active members of other roles that run a sealer. */
export function isVoter(host: ContractHost, account: Address): boolean {
  const head = readMemberHead(host, account)
  return isActiveDepartment(head) || (isActive(head) && isSealer(host, account))
}

/**
 * Votes that a change needs now: the share that genesis sets, and always more than two thirds of the voters, so that no
 * third of them can hand the chain over.
 */
export function votesNeeded(host: ContractHost): number {
  const voters = countVoters(host)
  const { thresholdNumerator, thresholdDenominator } = readParameters(host)
  return Math.max(Math.floor((2 * voters) / 3) + 1, Math.ceil((voters * thresholdNumerator) / thresholdDenominator))
}

function countVoters(host: ContractHost): number {
  const others = readSealers(host).filter((address) => {
    host.charge(GAS_STEP)
    const head = readMemberHead(host, address)
    return isActive(head) && head.role !== ROLE.department
  })
  return readDepartmentCount(host) + others.length
}

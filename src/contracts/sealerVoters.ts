/** Who votes on the sealer set, and how many votes a change needs. */
import type { Address } from '../core/bytes.js'
import type { ContractHost } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import { ROLE } from './codes.js'
import {
  isActive,
  isActiveDepartment,
  memberOf,
  readDepartmentCount,
  readMemberHead,
  readSigners,
} from './membersStorage.js'
import { isSealer, readParameters, readSealers } from './sealersStorage.js'

/** Active departments, and active members of other roles one of whose nodes seals; each has one vote, by its account. */
export function isVoter(host: ContractHost, account: Address): boolean {
  const head = readMemberHead(host, account)
  return isActiveDepartment(head) || (isActive(head) && seals(host, account))
}

const seals = (host: ContractHost, account: Address): boolean =>
  isSealer(host, account) || readSigners(host, account).some((signer) => isSealer(host, signer))

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
  const others = new Set<Address>()
  for (const address of readSealers(host)) {
    host.charge(GAS_STEP)
    const { account, head } = memberOf(host, address)
    if (isActive(head) && head.role !== ROLE.department) others.add(account)
  }
  return readDepartmentCount(host) + others.size
}

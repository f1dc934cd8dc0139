/**
 * Who decides on members of which role, and how many of them it takes. Genesis says so for each role; where it is silent one
 * operator decides. As many as it takes stay active, or nobody could ever be registered or reinstated again.
 */
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import { approversMax } from '../core/limits.js'
import { type ContractHost, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import {
  addressWord,
  loadWords,
  mappingSlot,
  numberWord,
  packed,
  slotAfter,
  storeWords,
  wordAddress,
  wordNumber,
} from '../vm/storage.js'
import { ROLE } from './codes.js'
import type { AdmissionConfig } from './genesisTypes.js'
import {
  type Actor,
  ADMISSION_SLOT,
  membersInterface as abi,
  acting,
  DEPARTMENTS_SLOT,
  isActive,
  type MemberHead,
  OPERATORS_SLOT,
  readMemberHead,
} from './membersStorage.js'

/** Admission { head; address[] approvers }. */
const admissionHead = packed({ threshold: 'uint8', roles: 'uint32' })

export interface AdmissionRule {
  readonly threshold: number
  /** Bit mask of 1 << role: every active member of these decides. */
  readonly roles: number
  /** Accounts that decide beside them. */
  readonly approvers: readonly Address[]
  /** Genesis does not speak of this role. */
  readonly usual: boolean
}

const USUAL: AdmissionRule = { threshold: 1, roles: 1 << ROLE.operator, approvers: [], usual: true }
const ROLES: readonly number[] = Object.values(ROLE)

const admissionSlot = (host: ContractHost, role: number): Hash => mappingSlot(host, ADMISSION_SLOT, numberWord(role))

export function readAdmission(host: ContractHost, role: number): AdmissionRule {
  const slot = admissionSlot(host, role)
  const word = host.load(slot)
  if (word === ZERO_HASH) return USUAL
  const approvers = loadWords(host, slotAfter(slot, 1)).map(wordAddress)
  return { ...admissionHead.read(word), approvers, usual: false }
}

/** Writes the rules of block 0. Reverts with InvalidAdmission where there are fewer approvers than it takes. */
export function initAdmission(host: ContractHost, rules: readonly AdmissionConfig[]): void {
  for (const { role, threshold, roles, approvers } of rules) {
    const slot = admissionSlot(host, role)
    host.store(slot, admissionHead.write({ threshold, roles }))
    storeWords(host, slotAfter(slot, 1), approvers.map(addressWord))
    const enough = countApprovers(host, readAdmission(host, role)) >= threshold && threshold >= 1
    const counted = (1 << ROLE.operator) | (1 << ROLE.department)
    if (!enough || approvers.length > approversMax || (roles & ~counted) !== 0)
      throw revert(abi, 'InvalidAdmission', { role })
  }
}

export function isApprover(rule: AdmissionRule, { account, head }: Actor): boolean {
  return isActive(head) && (hasRole(rule, head) || rule.approvers.includes(account))
}

const hasRole = (rule: AdmissionRule, head: MemberHead): boolean => ((rule.roles >>> head.role) & 1) === 1

/** Account of the approver for which the caller acts. Reverts with NotOperator where operators decide, else with NotApprover. */
export function requireApprover(host: ContractHost, role: number, rule: AdmissionRule): Address {
  const actor = acting(host)
  if (isApprover(rule, actor)) return actor.account
  const { caller } = host
  throw rule.usual ? revert(abi, 'NotOperator', { caller }) : revert(abi, 'NotApprover', { caller, role })
}

/** How many of these accounts decide now: those that were suspended since do not. */
export function countDeciding(host: ContractHost, rule: AdmissionRule, accounts: readonly Address[]): number {
  return accounts.filter((account) => {
    host.charge(GAS_STEP)
    return isApprover(rule, { account, head: readMemberHead(host, account) })
  }).length
}

export function countApprovers(host: ContractHost, rule: AdmissionRule): number {
  const countOf = (role: number, slot: Hash) => ((rule.roles >>> role) & 1 ? wordNumber(host.load(slot)) : 0)
  const listed = rule.approvers.filter((account) => {
    const head = readMemberHead(host, account)
    return isActive(head) && !hasRole(rule, head)
  })
  return countOf(ROLE.operator, OPERATORS_SLOT) + countOf(ROLE.department, DEPARTMENTS_SLOT) + listed.length
}

/** Reverts with LastOperator or LastApprover where too few would be left to decide without this active member. */
export function requireDispensable(host: ContractHost, leaving: Actor): void {
  const { account } = leaving
  for (const role of ROLES) {
    const rule = readAdmission(host, role)
    if (!isApprover(rule, leaving) || countApprovers(host, rule) > rule.threshold) continue
    throw rule.usual ? revert(abi, 'LastOperator', { account }) : revert(abi, 'LastApprover', { account, role })
  }
}

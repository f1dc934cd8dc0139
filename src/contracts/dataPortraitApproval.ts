/**
 * Who has to approve a change of the data portrait. Its present and its new supervisors, as far as they are active; and, where
 * the change opens data up, more than a share of all active departments, so that neither a supervisor nor an operator alone
 * gives away what the others' questions and records rest on.
 */
import type { Address } from '../core/bytes.js'
import type { ContractHost } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import { BASIS, DELIVERY } from './codes.js'
import type { Content } from './dataPortraitContent.js'
import { readParameters } from './dataPortraitStorage.js'
import type { Rule } from './genesisTypes.js'
import { isActiveDepartment, readDepartmentCount, readMemberHead } from './membersStorage.js'
import type { Terms } from './sharingTerms.js'

export interface Needed {
  /** Active supervisors, present and new ones: each has to approve. */
  readonly supervisors: readonly Address[]
  /** Approvals of active departments; 0: the supervisors' are enough. */
  readonly votes: number
  /** What the change opens up, by the names of fields. */
  readonly opens: readonly string[]
}

/** `before` undefined: a new attribute, which opens nothing that anyone relied on. */
export function neededFor(host: ContractHost, before: Content | undefined, after: Content): Needed {
  const present = before?.supervisors ?? []
  const all = [...new Set([...present, ...after.supervisors])]
  const supervisors = all.filter((account) => isActive(host, account))
  const opens = before === undefined ? [] : openedBy(host, before, after)
  return { supervisors, votes: opens.length === 0 ? 0 : votesNeeded(host), opens }
}

/** More than the share of genesis of the departments that are active now. */
function votesNeeded(host: ContractHost): number {
  const { thresholdNumerator, thresholdDenominator } = readParameters(host)
  return Math.floor((readDepartmentCount(host) * thresholdNumerator) / thresholdDenominator) + 1
}

export function isActive(host: ContractHost, account: Address): boolean {
  host.charge(GAS_STEP)
  return isActiveDepartment(readMemberHead(host, account))
}

/** Approvals, or refusals, of departments that are active now. */
export const countActive = (host: ContractHost, accounts: readonly Address[]): number =>
  accounts.filter((account) => isActive(host, account)).length

export const isComplete = (
  host: ContractHost,
  { supervisors, votes }: Needed,
  approvals: readonly Address[],
): boolean => supervisors.every((account) => approvals.includes(account)) && countActive(host, approvals) >= votes

/** Whether the departments that have not refused could still be enough. */
export const isPossible = (host: ContractHost, { votes }: Needed, refusals: readonly Address[]): boolean =>
  readDepartmentCount(host) - countActive(host, refusals) >= votes

function openedBy(host: ContractHost, before: Content, after: Content): string[] {
  const fields = { ...rulesOpened(before.rule, after.rule), ...termsOpened(before.terms, after.terms) }
  const opened = Object.entries(fields).flatMap(([name, opens]) => (opens ? [name] : []))
  return losesSilently(host, before.supervisors, after.supervisors) ? ['supervisors', ...opened] : opened
}

/** An attribute changes hands without the word of who held it: a supervisor that is inactive is dropped, or all are. */
function losesSilently(host: ContractHost, before: readonly Address[], after: readonly Address[]): boolean {
  const inactive = before.filter((account) => !isActive(host, account))
  return inactive.length === before.length || inactive.some((account) => !after.includes(account))
}

function rulesOpened(before: Rule, after: Rule): Record<string, boolean> {
  return {
    askerRoles: (after.askerRoles & ~before.askerRoles) !== 0,
    basis: isWeaker(before.basis, after.basis),
    delivery: before.delivery !== after.delivery && after.delivery === DELIVERY.ledger,
    digestBudget: before.digestBudget !== 0 && (after.digestBudget === 0 || after.digestBudget > before.digestBudget),
  }
}

/** Consent and statute demand different things: neither stands in for the other. */
function isWeaker(before: number, after: number): boolean {
  if (before === after || before === BASIS.none) return false
  return before !== BASIS.required || after === BASIS.none
}

function termsOpened(before: Terms, after: Terms): Record<string, boolean> {
  return {
    askers: before.askers.length > 0 && (after.askers.length === 0 || names(after.askers, before.askers)),
    purposes: before.purposes.length > 0 && (after.purposes.length === 0 || names(after.purposes, before.purposes)),
    statutes: names(after.statutes, before.statutes),
    exceptions: names(after.exceptions, before.exceptions),
  }
}

/** Whether a list names something that the other does not. */
const names = (list: readonly string[], other: readonly string[]): boolean => list.some((item) => !other.includes(item))

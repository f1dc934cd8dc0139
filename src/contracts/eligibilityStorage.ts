/** Storage of `eligibility`. */
import { type Address, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../core/bytes.js'
import { ContractAbi } from '../vm/abi.js'
import { type ContractHost, revert } from '../vm/contract.js'
import {
  bigintWord,
  loadText,
  loadWords,
  mappingSlot,
  newMappingSlot,
  numberWord,
  type Packed,
  packed,
  slotAfter,
  slotAt,
  storeText,
  storeWords,
  wordBigint,
} from '../vm/storage.js'
import { eligibilityAbi } from './eligibility.abi.js'
import type { Predicate } from './predicates.js'

export const eligibilityInterface = new ContractAbi(eligibilityAbi)
const abi = eligibilityInterface

/** mapping(bytes32 => Predicate); Predicate { head; bytes32 attribute; string operands, one a line }. */
const PREDICATES_SLOT = slotAt(0)
/** mapping(bytes32 => Policy); Policy { head; mapping(uint32 => Version) }. */
const POLICIES_SLOT = slotAt(1)
/** bytes32[]: policies in order of their first version. */
export const POLICY_IDS_SLOT = slotAt(2)
/** uint256: decisions so far; ids begin at 1. */
export const DECISION_COUNT_SLOT = slotAt(3)
/** mapping(uint256 => Decision); Decision { head; bytes32 policyId; bytes32 enterpriseId; uint8[32] results }. */
const DECISIONS_SLOT = slotAt(4)
/** mapping(bytes32 => mapping(bytes32 => uint256)): policy, enterprise. */
const LATEST_SLOT = slotAt(5)

const predicateHead = packed({ schemaVersion: 'uint32', op: 'uint8' })

const POLICY = { owner: 'address', version: 'uint32', open: 'bool' } as const
const policyHead = packed(POLICY)
export type PolicyHead = Packed<typeof POLICY>

/** Version { uint64 since; bytes32 purpose; string title; uint8[32] clauses; bytes32[] predicates }. */
const VERSION = { purpose: 1, title: 2, clauses: 3, predicates: 4 } as const

const DECISION = {
  version: 'uint32',
  outcome: 'uint8',
  count: 'uint8',
  height: 'uint48',
  decidedBy: 'address',
} as const
const decisionHead = packed(DECISION)

export interface Condition {
  /** Conditions of one clause are alternatives; all clauses have to be met. */
  readonly clause: number
  readonly predicateId: Hash
}

export interface PolicyVersion {
  readonly since: bigint
  readonly title: string
  readonly purpose: Hash
  readonly conditions: readonly Condition[]
}

export interface Decision {
  readonly policyId: Hash
  readonly version: number
  readonly enterpriseId: Hash
  readonly outcome: number
  readonly height: bigint
  readonly decidedBy: Address
  readonly results: readonly number[]
}

const predicateSlot = (host: ContractHost, id: Hash): Hash => mappingSlot(host, PREDICATES_SLOT, id)

/** Undefined when nobody has declared it. */
export function readPredicate(host: ContractHost, id: Hash): Predicate | undefined {
  const slot = predicateSlot(host, id)
  const { schemaVersion, op } = predicateHead.read(host.load(slot))
  if (op === 0) return undefined
  const operands = loadText(host, slotAfter(slot, 2)).split('\n')
  return { attribute: host.load(slotAfter(slot, 1)), schemaVersion, op, operands }
}

/** Reverts with UnknownPredicate. */
export function declaredPredicate(host: ContractHost, id: Hash): Predicate {
  const predicate = readPredicate(host, id)
  if (predicate === undefined) throw revert(abi, 'UnknownPredicate', { predicateId: id })
  return predicate
}

/** Canonical operands hold no control character, so a line break parts them. */
export function storePredicate(host: ContractHost, id: Hash, predicate: Predicate): void {
  const { attribute, schemaVersion, op, operands } = predicate
  const slot = predicateSlot(host, id)
  host.store(slot, predicateHead.write({ schemaVersion, op }))
  host.store(slotAfter(slot, 1), attribute)
  storeText(host, slotAfter(slot, 2), operands.join('\n'))
}

const policySlot = (host: ContractHost, policyId: Hash): Hash => mappingSlot(host, POLICIES_SLOT, policyId)

/** Undefined when it was never defined. */
export function readPolicyHead(host: ContractHost, policyId: Hash): PolicyHead | undefined {
  const head = policyHead.read(host.load(policySlot(host, policyId)))
  return head.owner === ZERO_ADDRESS ? undefined : head
}

/** Reverts with UnknownPolicy. */
export function definedPolicy(host: ContractHost, policyId: Hash): PolicyHead {
  const head = readPolicyHead(host, policyId)
  if (head === undefined) throw revert(abi, 'UnknownPolicy', { policyId })
  return head
}

export const storePolicyHead = (host: ContractHost, policyId: Hash, head: PolicyHead): void =>
  host.store(policySlot(host, policyId), policyHead.write(head))

const versionSlot = (host: ContractHost, policyId: Hash, version: number): Hash =>
  newMappingSlot(host, slotAfter(policySlot(host, policyId), 1), numberWord(version))

export function storeVersion(host: ContractHost, policyId: Hash, version: number, policy: PolicyVersion): void {
  const { since, title, purpose, conditions } = policy
  const slot = versionSlot(host, policyId, version)
  const clauses = conditions.map(({ clause }) => clause)
  const predicates = conditions.map((condition) => condition.predicateId)
  host.store(slot, bigintWord(since))
  host.store(slotAfter(slot, VERSION.purpose), purpose)
  storeText(host, slotAfter(slot, VERSION.title), title)
  host.store(slotAfter(slot, VERSION.clauses), bytesWord(clauses))
  storeWords(host, slotAfter(slot, VERSION.predicates), predicates)
}

/** Of a version that exists. */
export function readVersion(host: ContractHost, policyId: Hash, version: number): PolicyVersion {
  const slot = versionSlot(host, policyId, version)
  const clauses = host.load(slotAfter(slot, VERSION.clauses))
  const predicates = loadWords(host, slotAfter(slot, VERSION.predicates))
  return {
    since: wordBigint(host.load(slot)),
    title: loadText(host, slotAfter(slot, VERSION.title)),
    purpose: host.load(slotAfter(slot, VERSION.purpose)),
    conditions: predicates.map((predicateId, i) => ({ clause: byteAt(clauses, i), predicateId })),
  }
}

const decisionSlot = (host: ContractHost, id: bigint): Hash => newMappingSlot(host, DECISIONS_SLOT, bigintWord(id))

const latestSlot = (host: ContractHost, policyId: Hash, enterpriseId: Hash): Hash =>
  newMappingSlot(host, mappingSlot(host, LATEST_SLOT, policyId), enterpriseId)

export function storeDecision(host: ContractHost, id: bigint, decision: Decision): void {
  const { policyId, version, enterpriseId, outcome, height, decidedBy, results } = decision
  const slot = decisionSlot(host, id)
  const head = { version, outcome, count: results.length, height: Number(height), decidedBy }
  host.store(slot, decisionHead.write(head))
  host.store(slotAfter(slot, 1), policyId)
  host.store(slotAfter(slot, 2), enterpriseId)
  host.store(slotAfter(slot, 3), bytesWord(results))
  host.store(latestSlot(host, policyId, enterpriseId), bigintWord(id))
}

/** Reverts with UnknownDecision. */
export function readDecision(host: ContractHost, id: bigint): Decision {
  const slot = decisionSlot(host, id)
  const word = host.load(slot)
  if (word === ZERO_HASH) throw revert(abi, 'UnknownDecision', { decisionId: id })
  const { version, outcome, count, height, decidedBy } = decisionHead.read(word)
  const results = host.load(slotAfter(slot, 3))
  return {
    policyId: host.load(slotAfter(slot, 1)),
    version,
    enterpriseId: host.load(slotAfter(slot, 2)),
    outcome,
    height: BigInt(height),
    decidedBy,
    results: Array.from({ length: count }, (_, i) => byteAt(results, i)),
  }
}

/** 0 when there is none. */
export const readLatest = (host: ContractHost, policyId: Hash, enterpriseId: Hash): bigint =>
  wordBigint(host.load(latestSlot(host, policyId, enterpriseId)))

/** uint8[32] in one word, the first in the lowest byte. */
function bytesWord(bytes: readonly number[]): Hash {
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0'))
  return `0x${hex.reverse().join('').padStart(64, '0')}` as Hash
}

const byteAt = (word: Hash, index: number): number => Number.parseInt(word.slice(64 - 2 * index, 66 - 2 * index), 16)

/**
 * Contract `eligibility` (paper 6: services decided without staff): a department publishes a service rule as conditions over
 * attributes of several departments; whether an enterprise meets it follows from the answers that supervisors have attested.
 *
 *   conditions of one clause are alternatives; every clause has to be met
 *   met: a supervisor's answer in the user portrait says yes.  open: there is no valid answer (yet), so ask
 */
import type { Address, Hash } from '../core/bytes.js'
import { memberNameBytesMax, requestItemsMax } from '../core/limits.js'
import { type ContractHost, defineContract, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import { arrayLength, arraySlot, pushWord, slotAfter, wordBigint } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { EXISTENCE, DECISION_OUTCOME as OUTCOME, CONDITION_RESULT as RESULT, ROLE } from './codes.js'
import { dataPortraitInterface } from './dataPortrait.js'
import { readEntryHead } from './dataPortraitStorage.js'
import { dataSharingInterface, nextId } from './dataSharingStorage.js'
import {
  eligibilityInterface as abi,
  type Condition,
  DECISION_COUNT_SLOT,
  declaredPredicate,
  definedPolicy,
  POLICY_IDS_SLOT,
  readDecision,
  readLatest,
  readPolicyHead,
  readPredicate,
  readVersion,
  storeDecision,
  storePolicyHead,
  storePredicate,
  storeVersion,
} from './eligibilityStorage.js'
import { actingMember, isActive, isActiveDepartment, readMemberHead, readMemberId } from './membersStorage.js'
import { type Predicate, predicateId, predicateOperands } from './predicates.js'
import { isTextId } from './textId.js'

export { eligibilityInterface } from './eligibilityStorage.js'

interface OpenCondition extends Condition {
  readonly attribute: Hash
  /** In which its operands are canonical. */
  readonly schemaVersion: number
}

/** An answer in the user portrait. */
interface Entry {
  readonly hit: boolean
  readonly existence: number
  readonly confirmed: boolean
  readonly height: bigint
}

/** What is known of one condition. */
interface Judged {
  readonly attribute: Hash
  readonly predicateId: Hash
  readonly clause: number
  /** CONDITION_RESULT. */
  readonly result: number
  /** Block of the answer; 0 when there is none. */
  readonly answeredAt: bigint
}

export const eligibility = defineContract({
  name: 'eligibility',
  version: 1,
  address: CONTRACT_ADDRESSES.eligibility,
  abi,
  functions: {
    /** Anyone may: what it asks for is public and changes nothing. Declared again, it is the same one. */
    declarePredicate(host, { attribute, op, operands }) {
      const account = actingMember(host)
      if (!isActive(readMemberHead(host, account))) throw revert(abi, 'NotActiveMember', { account })
      const predicate = checkedPredicate(host, attribute, op, operands)
      const id = predicateId(predicate)
      if (readPredicate(host, id) !== undefined) return id
      storePredicate(host, id, predicate)
      emit(host, abi, 'PredicateDeclared', { predicateId: id, attribute, op, operands: predicate.operands })
      return id
    },

    predicateOf: (host, args) => declaredPredicate(host, args.predicateId),

    definePolicy(host, { policyId, title, purpose, conditions }) {
      const owner = requireDepartment(host)
      checkPolicy(host, policyId, title, purpose, conditions)
      const before = readPolicyHead(host, policyId)
      if (before !== undefined && before.owner !== owner) {
        throw revert(abi, 'NotPolicyOwner', { account: owner, policyId })
      }
      if (before === undefined) pushWord(host, POLICY_IDS_SLOT, policyId)
      const version = (before?.version ?? 0) + 1
      storePolicyHead(host, policyId, { owner, version, open: true })
      storeVersion(host, policyId, version, { since: BigInt(host.block.number), title, purpose, conditions })
      emit(host, abi, 'PolicyDefined', { policyId, owner, version, title })
      return version
    },

    /** No more decisions; those that were made stand. A new version opens it again. */
    closePolicy(host, { policyId }) {
      const account = requireDepartment(host)
      const head = definedPolicy(host, policyId)
      if (head.owner !== account) throw revert(abi, 'NotPolicyOwner', { account, policyId })
      if (!head.open) throw revert(abi, 'PolicyIsClosed', { policyId })
      storePolicyHead(host, policyId, { ...head, open: false })
      emit(host, abi, 'PolicyClosed', { policyId })
      return undefined
    },

    policyOf: (host, { policyId }) => policyAt(host, policyId, definedPolicy(host, policyId).version),

    policyVersion: (host, { policyId, version }) => policyAt(host, policyId, version),

    policyCount: (host) => BigInt(arrayLength(host, POLICY_IDS_SLOT)),

    policyAt(host, { index }) {
      const count = arrayLength(host, POLICY_IDS_SLOT)
      if (index >= count) throw revert(abi, 'UnknownIndex', { index, count: BigInt(count) })
      return host.load(slotAfter(arraySlot(host, POLICY_IDS_SLOT), Number(index)))
    },

    /** By what anyone may read; answers that need a legal basis count as open. */
    evaluate(host, { policyId, enterpriseId }) {
      const conditions = conditionsOf(host, policyId, definedPolicy(host, policyId).version)
      const call = dataSharingInterface.encodeCall('portraitEntries', { enterpriseId, items: itemsOf(conditions) })
      const output = host.staticCall(CONTRACT_ADDRESSES.dataSharing, call)
      const entries = dataSharingInterface.decodeResult('portraitEntries', output)
      const judged = conditions.map((condition, i) => judge(host, condition, entries[i]!))
      return { outcome: outcomeOf(judged), results: judged.map(({ result }) => result) }
    },

    /** Returns 0 when the rules of an attribute refuse the use of its answer; the refusal is then on record. */
    decide(host, { policyId, enterpriseId, basis }) {
      const decidedBy = requireConcerned(host, enterpriseId)
      const { version, open } = definedPolicy(host, policyId)
      if (!open) throw revert(abi, 'PolicyIsClosed', { policyId })
      const { purpose } = readVersion(host, policyId, version)
      const conditions = conditionsOf(host, policyId, version)
      const use = { requester: decidedBy, enterpriseId, purpose, basis }
      const entries = useAnswers(host, conditions, use)
      if (entries === undefined) return 0n
      const judged = conditions.map((condition) => judge(host, condition, entries.get(condition.predicateId)!))
      const outcome = outcomeOf(judged)
      if (outcome === OUTCOME.undecided) throw revert(abi, 'Undecided', { policyId, enterpriseId })
      const decisionId = nextId(host, DECISION_COUNT_SLOT)
      const results = judged.map(({ result }) => result)
      const height = BigInt(host.block.number)
      storeDecision(host, decisionId, { policyId, version, enterpriseId, outcome, height, decidedBy, results })
      for (const { attribute, predicateId, result, answeredAt } of judged) {
        emit(host, abi, 'ConditionJudged', { decisionId, attribute, predicateId, result, answeredAt })
      }
      emit(host, abi, 'Decided', { decisionId, policyId, enterpriseId, outcome })
      return decisionId
    },

    decisionOf: (host, { decisionId }) => readDecision(host, decisionId),

    latestDecision: (host, { policyId, enterpriseId }) => readLatest(host, policyId, enterpriseId),

    decisionCount: (host) => wordBigint(host.load(DECISION_COUNT_SLOT)),
  },
})

function checkedPredicate(host: ContractHost, attribute: Hash, op: number, given: readonly string[]): Predicate {
  if (readEntryHead(host, attribute) === undefined) throw revert(abi, 'UnknownAttribute', { attribute })
  const output = host.staticCall(
    CONTRACT_ADDRESSES.dataPortrait,
    dataPortraitInterface.encodeCall('dataProfileOf', { attribute }),
  )
  const { schema, schemaVersion } = dataPortraitInterface.decodeResult('dataProfileOf', output)
  host.charge(GAS_STEP * given.length)
  const checked = predicateOperands(schema, op, given)
  if (!checked.ok) throw revert(abi, 'InvalidPredicate', { attribute, problem: checked.problem })
  return { attribute, schemaVersion, op, operands: checked.operands }
}

function checkPolicy(
  host: ContractHost,
  policyId: Hash,
  title: string,
  purpose: Hash,
  conditions: readonly Condition[],
): void {
  const invalid = (problem: string) => revert(abi, 'InvalidPolicy', { policyId, problem })
  if (!isTextId(policyId)) throw invalid('its id must be 1 to 32 printable ASCII characters')
  if (!isTextId(purpose)) throw invalid('its purpose must be 1 to 32 printable ASCII characters')
  const titleBytes = Buffer.byteLength(title, 'utf8')
  if (titleBytes < 1 || titleBytes > memberNameBytesMax)
    throw invalid(`its title must have 1 to ${memberNameBytesMax} bytes`)
  if (conditions.length < 1 || conditions.length > requestItemsMax)
    throw invalid(`needs 1 to ${requestItemsMax} conditions`)
  const seen = new Set<Hash>()
  for (const condition of conditions) {
    host.charge(GAS_STEP)
    if (seen.has(condition.predicateId)) throw invalid('names a predicate twice')
    seen.add(condition.predicateId)
    declaredPredicate(host, condition.predicateId)
  }
}

function policyAt(host: ContractHost, policyId: Hash, version: number) {
  const head = definedPolicy(host, policyId)
  if (version < 1 || version > head.version) throw revert(abi, 'UnknownPolicy', { policyId })
  const isOpen = head.open && version === head.version
  return { ...readVersion(host, policyId, version), owner: head.owner, version, open: isOpen }
}

function conditionsOf(host: ContractHost, policyId: Hash, version: number): OpenCondition[] {
  return readVersion(host, policyId, version).conditions.map((condition) => {
    const { attribute, schemaVersion } = declaredPredicate(host, condition.predicateId)
    return { ...condition, attribute, schemaVersion }
  })
}

const itemsOf = (conditions: readonly OpenCondition[]) =>
  conditions.map(({ attribute, predicateId: digest }) => ({ attribute, digest }))

interface Use {
  readonly requester: Address
  readonly enterpriseId: Hash
  readonly purpose: Hash
  readonly basis: Hash
}

/** Answers from the user portrait by predicate, on record; undefined when they are refused. Each attribute once in a round. */
function useAnswers(host: ContractHost, conditions: readonly OpenCondition[], use: Use): Map<Hash, Entry> | undefined {
  const answers = new Map<Hash, Entry>()
  let left = conditions
  while (left.length > 0) {
    const round = left.filter(({ attribute }, i) => left.findIndex((other) => other.attribute === attribute) === i)
    const call = dataSharingInterface.encodeCall('usePortraitFor', { ...use, items: itemsOf(round) })
    const output = host.call(CONTRACT_ADDRESSES.dataSharing, call)
    const { granted, entries } = dataSharingInterface.decodeResult('usePortraitFor', output)
    if (!granted) return undefined
    round.forEach(({ predicateId }, i) => {
      answers.set(predicateId, entries[i]!)
    })
    left = left.filter((condition) => !round.includes(condition))
  }
  return answers
}

function judge(host: ContractHost, condition: OpenCondition, { hit, existence, confirmed, height }: Entry): Judged {
  const { attribute, predicateId, clause, schemaVersion } = condition
  // After a change of the schema the operands may mean something else: the policy needs a new version.
  const current = readEntryHead(host, attribute)?.schemaVersion === schemaVersion
  const result = current && hit ? resultOf(existence, confirmed) : RESULT.open
  return { attribute, predicateId, clause, result, answeredAt: hit ? height : 0n }
}

function resultOf(existence: number, confirmed: boolean): number {
  if (confirmed) return RESULT.met
  if (existence === EXISTENCE.exists) return RESULT.notMet
  return existence === EXISTENCE.missing ? RESULT.missing : RESULT.vacant
}

function outcomeOf(judged: readonly Judged[]): number {
  let outcome: number = OUTCOME.eligible
  for (const clause of new Set(judged.map((condition) => condition.clause))) {
    const alternatives = judged.filter((condition) => condition.clause === clause)
    if (alternatives.some(({ result }) => result === RESULT.met)) continue
    if (alternatives.every(({ result }) => result !== RESULT.open)) return OUTCOME.ineligible
    outcome = OUTCOME.undecided
  }
  return outcome
}

function requireDepartment(host: ContractHost): Address {
  const account = actingMember(host)
  if (!isActiveDepartment(readMemberHead(host, account))) throw revert(abi, 'NotActiveDepartment', { account })
  return account
}

/** A department, or the enterprise itself. */
function requireConcerned(host: ContractHost, enterpriseId: Hash): Address {
  const account = actingMember(host)
  const head = readMemberHead(host, account)
  const own = isActive(head) && head.role === ROLE.enterprise && readMemberId(host, account) === enterpriseId
  if (!own && !isActiveDepartment(head)) throw revert(abi, 'NotConcerned', { account, enterpriseId })
  return account
}

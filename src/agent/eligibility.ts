/** Service rules from outside: publishing them, asking for what is open, having the contract decide. */
import {
  CONDITION_RESULT,
  type ConditionResultName,
  DECISION_OUTCOME,
  type DecisionOutcomeName,
  nameOf,
  PREDICATE,
  type PredicateName,
} from '../contracts/codes.js'
import { predicateId, predicateOperands } from '../contracts/predicates.js'
import { attributeId, idText, textId } from '../contracts/textId.js'
import { fromHex, type Hash, ZERO_HASH } from '../core/bytes.js'
import type { RpcClient } from '../rpc/client.js'
import { AgentError } from './agentError.js'
import type { Connection } from './connection.js'
import { ContractRevert, dataPortrait, eligibility, view } from './contractClient.js'
import { createDirectory } from './directory.js'
import type { PolicyFile } from './policyFile.js'
import { refusalIn } from './questionRefused.js'
import type { Requester } from './requester.js'
import { transact } from './transact.js'

export interface PolicyCondition {
  readonly clause: number
  readonly attribute: string
  readonly comparison: PredicateName
  readonly operands: readonly string[]
  readonly predicateId: Hash
}

export interface PolicyView {
  readonly id: string
  readonly title: string
  readonly purpose: string
  readonly version: number
  readonly open: boolean
  readonly since: number
  readonly owner: string
  readonly conditions: readonly PolicyCondition[]
}

export interface JudgedCondition extends PolicyCondition {
  readonly result: ConditionResultName
}

export interface DecisionView {
  /** null: not decided, see `conditions`. */
  readonly decisionId: bigint | null
  readonly outcome: DecisionOutcomeName
  readonly policy: string
  readonly version: number
  readonly enterprise: string
  readonly height: number | null
  readonly conditions: readonly JudgedCondition[]
}

/**
 * Declares the predicates that are new and defines the policy, or its next version. Throws AgentError INVALID_VALUES when an
 * operand does not fit its attribute, ContractRevert, RpcError or RpcClientError.
 */
export async function publishPolicy(
  connection: Connection,
  policy: PolicyFile,
): Promise<{ version: number; block: number }> {
  const conditions = []
  for (const { clause, attribute, comparison, operands } of policy.conditions) {
    const args = { attribute: attributeId(attribute), op: PREDICATE[comparison], operands }
    conditions.push({ clause, predicateId: await declare(connection, attribute, args) })
  }
  const definition = {
    policyId: textId(policy.id, 'id'),
    title: policy.title,
    purpose: textId(policy.purpose, 'purpose'),
    conditions,
  }
  const { block, receipt } = await transact(connection, eligibility, 'definePolicy', definition)
  for (const { topics, data } of receipt.logs) {
    const event = eligibility.abi.decodeEvent('PolicyDefined', { topics, data: fromHex(data) })
    if (event !== undefined) return { version: event.version, block }
  }
  throw new AgentError('TRANSACTION_FAILED', `defining ${policy.id} had no effect: try again`)
}

async function declare(
  connection: Connection,
  name: string,
  args: { readonly attribute: Hash; readonly op: number; readonly operands: readonly string[] },
): Promise<Hash> {
  const { schema, schemaVersion } = await view(connection.client, dataPortrait, 'dataProfileOf', args)
  const checked = predicateOperands(schema, args.op, args.operands)
  if (!checked.ok) throw new AgentError('INVALID_VALUES', `condition on ${name}: ${checked.problem}`)
  const id = predicateId({ ...args, schemaVersion, operands: checked.operands })
  const known = await connection.directory.predicate(id)
  if (known === null) await transact(connection, eligibility, 'declarePredicate', args)
  return id
}

/** A policy as it is now. Throws ContractRevert (UnknownPolicy), RpcError or RpcClientError. */
export async function readPolicy(client: RpcClient, id: string): Promise<PolicyView> {
  const policyId = textId(id, 'policy')
  const policy = await view(client, eligibility, 'policyOf', { policyId })
  const owner = (await createDirectory(client).member(policy.owner))?.name ?? policy.owner
  const { title, version, open } = policy
  const conditions = await Promise.all(policy.conditions.map((condition) => readCondition(client, condition)))
  return { id, title, purpose: idText(policy.purpose), version, open, since: Number(policy.since), owner, conditions }
}

/** All policies, in order of their first version. */
export async function readPolicies(client: RpcClient): Promise<readonly PolicyView[]> {
  const count = await view(client, eligibility, 'policyCount', {})
  const found: PolicyView[] = []
  for (let index = 0n; index < count; index++) {
    found.push(await readPolicy(client, idText(await view(client, eligibility, 'policyAt', { index }))))
  }
  return found
}

/** A decision with its reasons. Throws ContractRevert (UnknownDecision), RpcError or RpcClientError. */
export async function readDecision(client: RpcClient, decisionId: bigint): Promise<DecisionView> {
  const decision = await view(client, eligibility, 'decisionOf', { decisionId })
  const { policyId, version, results } = decision
  const { conditions } = await view(client, eligibility, 'policyVersion', { policyId, version })
  return {
    decisionId,
    outcome: nameOf(DECISION_OUTCOME, decision.outcome) ?? 'undecided',
    policy: idText(policyId),
    version,
    enterprise: idText(decision.enterpriseId),
    height: Number(decision.height),
    conditions: await judged(client, conditions, results),
  }
}

export interface ServiceQuestion {
  readonly policy: string
  readonly enterpriseId: Hash
  /** Consent or statute where a rule wants one. */
  readonly basis?: Hash
}

/**
 * Decides a service without anyone's seeing a value: asks the supervisors for the conditions that have no valid answer, then has
 * the contract decide. Throws AgentError, QuestionRefused, ContractRevert, RpcError or RpcClientError.
 */
export async function decideService(
  connection: Connection,
  requester: Requester,
  question: ServiceQuestion,
): Promise<DecisionView> {
  const { client } = connection
  const { enterpriseId, basis = ZERO_HASH } = question
  const policy = await readPolicy(client, question.policy)
  const policyId = textId(policy.id)
  for (const predicates of oneOfEachAttribute(policy.conditions)) {
    await requester.askPredicates({ enterpriseId, basis, purpose: textId(policy.purpose), predicates })
  }
  try {
    const { receipt } = await transact(connection, eligibility, 'decide', { policyId, enterpriseId, basis })
    for (const { topics, data } of receipt.logs) {
      const event = eligibility.abi.decodeEvent('Decided', { topics, data: fromHex(data) })
      if (event !== undefined) return await readDecision(client, event.decisionId)
    }
    const refusal = refusalIn(receipt)
    if (refusal !== undefined) throw refusal
  } catch (error) {
    if (!(error instanceof ContractRevert && error.error === 'Undecided')) throw error
  }
  return evaluate(client, policy, enterpriseId)
}

/** What is known without a basis; nothing goes on record. */
export async function evaluate(client: RpcClient, policy: PolicyView, enterpriseId: Hash): Promise<DecisionView> {
  const { outcome, results } = await view(client, eligibility, 'evaluate', {
    policyId: textId(policy.id),
    enterpriseId,
  })
  return {
    decisionId: null,
    outcome: nameOf(DECISION_OUTCOME, outcome) ?? 'undecided',
    policy: policy.id,
    version: policy.version,
    enterprise: idText(enterpriseId),
    height: null,
    conditions: policy.conditions.map((condition, i) => ({ ...condition, result: resultName(results[i]) })),
  }
}

/** A request asks for each attribute once: several conditions on one attribute need several. */
function oneOfEachAttribute(conditions: readonly PolicyCondition[]): PolicyCondition[][] {
  const rounds: Map<string, PolicyCondition>[] = []
  for (const condition of conditions) {
    const round = rounds.find((one) => !one.has(condition.attribute))
    if (round === undefined) rounds.push(new Map([[condition.attribute, condition]]))
    else round.set(condition.attribute, condition)
  }
  return rounds.map((round) => [...round.values()])
}

type RawCondition = { readonly clause: number; readonly predicateId: Hash }

async function judged(client: RpcClient, conditions: readonly RawCondition[], results: readonly number[]) {
  return Promise.all(
    conditions.map(async (condition, i) => ({
      ...(await readCondition(client, condition)),
      result: resultName(results[i]),
    })),
  )
}

async function readCondition(client: RpcClient, { clause, predicateId: id }: RawCondition): Promise<PolicyCondition> {
  const { attribute, op, operands } = await view(client, eligibility, 'predicateOf', { predicateId: id })
  const comparison = nameOf(PREDICATE, op) ?? 'oneOf'
  return { clause, attribute: idText(attribute), comparison, operands, predicateId: id }
}

const resultName = (code: number | undefined): ConditionResultName => nameOf(CONDITION_RESULT, code ?? 0) ?? 'open'

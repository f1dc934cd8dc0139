/** Who may ask for what of the records: holders of a mandate within its scope, enterprises and departments about themselves. */
import { type AuditQuery, chainQuery } from '../audit/auditQuery.js'
import { AuditRefusal } from '../audit/authorization.js'
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import { auditInterface, type Scope } from '../contracts/auditStorage.js'
import { ROLE } from '../contracts/codes.js'
import { actorOf, isActive, readMemberId } from '../contracts/membersStorage.js'
import type { Address } from '../core/bytes.js'
import type { StateReader } from '../state/reader.js'
import { readHost } from '../vm/host.js'
import type { FinalCalls } from './finalCalls.js'

export interface RightsNeeds {
  readonly state: () => StateReader
  readonly calls: Pick<FinalCalls, 'view'>
  /** Time of a block in seconds since 1970. */
  readonly timeOf: (height: number) => number
}

/** On which ground a member may ask, and the last second of what it may see. */
export interface Right {
  readonly member: Address
  readonly ground: string
  readonly toTimeS: number
}

const NO_END = Number.MAX_SAFE_INTEGER

/** The member for which a key acts. Throws AuditRefusal NOT_A_MEMBER. */
export function memberOfKey({ state }: RightsNeeds, signer: Address | null) {
  const host = readHost(state(), CONTRACT_ADDRESSES.members)
  const actor = signer === null ? undefined : actorOf(host, signer)
  if (actor === undefined || !isActive(actor.head)) {
    throw new AuditRefusal('NOT_A_MEMBER', 'the signature is that of no active member for this query, node and chain')
  }
  return { member: actor.account, role: actor.head.role, id: readMemberId(host, actor.account) }
}

/** Throws AuditRefusal NO_MANDATE, OUT_OF_SCOPE or NOT_ABOUT_YOURSELF. */
export function rightOf(needs: RightsNeeds, who: ReturnType<typeof memberOfKey>, query: AuditQuery): Right {
  const { member, role, id } = who
  const { enterprise, department } = chainQuery(query)
  if (role === ROLE.enterprise) {
    if (enterprise === id) return { member, ground: 'about itself', toTimeS: NO_END }
    throw new AuditRefusal('NOT_ABOUT_YOURSELF', 'an enterprise may ask about itself: name your own id as enterprise')
  }
  if (role === ROLE.department) {
    if (department === member) return { member, ground: 'about itself', toTimeS: NO_END }
    throw new AuditRefusal('NOT_ABOUT_YOURSELF', 'a department may ask about its own exchanges: name its address')
  }
  return mandateRight(needs, member, query)
}

function mandateRight({ calls, timeOf }: RightsNeeds, member: Address, query: AuditQuery): Right {
  const { audit } = CONTRACT_ADDRESSES
  const ids = calls.view(audit, auditInterface, 'mandatesOf', { grantee: member }) ?? []
  if (ids.length === 0) throw new AuditRefusal('NO_MANDATE', `${member} holds no valid mandate: a regulator grants it`)
  const period = { fromS: timeOf(query.fromBlock), toS: timeOf(query.toBlock) }
  for (const mandateId of ids) {
    const mandate = calls.view(audit, auditInterface, 'mandateOf', { mandateId })
    if (mandate === undefined || !covers(mandate.scope, query, period)) continue
    const toTimeS = mandate.scope.toTime === 0n ? NO_END : Number(mandate.scope.toTime)
    return { member, ground: `mandate ${mandateId}`, toTimeS }
  }
  const shown = ids.join(', ')
  throw new AuditRefusal('OUT_OF_SCOPE', `no mandate covers this query (valid: ${shown}): narrow it to their scope`)
}

/** What a scope names has to be named by the query too; blocks outside its period must not be asked for. */
export function covers(scope: Scope, query: AuditQuery, { fromS, toS }: { fromS: number; toS: number }): boolean {
  const { enterprise, department, attribute, purpose } = chainQuery(query)
  const within = <T>(list: readonly T[], asked: T | undefined) =>
    list.length === 0 || (asked !== undefined && list.includes(asked))
  return (
    within(scope.enterprises, enterprise) &&
    within(scope.departments, department) &&
    within(scope.attributes, attribute) &&
    within(scope.purposes, purpose) &&
    BigInt(fromS) >= scope.fromTime &&
    (scope.toTime === 0n || BigInt(toS) <= scope.toTime)
  )
}

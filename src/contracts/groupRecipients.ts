/**
 * Groups as recipients: values of an attribute whose supervisors have agreed on a key travel in one envelope under it. Each
 * supervisor opens it, acknowledges and answers for itself. What is delivered directly goes to each department's own node,
 * never to a group.
 */
import type { Address, Hash } from '../core/bytes.js'
import { type ContractHost, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import { DELIVERY } from './codes.js'
import { type EntryHead, readEntryHead, readSupervisors, supervises } from './dataPortraitStorage.js'
import { dataSharingInterface as abi, requireCurrentKey } from './dataSharingStorage.js'
import { type GroupHead, groupIdFor, isGroupKeyCurrent, readGroupHead, readRoster } from './keyAgreementStorage.js'
import { isActiveDepartment, readMemberHead, readMembersParameters } from './membersStorage.js'

/** Whom an envelope is for. */
export type RecipientKind = 'department' | 'group'

/** An active department under its current key, or a group under its own. Reverts with NotActiveDepartment or StaleKeyEpoch. */
export function requireRecipient(host: ContractHost, recipient: Address, keyEpoch: bigint): RecipientKind {
  const head = readMemberHead(host, recipient)
  if (isActiveDepartment(head)) {
    requireCurrentKey(host, head, recipient, keyEpoch)
    return 'department'
  }
  const group = head.role === 0 ? readGroupHead(host, recipient) : undefined
  if (group === undefined) throw revert(abi, 'NotActiveDepartment', { account: recipient })
  requireGroupKey(host, recipient, group, keyEpoch)
  return 'group'
}

/**
 * The epoch has to be the group's current one, or the one before it within the grace that members' own keys have; and all
 * members have to be active under the keys that they had when they agreed.
 */
export function requireGroupKey(host: ContractHost, group: Address, head: GroupHead, given: bigint): void {
  const current = isGroupKeyCurrent(host, group, head)
  const usable = given === head.keyEpoch || (given !== 0n && given === head.keyEpoch - 1n && isInGrace(host, head))
  if (current && usable) return
  throw revert(abi, 'StaleKeyEpoch', { recipient: group, given, current: current ? head.keyEpoch : 0n })
}

function isInGrace(host: ContractHost, { agreedAt }: GroupHead): boolean {
  return BigInt(host.block.number) <= agreedAt + BigInt(readMembersParameters(host).encryptionGraceBlocks)
}

/** Whether values of the attribute may be sealed to this recipient: a supervisor, or the group of exactly all of them. */
export function mayReceive(
  host: ContractHost,
  attribute: Hash,
  entry: EntryHead,
  recipient: Address,
  kind: RecipientKind,
): boolean {
  return kind === 'department'
    ? supervises(host, attribute, entry, recipient)
    : isGroupOf(host, attribute, entry, recipient)
}

function isGroupOf(host: ContractHost, attribute: Hash, entry: EntryHead, group: Address): boolean {
  if (entry.supervisorCount < 2 || entry.delivery !== DELIVERY.ledger) return false
  return groupIdFor(host, readSupervisors(host, attribute, entry)) === group
}

/** The members of a group in the order of their bits; empty when it is none. */
export function membersOf(host: ContractHost, group: Address): Address[] {
  const head = readGroupHead(host, group)
  return head === undefined ? [] : readRoster(host, group, head)
}

/** What one supervisor is asked under one envelope. */
export interface AskedSupervisor {
  readonly supervisor: Address
  readonly attributes: readonly Hash[]
}

/** A group that a question is sealed to, for these attributes. */
export interface AskedGroup {
  readonly head: GroupHead
  readonly members: readonly Address[]
  readonly attributes: readonly Hash[]
}

/** The groups among the recipients, with the attributes asked that are theirs. `known`: recipients that are departments. */
export function askedGroups(
  host: ContractHost,
  recipients: readonly Address[],
  asked: readonly Hash[],
  known: ReadonlyMap<Address, unknown>,
): ReadonlyMap<Address, AskedGroup> {
  const groups = new Map<Address, AskedGroup>()
  for (const group of recipients) {
    if (known.has(group) || groups.has(group)) continue
    const head = readGroupHead(host, group)
    if (head === undefined) continue
    const attributes = asked.filter((attribute) => {
      host.charge(GAS_STEP)
      const entry = readEntryHead(host, attribute)
      return entry !== undefined && isGroupOf(host, attribute, entry, group)
    })
    if (attributes.length > 0) groups.set(group, { head, members: readRoster(host, group, head), attributes })
  }
  return groups
}

/** What each supervisor is asked under an envelope of its own: all that no group covers. */
export function askedAlone(
  bySupervisor: ReadonlyMap<Address, readonly Hash[]>,
  groups: ReadonlyMap<Address, AskedGroup>,
): ReadonlyMap<Address, readonly Hash[]> {
  if (groups.size === 0) return bySupervisor
  const covered = new Set([...groups.values()].flatMap(({ attributes }) => attributes))
  const left = [...bySupervisor].map(([supervisor, attributes]) => {
    return [supervisor, attributes.filter((attribute) => !covered.has(attribute))] as const
  })
  return new Map(left.filter(([, attributes]) => attributes.length > 0))
}

/** One asking for each envelope and supervisor that opens it. */
export function askings(
  alone: ReadonlyMap<Address, readonly Hash[]>,
  groups: ReadonlyMap<Address, AskedGroup>,
): readonly AskedSupervisor[] {
  const own = [...alone].map(([supervisor, attributes]) => ({ supervisor, attributes }))
  const joint = [...groups.values()].flatMap(({ members, attributes }) => {
    return members.map((supervisor) => ({ supervisor, attributes }))
  })
  return [...own, ...joint]
}

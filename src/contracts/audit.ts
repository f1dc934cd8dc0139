/**
 * Contract `audit`: regulators authorise auditors and the operations centre to look through the records of sharing (paper
 * 2.2), within bounds, for a time and with a reason; nodes anchor the heads of their read logs.
 */
import { type Address, ZERO_HASH } from '../core/bytes.js'
import { mandateEntriesMax, mandateReasonBytesMax, mandatesPerGranteeMax } from '../core/limits.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, defineContract, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import { bigintWord, wordBigint } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import type { auditAbi } from './audit.abi.js'
import {
  auditInterface as abi,
  MANDATE_COUNT_SLOT,
  readAnchor,
  readGranted,
  readMandate,
  type Scope,
  type StoredMandate,
  storeAnchor,
  storeGranted,
  storeMandate,
  storeRevoked,
} from './auditStorage.js'
import { ROLE } from './codes.js'
import { actingMember, isActive, readMemberHead } from './membersStorage.js'

export { auditInterface } from './auditStorage.js'

type Args<N> = FunctionArgs<typeof auditAbi, N>

/** Who may hold a mandate. A regulator needs one as well: whoever looks through records does so on record. */
const GRANTEE_ROLES: ReadonlySet<number> = new Set([ROLE.auditor, ROLE.operator, ROLE.regulator])

export const audit = defineContract({
  name: 'audit',
  version: 1,
  address: CONTRACT_ADDRESSES.audit,
  abi,
  functions: {
    grantMandate,
    revokeMandate,
    mandateOf(host, { mandateId }) {
      const mandate = knownMandate(host, mandateId)
      return { ...mandate, valid: isValid(host, mandate) }
    },
    mandatesOf: (host, { grantee }) => validMandates(host, grantee),
    mandateCount: (host) => mandateCount(host),
    anchorReadLog,
    readLogAnchorOf: (host, { node }) => readAnchor(host, node),
  },
})

function grantMandate(host: ContractHost, args: Args<'grantMandate'>): bigint {
  const { grantee, scope, expiryHeight, expiryTime, reason } = args
  const regulator = requireRegulator(host)
  requireGrantee(host, grantee)
  checkReason(reason)
  checkScope(scope)
  checkExpiry(host, expiryHeight, expiryTime)
  const kept = validMandates(host, grantee)
  if (kept.length >= mandatesPerGranteeMax) {
    throw revert(abi, 'TooManyMandates', { grantee, mandatesMax: BigInt(mandatesPerGranteeMax) })
  }
  const mandateId = mandateCount(host) + 1n
  host.store(MANDATE_COUNT_SLOT, bigintWord(mandateId))
  const times = { grantedAt: BigInt(host.block.number), revokedAt: 0n }
  storeMandate(host, mandateId, { grantee, regulator, scope, expiryHeight, expiryTime, reason, ...times })
  storeGranted(host, grantee, [...kept, mandateId])
  emit(host, abi, 'MandateGranted', { mandateId, grantee, by: regulator, expiryHeight, expiryTime, reason })
  return mandateId
}

/** Any regulator may: the one that granted it may be gone. */
function revokeMandate(host: ContractHost, { mandateId }: Args<'revokeMandate'>): undefined {
  const by = requireRegulator(host)
  const { grantee, revokedAt } = knownMandate(host, mandateId)
  if (revokedAt !== 0n) throw revert(abi, 'AlreadyRevoked', { mandateId })
  storeRevoked(host, mandateId, BigInt(host.block.number))
  emit(host, abi, 'MandateRevoked', { mandateId, grantee, by })
  return undefined
}

/** Under the account that signs: a member may run several nodes, each with a log of its own. */
function anchorReadLog(host: ContractHost, { sequence, hash }: Args<'anchorReadLog'>): undefined {
  const account = actingMember(host)
  if (!isActive(readMemberHead(host, account))) throw revert(abi, 'NotActiveMember', { account })
  const node = host.caller
  if (hash === ZERO_HASH) throw revert(abi, 'InvalidAnchor', { sequence })
  const current = readAnchor(host, node).sequence
  if (sequence <= current) throw revert(abi, 'AnchorNotAhead', { given: sequence, current })
  storeAnchor(host, node, sequence, hash)
  emit(host, abi, 'ReadLogAnchored', { node, sequence, hash })
  return undefined
}

const mandateCount = (host: ContractHost): bigint => wordBigint(host.load(MANDATE_COUNT_SLOT))

function knownMandate(host: ContractHost, mandateId: bigint): StoredMandate {
  if (mandateId === 0n || mandateId > mandateCount(host)) throw revert(abi, 'UnknownMandate', { mandateId })
  return readMandate(host, mandateId)
}

function validMandates(host: ContractHost, grantee: Address): bigint[] {
  return readGranted(host, grantee).filter((id) => {
    host.charge(GAS_STEP)
    return isValid(host, readMandate(host, id))
  })
}

function isValid(host: ContractHost, { grantee, expiryHeight, expiryTime, revokedAt }: StoredMandate): boolean {
  return revokedAt === 0n && !isOver(host, expiryHeight, expiryTime) && mayHold(host, grantee)
}

function isOver(host: ContractHost, expiryHeight: bigint, expiryTime: bigint): boolean {
  const { number, timestamp } = host.block
  if (expiryHeight !== 0n && BigInt(number) > expiryHeight) return true
  return expiryTime !== 0n && BigInt(timestamp) > expiryTime
}

function mayHold(host: ContractHost, account: Address): boolean {
  const head = readMemberHead(host, account)
  return isActive(head) && GRANTEE_ROLES.has(head.role)
}

function requireRegulator(host: ContractHost): Address {
  const account = actingMember(host)
  const head = readMemberHead(host, account)
  if (!isActive(head) || head.role !== ROLE.regulator) throw revert(abi, 'NotRegulator', { account })
  return account
}

function requireGrantee(host: ContractHost, account: Address): void {
  if (mayHold(host, account)) return
  throw revert(abi, 'InvalidGrantee', { account, role: readMemberHead(host, account).role })
}

function checkReason(reason: string): void {
  const bytesLength = Buffer.byteLength(reason, 'utf8')
  if (bytesLength >= 1 && bytesLength <= mandateReasonBytesMax) return
  throw revert(abi, 'InvalidReason', { bytesLength: BigInt(bytesLength), bytesMax: BigInt(mandateReasonBytesMax) })
}

function checkScope({ enterprises, departments, attributes, purposes, fromTime, toTime }: Scope): void {
  const lists = { enterprises, departments, attributes, purposes }
  for (const [what, { length }] of Object.entries(lists)) {
    if (length <= mandateEntriesMax) continue
    throw revert(abi, 'TooManyEntries', { what, given: BigInt(length), max: BigInt(mandateEntriesMax) })
  }
  if (toTime !== 0n && toTime < fromTime) throw revert(abi, 'InvalidPeriod', { fromTime, toTime })
}

function checkExpiry(host: ContractHost, expiryHeight: bigint, expiryTime: bigint): void {
  if (expiryHeight === 0n && expiryTime === 0n) throw revert(abi, 'ExpiryMissing', {})
  if (isOver(host, expiryHeight, expiryTime)) throw revert(abi, 'ExpiryPassed', { expiryHeight, expiryTime })
}

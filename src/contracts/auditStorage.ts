/** Storage of `audit`. */
import type { Address, Hash } from '../core/bytes.js'
import { ContractAbi } from '../vm/abi.js'
import type { ContractHost } from '../vm/contract.js'
import {
  addressWord,
  bigintWord,
  loadText,
  loadWords,
  mappingSlot,
  packed,
  slotAfter,
  slotAt,
  storeText,
  storeWords,
  wordAddress,
} from '../vm/storage.js'
import { auditAbi } from './audit.abi.js'

export const auditInterface = new ContractAbi(auditAbi)

/** uint256: ids begin at 1. */
export const MANDATE_COUNT_SLOT = slotAt(0)
/** mapping(uint256 => Mandate). */
const MANDATES_SLOT = slotAt(1)
/** mapping(address => uint256[]): a grantee's mandates that may still be valid, and some that are not. */
const GRANTED_SLOT = slotAt(2)
/** mapping(address => Anchor); Anchor { head; bytes32 hash }: the latest of each node. */
const ANCHORS_SLOT = slotAt(3)

/** Mandate { grantee, expiryHeight; regulator, expiryTime; times; string reason; and the four lists of its scope }. */
const MANDATE = {
  regulator: 1,
  times: 2,
  reason: 3,
  enterprises: 4,
  departments: 5,
  attributes: 6,
  purposes: 7,
} as const
const granteeWord = packed({ account: 'address', expiry: 'uint64' })
const timesWord = packed({ grantedAt: 'uint64', revokedAt: 'uint64', fromTime: 'uint64', toTime: 'uint64' })
const anchorWord = packed({ sequence: 'uint64', height: 'uint64' })

/** What a mandate reaches; an empty list restricts nothing. */
export interface Scope {
  readonly enterprises: readonly Hash[]
  readonly departments: readonly Address[]
  readonly attributes: readonly Hash[]
  readonly purposes: readonly Hash[]
  /** Seconds since 1970, both included; 0: open. */
  readonly fromTime: bigint
  readonly toTime: bigint
}

/** `expiryHeight`, `expiryTime` (seconds since 1970): last at which it is valid; 0: does not end so. `revokedAt` 0: it is not. */
export interface StoredMandate {
  readonly grantee: Address
  readonly regulator: Address
  readonly scope: Scope
  readonly expiryHeight: bigint
  readonly expiryTime: bigint
  readonly reason: string
  readonly grantedAt: bigint
  readonly revokedAt: bigint
}

const mandateSlot = (host: ContractHost, id: bigint): Hash => mappingSlot(host, MANDATES_SLOT, bigintWord(id))

export function storeMandate(host: ContractHost, id: bigint, mandate: StoredMandate): void {
  const { grantee, regulator, scope, expiryHeight, expiryTime, reason, grantedAt, revokedAt } = mandate
  const { enterprises, departments, attributes, purposes, fromTime, toTime } = scope
  const slot = mandateSlot(host, id)
  host.store(slot, granteeWord.write({ account: grantee, expiry: expiryHeight }))
  host.store(slotAfter(slot, MANDATE.regulator), granteeWord.write({ account: regulator, expiry: expiryTime }))
  host.store(slotAfter(slot, MANDATE.times), timesWord.write({ grantedAt, revokedAt, fromTime, toTime }))
  storeText(host, slotAfter(slot, MANDATE.reason), reason)
  storeWords(host, slotAfter(slot, MANDATE.enterprises), enterprises)
  storeWords(host, slotAfter(slot, MANDATE.departments), departments.map(addressWord))
  storeWords(host, slotAfter(slot, MANDATE.attributes), attributes)
  storeWords(host, slotAfter(slot, MANDATE.purposes), purposes)
}

export function storeRevoked(host: ContractHost, id: bigint, revokedAt: bigint): void {
  const slot = slotAfter(mandateSlot(host, id), MANDATE.times)
  host.store(slot, timesWord.write({ ...timesWord.read(host.load(slot)), revokedAt }))
}

export function readMandate(host: ContractHost, id: bigint): StoredMandate {
  const slot = mandateSlot(host, id)
  const { account: grantee, expiry: expiryHeight } = granteeWord.read(host.load(slot))
  const { account: regulator, expiry: expiryTime } = granteeWord.read(host.load(slotAfter(slot, MANDATE.regulator)))
  const { grantedAt, revokedAt, fromTime, toTime } = timesWord.read(host.load(slotAfter(slot, MANDATE.times)))
  const list = (at: number) => loadWords(host, slotAfter(slot, at))
  const scope = {
    enterprises: list(MANDATE.enterprises),
    departments: list(MANDATE.departments).map(wordAddress),
    attributes: list(MANDATE.attributes),
    purposes: list(MANDATE.purposes),
    fromTime,
    toTime,
  }
  const reason = loadText(host, slotAfter(slot, MANDATE.reason))
  return { grantee, regulator, scope, expiryHeight, expiryTime, reason, grantedAt, revokedAt }
}

export const readGranted = (host: ContractHost, grantee: Address): bigint[] =>
  loadWords(host, mappingSlot(host, GRANTED_SLOT, grantee)).map(BigInt)

export function storeGranted(host: ContractHost, grantee: Address, ids: readonly bigint[]): void {
  storeWords(host, mappingSlot(host, GRANTED_SLOT, grantee), ids.map(bigintWord))
}

/** sequence 0: it never anchored. */
export function readAnchor(host: ContractHost, node: Address) {
  const slot = mappingSlot(host, ANCHORS_SLOT, node)
  return { ...anchorWord.read(host.load(slot)), hash: host.load(slotAfter(slot, 1)) }
}

export function storeAnchor(host: ContractHost, node: Address, sequence: bigint, hash: Hash): void {
  const slot = mappingSlot(host, ANCHORS_SLOT, node)
  host.store(slot, anchorWord.write({ sequence, height: BigInt(host.block.number) }))
  host.store(slotAfter(slot, 1), hash)
}

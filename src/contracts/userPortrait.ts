/**
 * The user portrait library (paper 3.2 (5), 4.3 (c)): what supervisors have said about declared values. Entries are kept by
 * (enterprise, attribute, digest), so that a wrong guess never displaces a confirmed value; a generation number for each
 * (enterprise, attribute) drops all of its entries at once.
 */
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import { portraitDigestsListedMax, reportAttributesMax, requestItemsMax } from '../core/limits.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import {
  addressWord,
  loadWords,
  mappingSlot,
  numberWord,
  type Packed,
  packed,
  slotAfter,
  storeWords,
  wordAddress,
} from '../vm/storage.js'
import { BASIS, EXISTENCE } from './codes.js'
import { readAttributes, readEntryHead, readRule, supervises } from './dataPortraitStorage.js'
import type { dataSharingAbi } from './dataSharing.abi.js'
import {
  dataSharingInterface as abi,
  PORTRAITS_SLOT,
  requireActingDepartment,
  requireCount,
} from './dataSharingStorage.js'
import { isOpenObjection } from './objectionsStorage.js'

type Args<N> = FunctionArgs<typeof dataSharingAbi, N>

/** AttributePortrait { head; mapping(bytes32 => Entry) entries; mapping(uint256 => bytes32) listed }. */
const PORTRAIT = { entries: 1, listed: 2 } as const
/** listed: digests listed in this generation. live: the generation holds entries or answers of an unfinished request. */
const portraitHead = packed({ generation: 'uint32', listed: 'uint32', live: 'bool' })
type PortraitHead = Packed<{ generation: 'uint32'; listed: 'uint32'; live: 'bool' }>

/**
 * Entry { head; address lead; address[] furtherAttesters }; existence 0: none. objection: one that is open, was upheld or lapsed;
 * 0: nothing stands against the entry.
 */
const ENTRY = { lead: 1, furtherAttesters: 2 } as const
const ENTRY_HEAD = {
  generation: 'uint32',
  existence: 'uint8',
  confirmed: 'bool',
  attesterCount: 'uint16',
  height: 'uint64',
  validUntil: 'uint64',
  objection: 'uint64',
} as const
const entryHead = packed(ENTRY_HEAD)
type EntryHead = Packed<typeof ENTRY_HEAD>

export interface Finding {
  readonly digest: Hash
  readonly existence: number
  readonly confirmed: boolean
  /** At least one. */
  readonly attesters: readonly Address[]
}

const portraitSlot = (host: ContractHost, enterpriseId: Hash, attribute: Hash): Hash =>
  mappingSlot(host, mappingSlot(host, PORTRAITS_SLOT, enterpriseId), attribute)

const entrySlot = (host: ContractHost, portrait: Hash, digest: Hash): Hash =>
  mappingSlot(host, slotAfter(portrait, PORTRAIT.entries), digest)

const listedSlot = (host: ContractHost, portrait: Hash, index: number): Hash =>
  mappingSlot(host, slotAfter(portrait, PORTRAIT.listed), numberWord(index % portraitDigestsListedMax))

export function generationOf(host: ContractHost, enterpriseId: Hash, attribute: Hash): number {
  return portraitHead.read(host.load(portraitSlot(host, enterpriseId, attribute))).generation
}

/** A partial answer counts for its generation: dropping the portrait must reach it too. */
export function markLive(host: ContractHost, enterpriseId: Hash, attribute: Hash): void {
  const slot = portraitSlot(host, enterpriseId, attribute)
  const head = portraitHead.read(host.load(slot))
  if (!head.live) host.store(slot, portraitHead.write({ ...head, live: true }))
}

/** SetUserProfile within the contract: adds or renews the entry of one declared value. */
export function writePortrait(host: ContractHost, enterpriseId: Hash, attribute: Hash, finding: Finding): void {
  const { digest, existence, confirmed, attesters } = finding
  const portrait = portraitSlot(host, enterpriseId, attribute)
  const head = portraitHead.read(host.load(portrait))
  const slot = entrySlot(host, portrait, digest)
  const before = entryHead.read(host.load(slot))
  const known = before.existence !== 0 && before.generation === head.generation
  const height = BigInt(host.block.number)
  // Answering anew does not end an objection that has not been decided.
  const contested = known && before.objection !== 0n && isOpenObjection(host, before.objection)
  const objection = contested ? before.objection : 0n
  const { validityBlocks } = readRule(host, attribute)
  const validUntil = validityBlocks === 0n ? 0n : height + validityBlocks
  const counts = { generation: head.generation, attesterCount: attesters.length }
  host.store(slot, entryHead.write({ ...counts, existence, confirmed, height, validUntil, objection }))
  host.store(slotAfter(slot, ENTRY.lead), addressWord(attesters[0]!))
  storeWords(host, slotAfter(slot, ENTRY.furtherAttesters), attesters.slice(1).map(addressWord))
  if (!known) {
    host.store(listedSlot(host, portrait, head.listed), digest)
    host.store(portrait, portraitHead.write({ ...head, listed: head.listed + 1, live: true }))
  }
  emit(host, abi, 'UserProfileSet', { enterpriseId, attribute, digest, existence, confirmed })
}

/** Drops every entry of the attribute; costs nothing where there is none. */
export function dropPortrait(host: ContractHost, enterpriseId: Hash, attribute: Hash): void {
  const slot = portraitSlot(host, enterpriseId, attribute)
  const head = portraitHead.read(host.load(slot))
  if (!head.live) return
  const generation = head.generation + 1
  host.store(slot, portraitHead.write({ generation, listed: 0, live: false }))
  emit(host, abi, 'UserProfileDropped', { enterpriseId, attribute, generation })
}

/** A supervisor that alone answers for an attribute reports or corrects a value without being asked. */
export function setUserProfile(host: ContractHost, args: Args<'SetUserProfile'>): undefined {
  const { enterpriseId, attribute, digest, existence, confirmed } = args
  const account = requireActingDepartment(host)
  const entry = readEntryHead(host, attribute)
  if (entry === undefined) throw revert(abi, 'UnknownAttribute', { attribute })
  if (entry.lead !== account || entry.supervisorCount !== 1) {
    throw revert(abi, 'NotSoleSupervisor', { account, attribute })
  }
  if (digest === ZERO_HASH) throw revert(abi, 'ZeroDigest', { attribute })
  checkFinding(existence, confirmed)
  if (existence === EXISTENCE.refused) throw revert(abi, 'InvalidExistence', { existence })
  writePortrait(host, enterpriseId, attribute, { digest, existence, confirmed, attesters: [account] })
  return undefined
}

/** Only a value that exists can be confirmed. */
export function checkFinding(existence: number, confirmed: boolean): void {
  if (existence < EXISTENCE.exists || existence > EXISTENCE.refused)
    throw revert(abi, 'InvalidExistence', { existence })
  if (confirmed && existence !== EXISTENCE.exists) throw revert(abi, 'InvalidConfirmation', { existence })
}

export function reportChange(host: ContractHost, { enterpriseId, attributes }: Args<'reportChange'>): undefined {
  const account = requireActingDepartment(host)
  requireCount('attributes', attributes.length, reportAttributesMax)
  for (const attribute of attributes) {
    const entry = readEntryHead(host, attribute)
    if (entry === undefined) throw revert(abi, 'UnknownAttribute', { attribute })
    if (!supervises(host, attribute, entry, account)) throw revert(abi, 'NotSupervisor', { account, attribute })
    dropPortrait(host, enterpriseId, attribute)
  }
  return undefined
}

/**
 * The portrait hit path: for each asked value the entry that answers it, if there is a valid one. Where the rule wants a basis
 * nothing is a hit here: see portraitUse.ts.
 */
export function portraitEntries(host: ContractHost, { enterpriseId, items }: Args<'portraitEntries'>) {
  requireCount('items', items.length, requestItemsMax)
  return items.map(({ attribute, digest }) => {
    const answer = portraitAnswer(host, enterpriseId, attribute, digest)
    return answer.hit && needsBasis(host, attribute) ? NO_ENTRY : answer
  })
}

const needsBasis = (host: ContractHost, attribute: Hash): boolean => readRule(host, attribute).basis !== BASIS.none

export interface PortraitAnswer {
  readonly hit: boolean
  readonly existence: number
  readonly confirmed: boolean
  readonly height: bigint
  readonly attesters: readonly Address[]
}

export const NO_ENTRY: PortraitAnswer = { hit: false, existence: 0, confirmed: false, height: 0n, attesters: [] }

/** The valid entry of one value as an answer, whatever the rule says. */
export function portraitAnswer(host: ContractHost, enterpriseId: Hash, attribute: Hash, digest: Hash): PortraitAnswer {
  const portrait = portraitSlot(host, enterpriseId, attribute)
  const head = portraitHead.read(host.load(portrait))
  const slot = entrySlot(host, portrait, digest)
  const entry = validEntry(host, head, slot)
  if (entry === undefined) return NO_ENTRY
  const { existence, confirmed, height } = entry
  return { hit: true, existence, confirmed, height, attesters: attestersOf(host, slot, entry) }
}

/** Which entry. */
interface EntryPlace {
  readonly enterpriseId: Hash
  readonly attribute: Hash
  readonly digest: Hash
}

/** Sets what stands against an entry, in place of `before`; nothing happens where something else stands there. */
export function markContested(
  host: ContractHost,
  { enterpriseId, attribute, digest }: EntryPlace,
  objection: bigint,
  before = 0n,
): void {
  const slot = entrySlot(host, portraitSlot(host, enterpriseId, attribute), digest)
  const entry = entryHead.read(host.load(slot))
  if (entry.objection === before) host.store(slot, entryHead.write({ ...entry, objection }))
}

export function getUserProfile(host: ContractHost, { enterpriseId }: Args<'GetUserProfile'>) {
  return readAttributes(host).flatMap((attribute) =>
    listedEntries(host, enterpriseId, attribute).map(({ digest, slot, entry }) => {
      const { existence, confirmed, height, validUntil } = entry
      return { attribute, digest, existence, confirmed, height, validUntil, attesters: attestersOf(host, slot, entry) }
    }),
  )
}

/** What is known, from the portrait, of whether a supervisor's record holds the attribute: its latest entry. Nothing where the rule wants a basis. */
export function getExistence(host: ContractHost, { userID, dataParam }: Args<'GetExistence'>) {
  let latest: EntryHead | undefined
  if (needsBasis(host, dataParam)) return { known: false, existence: 0 }
  for (const { entry } of listedEntries(host, userID, dataParam)) {
    if (latest === undefined || entry.height >= latest.height) latest = entry
  }
  return { known: latest !== undefined, existence: latest?.existence ?? 0 }
}

/** What is known, from the portrait, of whether the declared value with this digest is right. Nothing where the rule wants a basis. */
export function getConfirm(host: ContractHost, { userID, dataParam, digest }: Args<'GetConfirm'>) {
  const portrait = portraitSlot(host, userID, dataParam)
  const entry = validEntry(host, portraitHead.read(host.load(portrait)), entrySlot(host, portrait, digest))
  const known = entry !== undefined && !needsBasis(host, dataParam)
  return { known, confirmed: known && entry.confirmed }
}

function listedEntries(host: ContractHost, enterpriseId: Hash, attribute: Hash) {
  const portrait = portraitSlot(host, enterpriseId, attribute)
  const head = portraitHead.read(host.load(portrait))
  const found: { digest: Hash; slot: Hash; entry: EntryHead }[] = []
  for (let i = Math.max(0, head.listed - portraitDigestsListedMax); i < head.listed; i++) {
    host.charge(GAS_STEP)
    const digest = host.load(listedSlot(host, portrait, i))
    const slot = entrySlot(host, portrait, digest)
    const entry = validEntry(host, head, slot)
    if (entry !== undefined) found.push({ digest, slot, entry })
  }
  return found
}

/** Undefined unless the entry is of this generation, has not expired, and nothing stands against it. */
function validEntry(host: ContractHost, head: PortraitHead, slot: Hash): EntryHead | undefined {
  if (!head.live) return undefined
  const word = host.load(slot)
  if (word === ZERO_HASH) return undefined
  const entry = entryHead.read(word)
  const expired = entry.validUntil !== 0n && BigInt(host.block.number) > entry.validUntil
  return entry.generation !== head.generation || expired || entry.objection !== 0n ? undefined : entry
}

function attestersOf(host: ContractHost, slot: Hash, entry: EntryHead): Address[] {
  const attesters = [wordAddress(host.load(slotAfter(slot, ENTRY.lead)))]
  if (entry.attesterCount === 1) return attesters
  return [...attesters, ...loadWords(host, slotAfter(slot, ENTRY.furtherAttesters)).map(wordAddress)]
}

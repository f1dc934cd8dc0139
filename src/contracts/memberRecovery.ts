/**
 * Recovery of an account whose key is lost or stolen: guardians, other members that it has named, agree on a new key; after a
 * delay anyone may let it take effect. Until then the account's key can stop it. Where that key is stolen, the approvers suspend
 * the member first: a suspended member stops nothing, and names no other guardians.
 */
import { type Address, type Hash, ZERO_ADDRESS } from '../core/bytes.js'
import { guardiansMax } from '../core/limits.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import { addressWord, loadWords, mappingSlot, packed, slotAfter, storeWords, wordAddress } from '../vm/storage.js'
import { SIGNER_KIND, STATUS } from './codes.js'
import { replaceAccountKey, requireAccountKey, requireConsent, requireUnused } from './memberSigners.js'
import type { membersAbi } from './members.abi.js'
import {
  membersInterface as abi,
  actingMember,
  GUARDIANS_SLOT,
  isActive,
  RECOVERIES_SLOT,
  RECOVERY_VOTES_SLOT,
  readMemberHead,
  readMembersParameters,
} from './membersStorage.js'

type Args<N> = FunctionArgs<typeof membersAbi, N>

/** Guardianship { head; address[] guardians }. round: votes of an earlier one count no more. */
const guardianshipWord = packed({ threshold: 'uint8', round: 'uint32' })
/** readyAt: first block in which the candidate may take over; 0: the guardians have not agreed. */
const recoveryWord = packed({ candidate: 'address', readyAt: 'uint48' })
const voteWord = packed({ candidate: 'address', round: 'uint32', height: 'uint48' })

interface Guardianship {
  readonly threshold: number
  readonly round: number
  readonly guardians: readonly Address[]
}

const guardianshipSlot = (host: ContractHost, account: Address): Hash => mappingSlot(host, GUARDIANS_SLOT, account)
const recoverySlot = (host: ContractHost, account: Address): Hash => mappingSlot(host, RECOVERIES_SLOT, account)
const voteSlot = (host: ContractHost, account: Address, guardian: Address): Hash =>
  mappingSlot(host, mappingSlot(host, RECOVERY_VOTES_SLOT, account), guardian)

/** None and 0 to have no guardians any more. A recovery under way ends. */
export function setGuardians(host: ContractHost, { guardians, threshold }: Args<'setGuardians'>): undefined {
  const { account } = requireAccountKey(host)
  if (guardians.length > guardiansMax) {
    throw revert(abi, 'TooManyGuardians', { given: BigInt(guardians.length), guardiansMax: BigInt(guardiansMax) })
  }
  for (const [i, guardian] of guardians.entries()) {
    const fit = guardian !== account && guardians.indexOf(guardian) === i && isActive(readMemberHead(host, guardian))
    if (!fit) throw revert(abi, 'InvalidGuardian', { guardian })
  }
  if (threshold > guardians.length || (threshold === 0) !== (guardians.length === 0)) {
    throw revert(abi, 'InvalidThreshold', { threshold, guardians: BigInt(guardians.length) })
  }
  nextRound(host, account, threshold)
  storeWords(host, slotAfter(guardianshipSlot(host, account), 1), guardians.map(addressWord))
  emit(host, abi, 'GuardiansSet', { account, guardians, threshold })
  return undefined
}

export function guardiansOf(host: ContractHost, { account }: Args<'guardiansOf'>) {
  const { guardians, threshold } = readGuardianship(host, account)
  return { guardians, threshold }
}

/** A guardian names the new key, which has agreed; this is also its approval. It replaces what the same guardian approved before. */
export function startRecovery(host: ContractHost, { account, newSigner, proof }: Args<'startRecovery'>): undefined {
  const { guardianship, guardian } = requireGuardian(host, account)
  requireConsent(host, account, newSigner, SIGNER_KIND.account, proof)
  emit(host, abi, 'RecoveryStarted', { account, newSigner, guardian })
  vote(host, account, guardianship, guardian, newSigner)
  return undefined
}

export function approveRecovery(host: ContractHost, { account, newSigner }: Args<'approveRecovery'>): undefined {
  const { guardianship, guardian } = requireGuardian(host, account)
  const supporters = supportersOf(host, account, guardianship, newSigner)
  if (supporters.length === 0) throw revert(abi, 'NoRecovery', { account })
  if (supporters.includes(guardian)) throw revert(abi, 'RecoveryApprovedBefore', { account, guardian })
  vote(host, account, guardianship, guardian, newSigner)
  return undefined
}

/** The account's key is in its member's hands after all. */
export function stopRecovery(host: ContractHost): undefined {
  const { account } = requireAccountKey(host)
  const guardianship = readGuardianship(host, account)
  if (guardianship.guardians.every((guardian) => candidateOf(host, account, guardianship, guardian) === ZERO_ADDRESS)) {
    throw revert(abi, 'NoRecovery', { account })
  }
  nextRound(host, account, guardianship.threshold)
  emit(host, abi, 'RecoveryStopped', { account, by: host.caller })
  return undefined
}

/** Anyone may, once the delay is over and while enough guardians still stand by it. */
export function finishRecovery(host: ContractHost, { account }: Args<'finishRecovery'>): undefined {
  const { candidate, readyAt } = recoveryWord.read(host.load(recoverySlot(host, account)))
  if (readyAt === 0) throw revert(abi, 'NoRecovery', { account })
  if (host.block.number < readyAt) throw revert(abi, 'RecoveryTooEarly', { account, readyAt: BigInt(readyAt) })
  requireRecoverable(host, account)
  const guardianship = readGuardianship(host, account)
  const given = supportersOf(host, account, guardianship, candidate).length
  const needed = guardianship.threshold
  if (given < needed) throw revert(abi, 'TooFewGuardians', { account, given, needed })
  requireUnused(host, candidate)
  nextRound(host, account, needed)
  replaceAccountKey(host, account, candidate)
  emit(host, abi, 'RecoveryFinished', { account, newSigner: candidate })
  return undefined
}

/** newSigner is zero when nothing is under way, readyAt 0 while the guardians have not agreed. */
export function recoveryOf(host: ContractHost, { account }: Args<'recoveryOf'>) {
  const guardianship = readGuardianship(host, account)
  const { candidate, readyAt } = recoveryWord.read(host.load(recoverySlot(host, account)))
  const votes = guardianship.guardians.map((guardian) => candidateOf(host, account, guardianship, guardian))
  const newSigner = readyAt === 0 ? (votes.find((vote) => vote !== ZERO_ADDRESS) ?? ZERO_ADDRESS) : candidate
  const approvals = guardianship.guardians.filter((_, i) => newSigner !== ZERO_ADDRESS && votes[i] === newSigner)
  return { newSigner, readyAt: BigInt(readyAt), approvals, needed: guardianship.threshold }
}

function vote(
  host: ContractHost,
  account: Address,
  guardianship: Guardianship,
  guardian: Address,
  candidate: Address,
): void {
  const { round, threshold } = guardianship
  host.store(voteSlot(host, account, guardian), voteWord.write({ candidate, round, height: host.block.number }))
  const approvals = supportersOf(host, account, guardianship, candidate).length
  emit(host, abi, 'RecoveryApproved', { account, newSigner: candidate, guardian, approvals, needed: threshold })
  const ready = recoveryWord.read(host.load(recoverySlot(host, account)))
  if (approvals < threshold || (ready.readyAt !== 0 && ready.candidate === candidate)) return
  const readyAt = host.block.number + readMembersParameters(host).recoveryDelayBlocks
  host.store(recoverySlot(host, account), recoveryWord.write({ candidate, readyAt }))
  emit(host, abi, 'RecoveryReady', { account, newSigner: candidate, readyAt: BigInt(readyAt) })
}

/** Active guardians whose vote is for this key. */
function supportersOf(host: ContractHost, account: Address, guardianship: Guardianship, candidate: Address): Address[] {
  return guardianship.guardians.filter((guardian) => candidateOf(host, account, guardianship, guardian) === candidate)
}

/** The key for which a guardian's vote counts now; ZERO_ADDRESS: none. */
function candidateOf(host: ContractHost, account: Address, { round }: Guardianship, guardian: Address): Address {
  host.charge(GAS_STEP)
  const vote = voteWord.read(host.load(voteSlot(host, account, guardian)))
  const { recoveryDelayBlocks, decisionBlocksMax } = readMembersParameters(host)
  const lapsed = host.block.number > vote.height + recoveryDelayBlocks + decisionBlocksMax
  const counts = vote.round === round && !lapsed && isActive(readMemberHead(host, guardian))
  return counts ? vote.candidate : ZERO_ADDRESS
}

function requireGuardian(host: ContractHost, account: Address) {
  requireRecoverable(host, account)
  const guardianship = readGuardianship(host, account)
  const guardian = actingMember(host)
  const active = isActive(readMemberHead(host, guardian))
  if (!active || !guardianship.guardians.includes(guardian))
    throw revert(abi, 'NotGuardian', { account, caller: host.caller })
  return { guardianship, guardian }
}

function requireRecoverable(host: ContractHost, account: Address): void {
  const { role, status } = readMemberHead(host, account)
  if (role === 0) throw revert(abi, 'UnknownMember', { account })
  if (status === STATUS.revoked) throw revert(abi, 'MemberRevoked', { account })
}

function readGuardianship(host: ContractHost, account: Address): Guardianship {
  const slot = guardianshipSlot(host, account)
  const { threshold, round } = guardianshipWord.read(host.load(slot))
  return { threshold, round, guardians: loadWords(host, slotAfter(slot, 1)).map(wordAddress) }
}

/** Votes so far count no more, and no recovery is ready. Rounds begin at 1: an empty vote belongs to none. */
function nextRound(host: ContractHost, account: Address, threshold: number): void {
  const { round } = readGuardianship(host, account)
  host.store(guardianshipSlot(host, account), guardianshipWord.write({ threshold, round: round + 1 }))
  host.store(recoverySlot(host, account), recoveryWord.write({ candidate: ZERO_ADDRESS, readyAt: 0 }))
}

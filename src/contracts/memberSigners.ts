/**
 * The keys of a member: its account's own, the one that has replaced it, and further nodes and services. The account stays the
 * name under which everybody knows the member; a key acts for one member only, and once removed never again, so that what it signed stays
 * attributable.
 */
import { type Address, type Hash, ZERO_ADDRESS } from '../core/bytes.js'
import { signersMax } from '../core/limits.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import {
  addressWord,
  arrayLength,
  arraySlot,
  mappingSlot,
  numberWord,
  packed,
  pushWord,
  slotAfter,
  storeWords,
  wordNumber,
} from '../vm/storage.js'
import { SIGNER_KIND } from './codes.js'
import type { membersAbi } from './members.abi.js'
import {
  ACCOUNT_KEYS_SLOT,
  type Actor,
  membersInterface as abi,
  acting,
  isAccountKey,
  isActive,
  memberHead,
  memberSlot,
  readMemberHead,
  readSigner,
  readSigners,
  SIGNER_LISTS_SLOT,
  signerHead,
  signerSlot,
} from './membersStorage.js'
import { signerConsentDigest } from './signerConsent.js'

type Args<N> = FunctionArgs<typeof membersAbi, N>

/** One key in the history of an account, and the block since which it is the account's. */
const accountKeyWord = packed({ signer: 'address', from: 'uint48' })

const accountKeysSlot = (host: ContractHost, account: Address): Hash => mappingSlot(host, ACCOUNT_KEYS_SLOT, account)

/** The active member whose account key the caller is; keys, guardians and the like are changed by it alone. */
export function requireAccountKey(host: ContractHost): Actor {
  const actor = acting(host)
  if (!isActive(actor.head)) throw revert(abi, 'NotActiveMember', { account: host.caller })
  if (actor.account !== host.caller && !isAccountKey(host, host.caller)) {
    throw revert(abi, 'NotAccountKey', { signer: host.caller })
  }
  return actor
}

/** A further node or service of the caller's member. */
export function addSigner(host: ContractHost, { signer, kind, proof }: Args<'addSigner'>): undefined {
  const { account } = requireAccountKey(host)
  if (kind !== SIGNER_KIND.node && kind !== SIGNER_KIND.service) throw revert(abi, 'InvalidKind', { kind })
  if (readSigners(host, account).length >= signersMax) {
    throw revert(abi, 'TooManySigners', { signersMax: BigInt(signersMax) })
  }
  requireConsent(host, account, signer, kind, proof)
  storeSigner(host, account, signer, kind)
  emit(host, abi, 'SignerAdded', { account, signer, kind })
  return undefined
}

/** By the member, or by the key itself, which may always stop. */
export function removeSigner(host: ContractHost, { signer }: Args<'removeSigner'>): undefined {
  const { account } = signer === host.caller ? acting(host) : requireAccountKey(host)
  const { member, kind, retired } = readSigner(host, signer)
  if (member !== account || retired || kind === SIGNER_KIND.account) throw revert(abi, 'UnknownSigner', { signer })
  retire(host, account, signer)
  emit(host, abi, 'SignerRemoved', { account, signer, by: host.caller })
  return undefined
}

export function rotateAccountKey(host: ContractHost, { newSigner, proof }: Args<'rotateAccountKey'>): undefined {
  const { account } = requireAccountKey(host)
  requireConsent(host, account, newSigner, SIGNER_KIND.account, proof)
  replaceAccountKey(host, account, newSigner)
  return undefined
}

/** From the next transaction on the former key acts no more, the new one does. */
export function replaceAccountKey(host: ContractHost, account: Address, newSigner: Address): void {
  const former = accountKeyOf(host, account)
  const from = host.block.number
  if (former === account) {
    const head = readMemberHead(host, account)
    host.store(memberSlot(host, account), memberHead.write({ ...head, keyUntil: from }))
  } else {
    retire(host, account, former)
  }
  storeSigner(host, account, newSigner, SIGNER_KIND.account)
  pushWord(host, accountKeysSlot(host, account), accountKeyWord.write({ signer: newSigner, from }))
  emit(host, abi, 'AccountKeyRotated', { account, signer: newSigner, former })
}

/** The key must be unused and have agreed. Reverts with SignerTaken or InvalidProof. */
export function requireConsent(
  host: ContractHost,
  member: Address,
  signer: Address,
  kind: number,
  proof: Uint8Array,
): void {
  requireUnused(host, signer)
  const consent = { chainId: host.block.chainId, member, signer, kind }
  const digest = signerConsentDigest(consent, (bytes) => host.keccak(bytes))
  if (proof.length !== 65 || host.recover(digest, withParity(proof)) !== signer) {
    throw revert(abi, 'InvalidProof', { signer })
  }
}

/** No member's account, and never one of anybody's keys. */
export function requireUnused(host: ContractHost, signer: Address): void {
  const used = signer === ZERO_ADDRESS || readMemberHead(host, signer).role !== 0 || isSignerKnown(host, signer)
  if (used) throw revert(abi, 'SignerTaken', { signer })
}

export const isSignerKnown = (host: ContractHost, signer: Address): boolean => readSigner(host, signer).kind !== 0

/** Wallets write the parity as 27 or 28. */
function withParity(signature: Uint8Array): Uint8Array {
  const last = signature[64]!
  if (last !== 27 && last !== 28) return signature
  const own = Uint8Array.from(signature)
  own[64] = last - 27
  return own
}

/** The key that has full power over the account now. */
export function accountKeyOf(host: ContractHost, account: Address): Address {
  const count = arrayLength(host, accountKeysSlot(host, account))
  return count === 0 ? account : accountKeyAt(host, account, count - 1).signer
}

/** The account's key at the end of block `height`, by halving; ZERO_ADDRESS before the member was registered. */
export function signerAt(host: ContractHost, { account, height }: Args<'signerAt'>): Address {
  const { role, since } = readMemberHead(host, account)
  if (role === 0) throw revert(abi, 'UnknownMember', { account })
  if (height < since) return ZERO_ADDRESS
  let below = 0
  let above = arrayLength(host, accountKeysSlot(host, account))
  while (below < above) {
    host.charge(GAS_STEP)
    const middle = (below + above) >> 1
    if (BigInt(accountKeyAt(host, account, middle).from) <= height) below = middle + 1
    else above = middle
  }
  return below === 0 ? account : accountKeyAt(host, account, below - 1).signer
}

function accountKeyAt(host: ContractHost, account: Address, index: number) {
  return accountKeyWord.read(host.load(slotAfter(arraySlot(host, accountKeysSlot(host, account)), index)))
}

/** For whom a key acts or acted, and in which blocks: from `from` on, and until `until` unless that is 0. kind 0: for nobody. */
export function signerOf(host: ContractHost, { signer }: Args<'signerOf'>) {
  const { role, since, keyUntil } = readMemberHead(host, signer)
  if (role !== 0) return { account: signer, kind: SIGNER_KIND.account, from: since, until: BigInt(keyUntil) }
  const { member, kind, from } = readSigner(host, signer)
  const until = wordNumber(host.load(slotAfter(signerSlot(host, signer), 1)))
  return { account: member, kind, from: BigInt(from), until: BigInt(until) }
}

/** Keys that act for a member beside its account's own. */
export function signersOf(host: ContractHost, { account }: Args<'signersOf'>) {
  return readSigners(host, account).map((signer) => {
    const { kind, from } = readSigner(host, signer)
    return { signer, kind, from: BigInt(from) }
  })
}

function storeSigner(host: ContractHost, member: Address, signer: Address, kind: number): void {
  const from = host.block.number
  host.store(signerSlot(host, signer), signerHead.write({ member, kind, retired: false, from }))
  pushWord(host, mappingSlot(host, SIGNER_LISTS_SLOT, member), addressWord(signer))
}

function retire(host: ContractHost, account: Address, signer: Address): void {
  const slot = signerSlot(host, signer)
  host.store(slot, signerHead.write({ ...readSigner(host, signer), retired: true }))
  host.store(slotAfter(slot, 1), numberWord(host.block.number))
  const rest = readSigners(host, account).filter((other) => other !== signer)
  storeWords(host, mappingSlot(host, SIGNER_LISTS_SLOT, account), rest.map(addressWord))
}

/**
 * Contract `credentials`: certificates and bills from issue to their end. The content stays with issuer and holder; the chain
 * holds its hash and its state:
 *
 *   issue -> valid <-> suspended      by the issuer
 *            valid  -> redeemed       by the holder: a bill is used once
 *            valid, suspended -> revoked
 *
 * Expiry needs no transaction: a valid credential outside its period is shown as not yet valid or expired.
 */
import { type Address, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../core/bytes.js'
import { memberNameBytesMax } from '../core/limits.js'
import { type ContractHost, defineContract, emit, revert } from '../vm/contract.js'
import { numberWord } from '../vm/storage.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { CREDENTIAL_STATE as STATE } from './codes.js'
import {
  credentialsInterface as abi,
  issuerSlot,
  openCredential,
  openType,
  readCredential,
  readType,
  type StoredCredential,
  storeCredential,
  storeType,
} from './credentialsStorage.js'
import { actingMember, isActive, readMemberHead } from './membersStorage.js'
import { isTextId } from './textId.js'

export { credentialsInterface } from './credentialsStorage.js'

/** Where each state may go. */
const NEXT: Readonly<Record<number, readonly number[]>> = {
  [STATE.valid]: [STATE.suspended, STATE.revoked, STATE.redeemed],
  [STATE.suspended]: [STATE.valid, STATE.revoked],
}

export const credentials = defineContract({
  name: 'credentials',
  version: 1,
  address: CONTRACT_ADDRESSES.credentials,
  abi,
  functions: {
    /** Names a kind of credential; who names it issues it and says who else may. */
    defineType(host, { typeId, transferable, name }) {
      const owner = requireMember(host)
      if (!isTextId(typeId)) throw revert(abi, 'InvalidType', { typeId })
      const bytesLength = Buffer.byteLength(name, 'utf8')
      if (bytesLength < 1 || bytesLength > memberNameBytesMax) {
        throw revert(abi, 'InvalidName', { bytesLength: BigInt(bytesLength), bytesMax: BigInt(memberNameBytesMax) })
      }
      if (readType(host, typeId) !== undefined) throw revert(abi, 'TypeExists', { typeId })
      storeType(host, typeId, { owner, transferable, name })
      emit(host, abi, 'TypeDefined', { typeId, owner, transferable, name })
      return undefined
    },

    setIssuer(host, { typeId, issuer, allowed }) {
      const account = requireMember(host)
      if (openType(host, typeId).owner !== account) throw revert(abi, 'NotTypeOwner', { account, typeId })
      host.store(issuerSlot(host, typeId, issuer), numberWord(Number(allowed)))
      emit(host, abi, 'IssuerSet', { typeId, issuer, allowed })
      return undefined
    },

    issue(host, { id, typeId, holder, subject, contentHash, validFrom, validUntil }) {
      const issuer = requireMember(host)
      if (!mayIssue(host, typeId, issuer)) throw revert(abi, 'NotIssuer', { account: issuer, typeId })
      if (id === ZERO_HASH || contentHash === ZERO_HASH) throw revert(abi, 'ZeroHash', {})
      if (validUntil !== 0n && validUntil <= validFrom) throw revert(abi, 'InvalidPeriod', { validFrom, validUntil })
      if (readCredential(host, id) !== undefined) throw revert(abi, 'CredentialExists', { id })
      const height = BigInt(host.block.number)
      const state = { state: STATE.valid, stateSince: height, reason: ZERO_HASH }
      const what = { typeId, issuer, holder, subject, contentHash }
      storeCredential(host, id, { ...what, ...state, issuedAt: height, validFrom, validUntil })
      emit(host, abi, 'CredentialIssued', { id, typeId, issuer, holder, subject })
      return undefined
    },

    suspend: (host, { id, reason }) => change(host, id, STATE.suspended, reason, requireIssuer),
    reinstate: (host, { id, reason }) => change(host, id, STATE.valid, reason, requireIssuer),
    revoke: (host, { id, reason }) => change(host, id, STATE.revoked, reason, requireIssuer),

    /** Hands a bill on; only while it is valid. */
    transfer(host, { id, to }) {
      const credential = openCredential(host, id)
      const from = requireHolder(host, id, credential)
      if (!openType(host, credential.typeId).transferable) {
        throw revert(abi, 'NotTransferable', { typeId: credential.typeId })
      }
      requireState(host, id, credential, STATE.valid)
      if (!isActive(readMemberHead(host, to))) throw revert(abi, 'NotActiveMember', { account: to })
      storeCredential(host, id, { ...credential, holder: to })
      emit(host, abi, 'CredentialTransferred', { id, from, to })
      return undefined
    },

    /** The holder uses it up: a bill cannot be reimbursed twice. */
    redeem: (host, { id, reason }) => {
      requireState(host, id, openCredential(host, id), STATE.valid)
      return change(host, id, STATE.redeemed, reason, requireHolder)
    },

    /** valid: it is in force now and says what the presented content says. */
    verifyCredential(host, { id, contentHash }) {
      const credential = openCredential(host, id)
      const state = stateNow(host, credential)
      const contentMatches = credential.contentHash === contentHash
      return { valid: state === STATE.valid && contentMatches, state, contentMatches }
    },

    credentialOf(host, { id }) {
      const credential = openCredential(host, id)
      return { ...credential, state: stateNow(host, credential) }
    },

    typeOf: (host, { typeId }) => openType(host, typeId),

    mayIssue: (host, { typeId, issuer }) => mayIssue(host, typeId, issuer),
  },
})

function change(
  host: ContractHost,
  id: Hash,
  state: number,
  reason: Hash,
  requireRight: (host: ContractHost, id: Hash, credential: StoredCredential) => Address,
): undefined {
  const credential = openCredential(host, id)
  const by = requireRight(host, id, credential)
  if (!NEXT[credential.state]?.includes(state)) throw revert(abi, 'WrongState', { id, state: credential.state })
  storeCredential(host, id, { ...credential, state, stateSince: BigInt(host.block.number), reason })
  emit(host, abi, 'CredentialStateChanged', { id, state, by, reason })
  return undefined
}

/** With expiry. validFrom and validUntil are seconds since 1970; validUntil 0: for good. */
function stateNow(host: ContractHost, { state, validFrom, validUntil }: StoredCredential): number {
  if (state !== STATE.valid) return state
  const now = BigInt(host.block.timestamp)
  if (now < validFrom) return STATE.notYetValid
  return validUntil !== 0n && now >= validUntil ? STATE.expired : STATE.valid
}

function requireState(host: ContractHost, id: Hash, credential: StoredCredential, wanted: number): void {
  const state = stateNow(host, credential)
  if (state !== wanted) throw revert(abi, 'WrongState', { id, state })
}

function mayIssue(host: ContractHost, typeId: Hash, issuer: Address): boolean {
  return openType(host, typeId).owner === issuer || host.load(issuerSlot(host, typeId, issuer)) !== ZERO_HASH
}

function requireMember(host: ContractHost): Address {
  const account = actingMember(host)
  if (!isActive(readMemberHead(host, account))) throw revert(abi, 'NotActiveMember', { account })
  return account
}

/** The type's owner answers for issuers that are gone. */
function requireIssuer(host: ContractHost, id: Hash, { issuer, typeId }: StoredCredential): Address {
  const account = requireMember(host)
  if (account !== issuer && account !== openType(host, typeId).owner) {
    throw revert(abi, 'NotCredentialIssuer', { account, id })
  }
  return account
}

function requireHolder(host: ContractHost, id: Hash, { holder }: StoredCredential): Address {
  const account = requireMember(host)
  if (holder === ZERO_ADDRESS || account !== holder) throw revert(abi, 'NotHolder', { account, id })
  return account
}

/** Members of a group in contract tests: they hold exponents and take part in agreements by transaction. */

import { CONTRACT_ADDRESSES } from '../../src/contracts/addresses.js'
import { groupIdOf, rosterOf } from '../../src/contracts/groupId.js'
import { type Address, type Hash, toHash } from '../../src/core/bytes.js'
import {
  type Contribution,
  type GroupContext,
  groupExponent,
  groupLink,
  groupSecret,
  groupShare,
} from '../../src/crypto/groupKey.js'
import { groupKeyPair } from '../../src/crypto/groupKeyPair.js'
import { CHAIN_ID, type Logged, type World } from './world.js'

export class GroupMembers {
  readonly roster: readonly Address[]
  readonly group: Address

  constructor(
    readonly world: World,
    departments: readonly Address[],
    readonly attribute: Hash,
  ) {
    this.roster = rosterOf(departments)
    this.group = groupIdOf(departments)
  }

  get state() {
    return this.world.view('keyAgreement', 'groupOf', { group: this.group })
  }

  get attempt() {
    return this.world.view('keyAgreement', 'attemptOf', { group: this.group, attempt: this.state.attempt })
  }

  get context(): GroupContext {
    const { contract, roster } = { contract: CONTRACT_ADDRESSES.keyAgreement, roster: this.roster }
    return { chainId: CHAIN_ID, contract, roster, epoch: this.attempt.keyEpoch, attempt: this.state.attempt }
  }

  /** Of this member in the present attempt. */
  exponent(member: Address): Uint8Array {
    const seed = this.roster.indexOf(member) + 16 * this.state.attempt
    return groupExponent(Uint8Array.from({ length: 64 }, (_, i) => (seed * 29 + i * 5 + 1) & 255))
  }

  share = (member: Address): Contribution => groupShare(this.context, member, this.exponent(member))

  link = (member: Address): Contribution =>
    groupLink(this.context, member, this.exponent(member), this.attempt.shares as Hash[])

  key(member: Address) {
    const shares = this.attempt.shares as Hash[]
    const links = this.attempt.links as Hash[]
    const secret = groupSecret(this.context, member, this.exponent(member), shares, links)
    return groupKeyPair(this.context, shares, links, secret)
  }

  start(by = this.roster[0]!, roundBlocks = 50): Logged[] {
    return this.world.must('keyAgreement', by, 'startAgreement', { attribute: this.attribute, roundBlocks })
  }

  #args() {
    return { group: this.group, attempt: this.state.attempt }
  }

  postShare(member: Address, share = this.share(member)): Logged[] {
    return this.world.must('keyAgreement', member, 'postShare', { ...this.#args(), share })
  }

  postLink(member: Address, link = this.link(member)): Logged[] {
    return this.world.must('keyAgreement', member, 'postLink', { ...this.#args(), link })
  }

  confirm(member: Address, publicKey = toHash(this.key(member).publicKey)): Logged[] {
    return this.world.must('keyAgreement', member, 'confirmKey', { ...this.#args(), publicKey })
  }

  abort(by: Address): Logged[] {
    return this.world.must('keyAgreement', by, 'abortAgreement', this.#args())
  }

  /** A whole agreement without faults. */
  agree(): Hash {
    this.start()
    for (const member of this.roster) this.postShare(member)
    for (const member of this.roster) this.postLink(member)
    for (const member of this.roster) this.confirm(member)
    return this.state.publicKey
  }

  /** Passes the deadline of the present round. */
  outwait(): void {
    this.world.number = Number(this.attempt.deadline) + 1
  }
}

/** Who may ask whom for what: the agreement that the contracts keep on a chain, kept as a file by every department. */
import { BASIS, ROLE } from '../../src/contracts/codes.js'
import { type Profiles, profilesByName } from '../../src/contracts/dataFunctions.js'
import type { GenesisConfig, GenesisMember } from '../../src/contracts/genesisTypes.js'
import { type Address, ZERO_HASH } from '../../src/core/bytes.js'
import { Refusal, type WireQuestion } from './wire.js'

export class Register {
  readonly chainId: number
  /** The data portrait library. */
  readonly profiles: Profiles
  readonly #members: ReadonlyMap<Address, GenesisMember>

  constructor({ chainId, members, attributes }: GenesisConfig) {
    this.chainId = chainId
    this.profiles = profilesByName(attributes)
    this.#members = new Map(members.map((member) => [member.address, member]))
  }

  member(address: Address): GenesisMember | undefined {
    return this.#members.get(address)
  }

  /** The checks of the contract's requestVerification on a question to `self`, in its order. Throws Refusal. */
  check(question: WireQuestion, self: Address): void {
    const asker = this.member(question.asker)
    if (asker === undefined) throw new Refusal('NOT_A_MEMBER', `${question.asker} is no member`)
    if (this.member(self)?.role !== ROLE.department) throw new Refusal('NOT_SUPERVISOR', `${self} is no department`)
    const seen = new Set<string>()
    for (const { attribute, digest } of question.items) {
      if (seen.has(attribute)) throw new Refusal('MALFORMED', `${attribute} is asked for twice`)
      seen.add(attribute)
      if (digest === ZERO_HASH) throw new Refusal('MALFORMED', `${attribute} has no digest`)
      const profile = this.profiles.get(attribute)
      if (!profile?.supervisors.includes(self)) {
        throw new Refusal('NOT_SUPERVISOR', `${attribute} is not supervised here`)
      }
      const { askerRoles, basis } = profile.rule
      if ((askerRoles & (1 << asker.role)) === 0) {
        throw new Refusal('NOT_ALLOWED', `${asker.name} may not ask for ${attribute}`)
      }
      if (basis === BASIS.required && question.basis === undefined) {
        throw new Refusal('BASIS_REQUIRED', `${attribute} is answered on a legal basis only: name it`)
      }
    }
  }

  /** Distinct values that one asker may try for one enterprise and attribute; 0: no limit. */
  budgetOf(attribute: string): number {
    return this.profiles.get(attribute)?.rule.digestBudget ?? 0
  }
}

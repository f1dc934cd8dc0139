/** Checks signatures before the core sees a message, as the shell does; planted bugs of the shell live here. */
import { verifyCertificate } from '../consensus/certificate.js'
import type { Engine } from '../consensus/engine.js'
import type { Certificate, ConsensusMessage, SealerSet, SignedVote } from '../consensus/types.js'
import type { Disk } from './disk.js'
import type { World } from './world.js'

export class SimInbox {
  constructor(
    private readonly world: World,
    private readonly engine: Engine,
    private readonly disk: Disk,
  ) {}

  /** Whether every signature that counts in `message` is by whom it should be. */
  holdsMessage(message: ConsensusMessage): boolean {
    if (message.type === 'vote') return this.holdsVote(message.vote)
    if (message.type === 'certificate') return this.holds(message.certificate)
    if (message.type !== 'proposal') return true
    if (!this.holdsVote(message.vote) || !this.engine.setOf(message.vote.epoch)) return false
    return message.justification.every(
      (certificate) => !this.engine.needsCertificate(certificate) || this.holds(certificate),
    )
  }

  private holdsVote(vote: SignedVote): boolean {
    return this.world.keys.recover(vote, vote.signature) === vote.signer
  }

  holds(certificate: Certificate): boolean {
    const { bug } = this.world.scenario
    const set =
      this.engine.setOf(certificate.epoch) ?? (bug === 'stale-certificate' ? this.olderSet(certificate) : null)
    if (!set) return false
    if (bug === 'duplicate-signers' || bug === 'head-count' || bug === 'majority-quorum')
      return this.holdsCarelessly(set, certificate)
    return verifyCertificate(set, certificate, this.world.keys.recover) === null
  }

  private olderSet({ epoch }: Certificate): SealerSet | null {
    if (epoch === 0) return this.world.scenario.genesisSet
    return this.disk.chain.find(({ state }) => state.set.epoch === epoch)?.state.set ?? null
  }

  /** Planted bugs: a simple majority, heads in place of weights, or the same signer twice is enough. */
  private holdsCarelessly(set: SealerSet, { signers, ...certificate }: Certificate): boolean {
    const { bug } = this.world.scenario
    const counted = bug === 'duplicate-signers' ? signers : [...new Set(signers)]
    const power = (index: number) => (bug === 'head-count' ? 1 : (set.sealers[index]?.weight ?? 0))
    const total = set.sealers.reduce((sum, _, index) => sum + power(index), 0)
    const agreed = counted.reduce((sum, index) => sum + power(index), 0)
    const enough = bug === 'majority-quorum' ? 2 * agreed > total : 3 * agreed > 2 * total
    const { recover } = this.world.keys
    return (
      enough && signers.every((i, k) => recover(certificate, certificate.signatures[k]!) === set.sealers[i]?.address)
    )
  }
}

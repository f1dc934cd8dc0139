/** Checks signatures before the core sees a message, as the shell does; planted bugs of the shell live here. */
import { verifyCertificate } from '../../src/consensus/certificate.js'
import type { Engine } from '../../src/consensus/engine.js'
import type { Certificate, ConsensusMessage, SealerSet } from '../../src/consensus/types.js'
import type { World } from './world.js'

export class SimInbox {
  constructor(
    private readonly world: World,
    private readonly engine: Engine,
  ) {}

  /** The message with its signatures verified, or null. */
  verified(message: ConsensusMessage): ConsensusMessage | null {
    const { keys } = this.world
    if (message.type === 'vote')
      return keys.recover(message.vote, message.vote.signature) === message.vote.signer ? message : null
    if (message.type === 'certificate') return this.holds(message.certificate) ? message : null
    if (message.type !== 'proposal') return message
    if (keys.recover(message.vote, message.vote.signature) !== message.vote.signer) return null
    if (!this.engine.setOf(message.vote.epoch)) return null
    const needed = message.justification.filter((certificate) => this.engine.needsCertificate(certificate))
    return needed.every((certificate) => this.holds(certificate))
      ? { ...message, justification: message.justification }
      : null
  }

  holds(certificate: Certificate): boolean {
    const set = this.engine.setOf(certificate.epoch)
    if (!set) return false
    if (this.world.scenario.bug === 'duplicate-signers') return this.holdsCarelessly(set, certificate)
    if (this.world.scenario.bug === 'majority-quorum') {
      const weight = certificate.signers.reduce((sum, i) => sum + (set.sealers[i]?.weight ?? 0), 0)
      return 2 * weight > set.sealers.reduce((sum, sealer) => sum + sealer.weight, 0)
    }
    return verifyCertificate(set, certificate, this.world.keys.recover) === null
  }

  /** Planted bug: the same signer may be counted twice. */
  private holdsCarelessly(set: SealerSet, certificate: Certificate): boolean {
    const total = set.sealers.reduce((sum, sealer) => sum + sealer.weight, 0)
    const weight = certificate.signers.reduce((sum, i) => sum + (set.sealers[i]?.weight ?? 0), 0)
    return (
      3 * weight > 2 * total &&
      certificate.signers.every(
        (i, k) => this.world.keys.recover(certificate, certificate.signatures[k]!) === set.sealers[i]?.address,
      )
    )
  }
}

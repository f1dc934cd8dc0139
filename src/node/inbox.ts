/**
 * Where a peer's consensus frame is decoded and its signatures are checked, before the core sees it. The verdict carries
 * its consequence: accepted messages go to the core, redundant ones are dropped, faults count against the peer.
 */
import { type RecoverVote, verifyCertificate } from '../consensus/certificate.js'
import { decodeMessage } from '../consensus/codec.js'
import type { Engine } from '../consensus/engine.js'
import type { Certificate, ConsensusMessage, Proposal, SealedBlock, SignedVote } from '../consensus/types.js'
import type { Address } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'
import { readBody } from './sealedBlock.js'

export type InboxVerdict =
  | { readonly kind: 'accept'; readonly message: ConsensusMessage }
  | { readonly kind: 'ignore' }
  | { readonly kind: 'reject'; readonly fault: string }

export interface InboxNeeds {
  /** Reads a block and checks its seal. Throws CodedError. */
  readonly readBlock: (payload: Uint8Array) => SealedBlock
  readonly engine: Pick<Engine, 'needs' | 'needsCertificate' | 'setOf'>
  readonly recoverVote: RecoverVote
}

const IGNORE: InboxVerdict = { kind: 'ignore' }

export class Inbox {
  readonly #needs: InboxNeeds

  constructor(needs: InboxNeeds) {
    this.#needs = needs
  }

  accept(from: Address, frame: Uint8Array): InboxVerdict {
    let message: ConsensusMessage
    try {
      message = decodeMessage(frame, this.#needs.readBlock)
    } catch (error) {
      if (error instanceof CodedError) return { kind: 'reject', fault: `MALFORMED: ${error.message}` }
      throw error
    }
    if (!this.#needs.engine.needs(message)) return IGNORE
    const fault = this.#check(from, message)
    if (fault === 'later') return IGNORE
    return fault === undefined ? { kind: 'accept', message } : { kind: 'reject', fault }
  }

  #check(from: Address, message: ConsensusMessage): string | 'later' | undefined {
    switch (message.type) {
      case 'vote':
        return this.#checkVote(message.vote)
      case 'certificate':
        return this.#checkCertificate(message.certificate)
      case 'proposal':
        return this.#checkProposal(from, message)
      case 'block':
        return checkBody(message.block)
      default:
        return undefined
    }
  }

  /** Its own vote first: whoever wants the rest checked, which costs up to thousands of recoveries, has to be a sealer. */
  #checkProposal(from: Address, proposal: Proposal): string | 'later' | undefined {
    const { vote, block } = proposal
    const set = this.#needs.engine.setOf(vote.epoch)
    if (set === undefined) return 'later'
    if (vote.signer !== from) return `PROPOSAL_SENDER: by ${vote.signer}; only a proposer itself sends a proposal`
    if (!set.sealers.some((sealer) => sealer.address === from)) return `PROPOSAL_SENDER: ${from} is not a sealer`
    if (vote.kind !== 'notarize' || vote.block !== block.hash) return 'PROPOSAL_VOTE: not for the block proposed'
    const unsigned = this.#checkVote(vote)
    if (unsigned !== undefined) return unsigned
    for (const certificate of proposal.justification) {
      if (!this.#needs.engine.needsCertificate(certificate)) continue
      const fault = this.#checkCertificate(certificate)
      if (fault !== undefined) return fault
    }
    return checkBody(block)
  }

  #checkVote(vote: SignedVote): string | undefined {
    return this.#needs.recoverVote(vote, vote.signature) === vote.signer
      ? undefined
      : `VOTE_SIGNATURE: not signed by ${vote.signer}`
  }

  #checkCertificate(certificate: Certificate): string | 'later' | undefined {
    const set = this.#needs.engine.setOf(certificate.epoch)
    if (set === undefined) return 'later'
    const fault = verifyCertificate(set, certificate, this.#needs.recoverVote)
    return fault === null ? undefined : `${fault.code}: ${fault.message}`
  }
}

/** A body that is not the header's must not reach the core, which knows blocks by the hash of their headers alone. */
function checkBody(block: SealedBlock): string | undefined {
  try {
    readBody(block.payload)
    return undefined
  } catch (error) {
    if (error instanceof CodedError) return `${error.code}: ${error.message}`
    throw error
  }
}

/** Carries out what the consensus core decides: sends, builds, executes, commits, and says what came of it. */
import type { Logger } from 'pino'
import { encodeCertificate, encodeMessage } from '../consensus/codec.js'
import type { Effect, Input } from '../consensus/types.js'
import { EMPTY_BYTES } from '../core/bytes.js'
import { CHANNEL, type Network } from '../p2p/network.js'
import { type Blocks, verdictOf } from './blocks.js'
import type { Demand } from './demand.js'
import type { EvidenceReporter } from './evidence.js'
import type { FinalChain } from './finalChain.js'
import type { External, Work } from './loop.js'
import type { BlockSync } from './sync.js'

export interface CarrierNeeds {
  readonly network: Pick<Network, 'send' | 'broadcast'>
  readonly blocks: Blocks
  readonly chain: FinalChain
  readonly demand: Demand
  readonly sync: Pick<BlockSync, 'lagging'>
  readonly evidence: Pick<EvidenceReporter, 'report'>
  readonly push: (input: Input) => void
  readonly log: Logger
}

export class EffectCarrier {
  readonly #needs: CarrierNeeds

  constructor(needs: CarrierNeeds) {
    this.#needs = needs
  }

  /** Builds or executes a block; the core waits for the answer. */
  work(effect: Work): Input {
    return effect.type === 'verify' ? this.#verify(effect) : this.#build(effect)
  }

  /** Everything else. Throws when the node must not go on (R15). */
  carryOut(effect: External): void {
    const { network, demand, log } = this.#needs
    switch (effect.type) {
      case 'broadcast':
        network.broadcast(CHANNEL.consensus, encodeMessage(effect.message))
        return
      case 'send':
        network.send(effect.to, CHANNEL.consensus, encodeMessage(effect.message))
        return
      case 'commit':
        this.#commit(effect)
        return
      case 'tip':
        demand.setTip(effect.hash)
        this.#needs.push({ type: 'demand', wanted: demand.wanted })
        return
      case 'lagging':
        this.#needs.sync.lagging(effect.peer, effect.height)
        return
      case 'evidence':
        this.#needs.evidence.report(effect.first, effect.second)
        return
      case 'halt':
        if (effect.severity === 'stop-node') throw new Error(effect.reason)
        log.error({ reason: effect.reason }, 'this node stops voting')
        return
    }
  }

  #verify({ block, certified }: Extract<Work, { type: 'verify' }>): Input {
    const verdict = this.#needs.blocks.verify(block, certified)
    if (!verdict.ok)
      this.#needs.log.warn({ hash: block.hash, leader: block.leader, reason: verdict.reason }, 'proposed block refused')
    return { type: 'verified', hash: block.hash, verdict }
  }

  #build(effect: Extract<Work, { type: 'build' }>): Input {
    const { blocks, demand } = this.#needs
    const isHeartbeat = demand.building()
    const built = blocks.build({ ...effect, mayBeEmpty: effect.mayBeEmpty || isHeartbeat })
    if (built !== null) return { type: 'built', view: effect.view, block: built.sealed, verdict: verdictOf(built) }
    demand.declined()
    return { type: 'built', view: effect.view, block: null, verdict: { ok: true } }
  }

  #commit({ blocks, certificate }: Extract<Effect, { type: 'commit' }>): void {
    const { chain } = this.#needs
    const encoded = encodeCertificate(certificate)
    blocks.forEach((block, index) => {
      const candidate = this.#needs.blocks.candidate(block.hash)
      if (candidate === undefined) {
        // Range sync has committed it in the meantime.
        if (block.height <= chain.queued().height) return
        throw new Error(`final block ${block.height} ${block.hash} was not executed here`)
      }
      chain.commit(candidate, index === blocks.length - 1 ? encoded : EMPTY_BYTES).catch(() => {
        // Reported through `fatal`.
      })
    })
  }
}

/** A system under measurement whose network is replaced by a fresh one when it stands still. */
import type { Run } from '../harness/experiment.js'
import { abortable } from '../testbed/loops.js'
import type { Asker } from './queries.js'
import type { Side, System } from './side.js'
import { StandstillError } from './standstill.js'
import type { Submitting } from './submissions.js'
import { withTrouble } from './trouble.js'

/** Networks of one system in one experiment. */
export const NETWORKS_MAX = 3

export interface Preparation {
  /** Starts a network. */
  open(): Promise<Side>
  /** Before anything is measured on it: its members. */
  populate(side: Side, signal: AbortSignal): Promise<void>
  /** What the first query needs; not measured. */
  asker(side: Side, signal: AbortSignal): Promise<Asker>
  submitting(side: Side, signal: AbortSignal): Promise<Submitting>
}

export class Renewable {
  standstills = 0
  #side: Side | undefined
  #asker: Asker | undefined
  #submitting: Submitting | undefined
  #agents = true
  #awake = false

  constructor(
    readonly system: System,
    private readonly run: Run,
    private readonly preparation: Preparation,
  ) {}

  /** Starts the network and makes its members known to it. */
  open(): Promise<void> {
    return this.#renewing(async () => {})
  }

  /** `work` runs again from its beginning on a fresh network when this one stands still. */
  asking(work: (asker: Asker, signal: AbortSignal) => Promise<void>): Promise<void> {
    return this.#renewing(async (side, signal) => {
      this.#asker ??= await this.preparation.asker(side, signal)
      await work(this.#asker, signal)
    })
  }

  /** As `asking`. */
  submitting(work: (submitting: Submitting, signal: AbortSignal) => Promise<void>): Promise<void> {
    return this.#renewing(async (side, signal) => {
      this.#submitting ??= await this.preparation.submitting(side, signal)
      await work(this.#submitting, signal)
    })
  }

  /** Between its turns: a network that seals every second should not take time from one that is measured. */
  async rest(): Promise<void> {
    this.#awake = false
    await this.#side?.setActive(false)
  }

  /** For good: later networks run without agents as well. */
  async stopAgents(): Promise<void> {
    this.#agents = false
    this.#dropAsker()
    await this.#side?.stopAgents()
  }

  /** The present network. */
  get side(): Side {
    return this.#side!
  }

  async close(): Promise<void> {
    this.#dropAsker()
    this.#submitting = undefined
    const side = this.#side
    this.#side = undefined
    this.#awake = false
    await side?.close()
  }

  /** A network that failed is only closed: it may not answer. */
  async #renewing(work: (side: Side, signal: AbortSignal) => Promise<void>): Promise<void> {
    for (;;) {
      try {
        const side = this.#side ?? (await this.#fresh())
        return await side.unlessStandstill(this.run.signal, async (signal) => {
          if (!this.#awake) await abortable(side.setActive(true), signal)
          this.#awake = true
          await work(side, signal)
        })
      } catch (error) {
        const told = withTrouble(error, this.#side?.trouble() ?? '', this.run.signal)
        await this.close()
        if (!(told instanceof StandstillError)) throw told
        this.#count(told)
        if (this.standstills === NETWORKS_MAX) throw told
      }
    }
  }

  async #fresh(): Promise<Side> {
    this.run.check()
    const { open, populate } = this.preparation
    const side = await open()
    this.#side = side
    await side.unlessStandstill(this.run.signal, (signal) => populate(side, signal))
    if (!this.#agents) await side.stopAgents()
    return side
  }

  #count(error: StandstillError): void {
    this.standstills++
    const [first] = error.message.split('\n')
    this.run.note(
      `standstill ${this.standstills} (EIP-3436), network ${this.standstills} of at most ${NETWORKS_MAX} ended: ${first}`,
    )
  }

  #dropAsker(): void {
    this.#asker?.close()
    this.#asker = undefined
  }
}

/** Brings envelopes that this node took from their senders to the recipients' nodes, until each has acknowledged it. */
import type { Address } from '../../core/bytes.js'
import type { DeliveryChain } from './deliveryChain.js'
import { type EnvelopeId, type HeldEnvelope, idText } from './records.js'

const RETRY_MS = 250
const RETRY_MS_MAX = 30_000
/** Envelopes read from the disk and sent in one round. */
const ROUND_MAX = 64

interface Try {
  readonly held: HeldEnvelope
  readonly recipient: Address
  readonly tries: number
  readonly nextAt: number
  /** Since when this process has it, in ms. */
  readonly since: number
}

export interface Overdue {
  readonly recipient: Address
  readonly waiting: number
  readonly longestMs: number
}

export interface OutgoingNeeds {
  readonly chain: Pick<DeliveryChain, 'nodesOf'>
  /** Monotonic, in ms. */
  readonly now: () => number
  /** Sends the envelope's bytes to a node; false when they cannot be sent now. */
  readonly send: (held: HeldEnvelope, to: Address) => Promise<boolean>
}

export class Outgoing {
  readonly #needs: OutgoingNeeds
  readonly #tries = new Map<string, Try>()
  #running = false

  constructor(needs: OutgoingNeeds) {
    this.#needs = needs
  }

  /** Deliveries that no node of the recipient has acknowledged. */
  get waiting(): number {
    return this.#tries.size
  }

  /** For whom deliveries wait, the longest first; after a restart the time counts anew. */
  overdue(): readonly Overdue[] {
    const now = this.#needs.now()
    const found = new Map<Address, Overdue>()
    for (const { recipient, since } of this.#tries.values()) {
      const { waiting, longestMs } = found.get(recipient) ?? { waiting: 0, longestMs: 0 }
      found.set(recipient, { recipient, waiting: waiting + 1, longestMs: Math.max(longestMs, now - since) })
    }
    return [...found.values()].sort((a, b) => b.longestMs - a.longestMs)
  }

  /** Begins with whom the envelope has not reached. */
  add(held: HeldEnvelope): void {
    for (const recipient of waitingFor(held)) {
      const key = keyOf(held, recipient)
      const since = this.#needs.now()
      if (!this.#tries.has(key)) this.#tries.set(key, { held, recipient, tries: 0, nextAt: 0, since })
    }
  }

  acknowledged(id: EnvelopeId, recipient: Address): void {
    this.#tries.delete(keyOf(id, recipient))
  }

  drop({ slip, ...id }: HeldEnvelope): void {
    for (const recipient of slip.recipients) this.#tries.delete(keyOf(id, recipient))
  }

  /** A peer connected: everything may be tried at once, since it may be a recipient's node or lead to one. */
  hurry(): void {
    for (const [key, entry] of this.#tries) this.#tries.set(key, { ...entry, tries: 0, nextAt: 0 })
  }

  /** Sends what is due. */
  async round(): Promise<void> {
    if (this.#running) return
    this.#running = true
    try {
      const now = this.#needs.now()
      const due = [...this.#tries].filter(([, { nextAt }]) => nextAt <= now).slice(0, ROUND_MAX)
      for (const [key, entry] of due) await this.#try(key, entry)
    } finally {
      this.#running = false
    }
  }

  async #try(key: string, entry: Try): Promise<void> {
    const { held, recipient, tries } = entry
    const nodes = this.#needs.chain.nodesOf(recipient)
    const node = nodes[tries % Math.max(1, nodes.length)]
    const pauseMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(tries, 20))
    // An acknowledgement may come before the next line does.
    if (this.#tries.has(key)) this.#tries.set(key, { ...entry, tries: tries + 1, nextAt: this.#needs.now() + pauseMs })
    if (node !== undefined) await this.#needs.send(held, node)
  }
}

/** Recipients of which no node has acknowledged it. */
export function waitingFor({ outgoing, slip, receipts }: HeldEnvelope): readonly Address[] {
  return outgoing ? slip.recipients.filter((recipient) => !receipts.has(recipient)) : []
}

const keyOf = (id: EnvelopeId, recipient: Address): string => `${idText(id)} ${recipient}`

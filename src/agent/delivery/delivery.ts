/**
 * Port: how envelopes travel. `ledger` puts them into the transaction, `direct` hands them to the node and puts a reference
 * there. Everything else of a submission or question is the same.
 */
import { DELIVERY } from '../../contracts/codes.js'
import { isReference } from '../../contracts/envelopeReference.js'
import type { Address } from '../../core/bytes.js'

/** What became of an envelope that stands in, or is referred to by, a final transaction. */
export type Received =
  | { readonly state: 'here'; readonly envelope: Uint8Array }
  /** Not at this member's node yet. */
  | { readonly state: 'underWay'; readonly expiresAt: number }
  /** Erased or expired: it will not come. */
  | { readonly state: 'gone' }

export interface EnvelopeDelivery {
  /** What stands in the transaction for `envelope`; resolves when the transaction may be sent. */
  send(envelope: Uint8Array, recipient: Address): Promise<Uint8Array>
  /** The envelope of which `carried` stood in a final transaction of `sender`. */
  receive(carried: Uint8Array, sender: Address): Promise<Received>
}

/** As the paper does it (4.3): everyone's blocks hold the envelope. */
export const ledgerDelivery: EnvelopeDelivery = {
  send: async (envelope) => envelope,
  receive: async (carried) => ({ state: 'here', envelope: carried }),
}

/** Both ways. */
export class Deliveries {
  readonly #direct: EnvelopeDelivery

  constructor(direct: EnvelopeDelivery) {
    this.#direct = direct
  }

  /** By the rule's number. */
  of(delivery: number): EnvelopeDelivery {
    return delivery === DELIVERY.direct ? this.#direct : ledgerDelivery
  }

  /** By what stands in the transaction. */
  receive(carried: Uint8Array, sender: Address): Promise<Received> {
    return (isReference(carried) ? this.#direct : ledgerDelivery).receive(carried, sender)
  }
}

/** Delivery from node to node: the own node takes the envelope and brings it to the recipient's; see docs/delivery.md. */
import { decodeReference, encodeReference } from '../../contracts/envelopeReference.js'
import { type Address, fromHex, type Hex, toHex } from '../../core/bytes.js'
import { claimDigest, envelopeHash, slipDigest } from '../../crypto/envelopeSlip.js'
import type { RpcClient } from '../../rpc/client.js'
import { RpcError } from '../../rpc/errors.js'
import type { RpcEnvelopeStatus } from '../../rpc/wire.js'
import { AgentError } from '../agentError.js'
import type { EnvelopeDelivery, Received } from './delivery.js'

export interface DirectDeliveryOptions {
  /** How long the recipient's node is waited for; default 10,000. */
  readonly timeoutMs?: number
  /** When it has not acknowledged by then: `send` the transaction, since the node goes on trying, or `fail`. Default `send`. */
  readonly whenLate?: 'send' | 'fail'
  /** Blocks for which nodes keep the envelope; default 100,000. */
  readonly lifetimeBlocks?: number
}

export interface DirectDeliveryNeeds {
  readonly client: RpcClient
  readonly chainId: number
  /** Signs a digest with the member's key: 65 bytes. */
  readonly sign: (digest: Uint8Array) => Promise<Uint8Array>
}

/** How long one request to the node waits: less than its time limit. */
const REQUEST_MS = 4_000
const POLL_MS = 100

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const quantity = (value: number): Hex => `0x${value.toString(16)}`

export function createDirectDelivery(options: DirectDeliveryOptions, needs: DirectDeliveryNeeds): EnvelopeDelivery {
  return new DirectDelivery(options, needs)
}

class DirectDelivery implements EnvelopeDelivery {
  readonly #options: Required<DirectDeliveryOptions>
  readonly #needs: DirectDeliveryNeeds

  constructor(options: DirectDeliveryOptions, needs: DirectDeliveryNeeds) {
    this.#options = { timeoutMs: 10_000, whenLate: 'send', lifetimeBlocks: 100_000, ...options }
    this.#needs = needs
  }

  /** Throws AgentError NOT_DELIVERED, RpcError (the node refuses the envelope) or RpcClientError. */
  async send(envelope: Uint8Array, recipient: Address): Promise<Uint8Array> {
    const { client, chainId, sign } = this.#needs
    const { timeoutMs, lifetimeBlocks, whenLate } = this.#options
    const deadline = performance.now() + timeoutMs
    const expiresAt = Number(await client.call('eth_blockNumber')) + lifetimeBlocks
    const hash = envelopeHash(envelope)
    const slip = { hash, lengthBytes: envelope.length, expiresAt, recipients: [recipient] }
    const handed = {
      envelope: toHex(envelope),
      hash,
      expiresAt: quantity(expiresAt),
      recipients: slip.recipients,
      signature: toHex(await sign(slipDigest(chainId, slip))),
    }
    let status = await client.call('concordat_deliverEnvelope', handed, quantity(Math.min(timeoutMs, REQUEST_MS)))
    while (status.state === 'waiting' && performance.now() < deadline) {
      await pause(POLL_MS)
      status = await client.call('concordat_envelopeStatus', status.sender, hash)
    }
    if (!isTaken(status) || (status.state === 'waiting' && whenLate === 'fail')) throw notDelivered(status, recipient)
    return encodeReference({
      hash,
      lengthBytes: envelope.length,
      expiresAt: BigInt(expiresAt),
      carrier: status.carrier,
    })
  }

  async receive(carried: Uint8Array, sender: Address): Promise<Received> {
    const { client, chainId, sign } = this.#needs
    const { hash, expiresAt } = decodeReference(carried)
    const signature = toHex(await sign(claimDigest(chainId, sender, hash)))
    try {
      const found = await client.call('concordat_getEnvelope', sender, hash, signature)
      if (found === null) return { state: 'underWay', expiresAt: Number(expiresAt) }
      const envelope = fromHex(found, 'envelope')
      return envelopeHash(envelope) === hash ? { state: 'here', envelope } : { state: 'gone' }
    } catch (error) {
      // The node names the reason why it will never have it.
      if (error instanceof RpcError && typeof error.data === 'string' && GONE.has(error.data)) return { state: 'gone' }
      throw error
    }
  }
}

const GONE: ReadonlySet<string> = new Set(['ERASED', 'NOT_A_RECIPIENT'])

const isTaken = ({ state }: RpcEnvelopeStatus): boolean =>
  state === 'waiting' || state === 'delivered' || state === 'held'

function notDelivered({ state }: RpcEnvelopeStatus, recipient: Address): AgentError {
  const message = `the envelope for ${recipient} is ${state} at our node, not delivered: is the recipient's node up?`
  return new AgentError('NOT_DELIVERED', message)
}

/** Which envelopes a node takes. */
import type { Address } from '../../core/bytes.js'
import { envelopeBytesMax, envelopeLifetimeBlocksMax } from '../../core/limits.js'
import { envelopeHash, slipDigest } from '../../crypto/envelopeSlip.js'
import { recoverAddress } from '../../crypto/secp256k1.js'
import type { DeliveryChain } from './deliveryChain.js'
import { DeliveryError } from './deliveryError.js'
import type { SignedSlip } from './messages.js'
import type { EnvelopeId } from './records.js'

/** Member that signed the slip. Throws DeliveryError BAD_SIGNATURE. */
export function senderOf(chainId: number, slip: SignedSlip, chain: Pick<DeliveryChain, 'memberOf'>): Address {
  const signer = recoverAddress(slipDigest(chainId, slip), slip.signature)
  if (signer === null)
    throw new DeliveryError('BAD_SIGNATURE', 'the signature over the envelope fits no key: sign again')
  return chain.memberOf(signer)
}

/** Throws DeliveryError unless the envelope may be stored at this height. */
export function checkAdmission(sender: Address, slip: SignedSlip, body: Uint8Array, chain: DeliveryChain): void {
  checkBody(slip, body)
  const { expiresAt, recipients, hash } = slip
  if (!chain.isActive(sender))
    throw new DeliveryError('NOT_PERMITTED', `${sender} is no active member: register it first`)
  const stranger = recipients.find((recipient) => !chain.isActive(recipient))
  if (stranger !== undefined) throw new DeliveryError('BAD_RECIPIENTS', `${stranger} is no active member`)
  const height = chain.height()
  if (expiresAt <= height)
    throw new DeliveryError('EXPIRED', `expires at block ${expiresAt}, the chain is at ${height}`)
  if (expiresAt > height + envelopeLifetimeBlocksMax + CLOCK_BLOCKS) {
    const message = `expires at block ${expiresAt}: at most ${envelopeLifetimeBlocksMax} blocks after the last one`
    throw new DeliveryError('EXPIRES_TOO_LATE', message)
  }
  const id: EnvelopeId = { sender, hash }
  if (chain.announced(id)?.erasureAsked) throw new DeliveryError('ERASED', `the owner of ${hash} wants it erased`)
}

/** How far another node's chain may be ahead of this one's. */
const CLOCK_BLOCKS = 10_000

function checkBody({ lengthBytes, hash }: SignedSlip, body: Uint8Array): void {
  if (body.length === 0 || body.length > envelopeBytesMax) {
    const message = `an envelope has 1 to ${envelopeBytesMax} bytes, got ${body.length}`
    throw new DeliveryError('TOO_LARGE', message)
  }
  if (body.length === lengthBytes && envelopeHash(body) === hash) return
  throw new DeliveryError('HASH_MISMATCH', `the envelope is not the one that was signed for (${hash}): send it again`)
}

/** Envelope or reference: what the sharing rules want in a submission or request, and how `delivery` is told. */
import type { Address } from '../core/bytes.js'
import { type ContractHost, revert } from '../vm/contract.js'
import { CONTRACT_ADDRESSES } from './addresses.js'
import { DELIVERY } from './codes.js'
import { dataSharingInterface as abi } from './dataSharingStorage.js'
import { deliveryInterface, isAnnounced } from './deliveryStorage.js'
import { decodeReference, isReference, referenceFault } from './envelopeReference.js'
import { actingMember, readMemberHead } from './membersStorage.js'

/** An envelope where the rule says ledger, a sound and new reference where it says direct. */
export function checkEnvelope(host: ContractHost, envelope: Uint8Array, delivery: number, recipient: Address): void {
  const given = isReference(envelope)
  if (delivery === DELIVERY.ledger) {
    if (given) throw revert(abi, 'ReferenceNotWanted', { recipient })
    return
  }
  if (!given) throw revert(abi, 'EnvelopeInClear', { recipient })
  const reference = decodeReference(envelope)
  const joint = readMemberHead(host, recipient).role === 0
  const problem = joint ? 'a group has no node: one for each department' : referenceFault(reference, host.block.number)
  if (problem !== undefined) throw revert(abi, 'InvalidReference', { recipient, problem })
  const sender = actingMember(host)
  if (isAnnounced(host, sender, reference.hash)) throw revert(abi, 'EnvelopeKnown', { sender, hash: reference.hash })
}

export interface Announced {
  /** ENVELOPE_KIND. */
  readonly kind: number
  /** Id of the submission or request. */
  readonly subject: bigint
  readonly part: number
  readonly recipient: Address
  readonly envelope: Uint8Array
}

/** Tells `delivery` of a reference; does nothing for an envelope that stands in the transaction. */
export function announce(host: ContractHost, { envelope, ...announced }: Announced): void {
  if (!isReference(envelope)) return
  const call = deliveryInterface.encodeCall('announce', {
    sender: actingMember(host),
    ...announced,
    envelopeReference: envelope,
  })
  host.call(CONTRACT_ADDRESSES.delivery, call)
}

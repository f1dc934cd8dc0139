/** DeliveryChain over the final chain of this node, and this node's confirmations as transactions. */
import { CONTRACT_ADDRESSES } from '../../contracts/addresses.js'
import { SIGNER_KIND } from '../../contracts/codes.js'
import { deliveryInterface } from '../../contracts/deliveryStorage.js'
import { actorOf, isActive, readMemberHead, readSigner, readSigners } from '../../contracts/membersStorage.js'
import { type Address, ZERO_ADDRESS } from '../../core/bytes.js'
import { signTransaction } from '../../crypto/transaction.js'
import type { SubmitResult } from '../../rpc/chainApi.js'
import type { StateReader } from '../../state/reader.js'
import { readHost } from '../../vm/host.js'
import type { FinalCalls } from '../finalCalls.js'
import type { DeliveryChain } from './deliveryChain.js'
import type { EnvelopeId } from './records.js'

export interface FinalDeliveryNeeds {
  readonly calls: Pick<FinalCalls, 'view' | 'context'>
  /** After the last final block. */
  readonly state: () => StateReader
  readonly relays: (peer: Address) => boolean
}

/** A member's nodes have its account's key, or keys that it has added for nodes. */
export function finalDeliveryChain({ calls, state, relays }: FinalDeliveryNeeds): DeliveryChain {
  const members = () => readHost(state(), CONTRACT_ADDRESSES.members)
  const view = (name: 'envelopeOf' | 'erasureOf', { sender, hash }: EnvelopeId) =>
    calls.view(CONTRACT_ADDRESSES.delivery, deliveryInterface, name, { sender, hash })
  return {
    height: () => calls.context().number,
    isActive: (member) => isActive(readMemberHead(members(), member)),
    announced(id) {
      const envelope = view('envelopeOf', id) as ReturnType<typeof decodeEnvelope> | undefined
      const erasure = envelope && (view('erasureOf', id) as ReturnType<typeof decodeErasure> | undefined)
      if (envelope === undefined || erasure === undefined) return undefined
      const { recipient, carrier, expiresAt } = envelope
      const confirmedBy = [
        ...(erasure.recipientAt === 0n ? [] : [recipient]),
        ...(erasure.carrierAt === 0n ? [] : [carrier]),
      ]
      return { recipient, carrier, expiresAt: Number(expiresAt), erasureAsked: erasure.askedAt !== 0n, confirmedBy }
    },
    nodesOf(member) {
      const host = members()
      const added = readSigners(host, member)
      return [member, ...added.filter((key) => readSigner(host, key).kind !== SIGNER_KIND.service)]
    },
    memberOf: (key) => actorOf(members(), key).account,
    ownerOf(key) {
      const host = members()
      const { member } = readSigner(host, key)
      return member === ZERO_ADDRESS || readMemberHead(host, key).role !== 0 ? key : member
    },
    relays,
  }
}

const decodeEnvelope = (bytes: Uint8Array) => deliveryInterface.decodeResult('envelopeOf', bytes)
const decodeErasure = (bytes: Uint8Array) => deliveryInterface.decodeResult('erasureOf', bytes)

export interface ConfirmerNeeds {
  readonly chainId: number
  readonly self: Address
  readonly privateKey: Uint8Array
  readonly calls: Pick<FinalCalls, 'call'>
  /** Next nonce of this node's account, with what waits in its pool. */
  readonly nonce: () => bigint
  readonly submit: (raw: Uint8Array) => SubmitResult
}

/** A handful of words; a tenth of it is used. */
const GAS_LIMIT = 1_000_000n

/** Puts confirmErasure on chain; false when the chain refuses it for good: it has it already. */
export function confirmer(needs: ConfirmerNeeds): (id: EnvelopeId) => boolean {
  const { chainId, self, privateKey, calls, nonce, submit } = needs
  return ({ sender, hash }) => {
    const data = deliveryInterface.encodeCall('confirmErasure', { sender, hash })
    const call = { to: CONTRACT_ADDRESSES.delivery, value: 0n, data }
    const outcome = calls.call({ from: self, ...call, gas: GAS_LIMIT })
    if (!outcome.ok) return outcome.code !== 'REVERTED'
    const fee = { gasPrice: 0n, maxPriorityFeePerGas: 0n, gasLimit: GAS_LIMIT }
    const unsigned = { type: 2, chainId: BigInt(chainId), nonce: nonce(), ...fee, ...call, accessList: [] } as const
    submit(signTransaction(unsigned, privateKey).raw)
    return true
  }
}

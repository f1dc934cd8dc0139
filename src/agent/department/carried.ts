/** Reads from a transaction's calldata what it carries for one department. */
import { type Address, asAddress, fromHex, type Hash } from '../../core/bytes.js'
import type { RpcClient } from '../../rpc/client.js'
import { RpcClientError } from '../../rpc/clientError.js'
import type { RpcTransaction } from '../../rpc/wire.js'
import { dataSharing } from '../contractClient.js'
import type { SealedContext, SealedKind } from '../sealedValues.js'

/** An envelope for this department and all that it is bound to. */
export interface Carried {
  readonly context: SealedContext
  readonly envelope: Uint8Array
}

/** Transactions asked for at once: their answer stays within a node's limit even if all are of the largest size. */
const BATCH = 32

/** Transactions of final blocks by hash. Throws RpcClientError or RpcError. */
export async function readTransactions(
  client: RpcClient,
  hashes: readonly Hash[],
): Promise<ReadonlyMap<Hash, RpcTransaction>> {
  const found = new Map<Hash, RpcTransaction>()
  for (let from = 0; from < hashes.length; from += BATCH) {
    const some = hashes.slice(from, from + BATCH)
    const calls = some.map((hash) => ({ method: 'eth_getTransactionByHash', params: [hash] }))
    const answers = await client.batch(calls)
    for (const [i, answer] of answers.entries()) {
      if (!answer.ok) throw answer.error
      if (answer.result === null) {
        const message = `${client.url} has no transaction ${some[i]} whose log it gave: is it in sync?`
        throw new RpcClientError('MALFORMED_ANSWER', message)
      }
      const transaction = answer.result as RpcTransaction
      found.set(transaction.hash, transaction)
    }
  }
  return found
}

/** Part `index` of a StoreData transaction. */
export function carriedPart(chainId: number, transaction: RpcTransaction, index: number): Carried {
  const { enterpriseId, portraitVersion, parts } = dataSharing.abi.decodeCall('StoreData', fromHex(transaction.input))
  const part = parts[index]
  if (!part) throw new RangeError(`submission ${transaction.hash} has no part ${index}`)
  const { recipient, keyEpoch, attributes, digests, envelope } = part
  const clear = { enterpriseId, portraitVersion, recipient, keyEpoch, attributes, digests }
  return { envelope, context: context('part', chainId, transaction, clear) }
}

export interface CarriedQuestion extends Carried {
  /** The consent or statute that the requester has named; zero: none. */
  readonly basis: Hash
}

/**
 * The question in a requestVerification transaction to one of `recipients` (a department and the groups that it is in), for
 * those of its items that are in `wanted`: one for each envelope that may be the one; the others are of other items and do not open.
 */
export function carriedQuestions(
  chainId: number,
  transaction: RpcTransaction,
  recipients: readonly Address[],
  wanted: readonly Hash[],
): readonly [CarriedQuestion, ...CarriedQuestion[]] {
  const call = dataSharing.abi.decodeCall('requestVerification', fromHex(transaction.input))
  const { enterpriseId, portraitVersion, basis } = call
  const items = call.items.filter((item) => wanted.includes(item.attribute))
  const attributes = items.map((item) => item.attribute)
  const digests = items.map((item) => item.digest)
  const sealed = call.sealed.filter(({ supervisor }) => recipients.includes(supervisor))
  const [first, ...others] = sealed.map(({ supervisor: recipient, keyEpoch, envelope }) => {
    const clear = { enterpriseId, portraitVersion, recipient, keyEpoch, attributes, digests }
    return { envelope, context: context('question', chainId, transaction, clear), basis }
  })
  if (!first) throw new RangeError(`request ${transaction.hash} holds no envelope for ${recipients[0]}`)
  return [first, ...others]
}

/** The share for `self` in a sharePortraitKey transaction. */
export function carriedKeyShare(chainId: number, transaction: RpcTransaction, self: Address): Carried {
  const call = dataSharing.abi.decodeCall('sharePortraitKey', fromHex(transaction.input))
  const share = call.shares.find((candidate) => candidate.recipient === self)
  if (!share) throw new RangeError(`transaction ${transaction.hash} shares no key with ${self}`)
  const { enterpriseId, portraitVersion } = call
  const clear = {
    enterpriseId,
    portraitVersion,
    recipient: self,
    keyEpoch: share.keyEpoch,
    attributes: [],
    digests: [],
  }
  return { envelope: share.envelope, context: context('portraitKey', chainId, transaction, clear) }
}

function context(
  kind: SealedKind,
  chainId: number,
  transaction: RpcTransaction,
  clear: Omit<SealedContext, 'kind' | 'chainId' | 'contract' | 'sender'>,
): SealedContext {
  return { kind, chainId, contract: dataSharing.address, sender: asAddress(transaction.from), ...clear }
}

/** concordat_: envelopes that travel from node to node. */
import { type Address, type Hash, toHex } from '../../core/bytes.js'
import { CodedError } from '../../core/codedError.js'
import { envelopeRecipientsMax } from '../../core/limits.js'
import type { DeliveryApi, DeliveryOverdue, DeliveryTotals, EnvelopeStatus, HandedEnvelope } from '../deliveryApi.js'
import { invalidArgument, RPC_CODES, RpcError } from '../errors.js'
import { type CallContext, type MethodEntries, method } from '../method.js'
import {
  asBytes,
  asFixed,
  asQuantity,
  type Params,
  readAddress,
  readBytes,
  readHash,
  readIndex,
  readObject,
} from '../params.js'
import { quantity } from '../present.js'
import type { RpcDeliveryTotals, RpcEnvelopeStatus } from '../wire.js'

const SIGNATURE_BYTES = 65
/** Recipients of one answer. */
const OVERDUE_MAX = 64
/** Kept back of a request's time for its answer. */
const ANSWER_MS = 500

export function deliveryMethods(api: DeliveryApi): MethodEntries {
  return [
    ['concordat_deliverEnvelope', method(2, (p, context) => deliver(api, p, context))],
    ['concordat_getEnvelope', method(3, (p) => envelope(api, p))],
    ['concordat_envelopeStatus', method(2, (p) => presentStatus(api.status(readKey(p))))],
    ['concordat_deliveryTotals', method(0, () => presentTotals(api.counts(), api.overdue()))],
  ]
}

/** [{ envelope, hash, expiresAt, recipients, signature }, waitMs]: waits that long for the recipients' nodes, at most. */
async function deliver(api: DeliveryApi, params: Params, { deadlineMs }: CallContext): Promise<RpcEnvelopeStatus> {
  const handed = readHanded(params)
  const waitMs = params.length > 1 ? readIndex(params, 1) : 0
  const most = Math.max(0, deadlineMs - performance.now() - ANSWER_MS)
  return presentStatus(await refusing(() => api.deliver(handed, Math.min(waitMs, most))))
}

async function envelope(api: DeliveryApi, params: Params) {
  const key = readKey(params)
  const signature = readBytes(params, 2)
  if (signature.length !== SIGNATURE_BYTES) throw invalidArgument(2, `signature must have ${SIGNATURE_BYTES} bytes`)
  const found = await refusing(() => api.envelope(key, signature))
  return found === null ? null : toHex(found)
}

const readKey = (params: Params) => ({ sender: readAddress(params, 0), hash: readHash(params, 1) })

function readHanded(params: Params): HandedEnvelope {
  const object = readObject(params, 0)
  const fault = (field: string) => (reason: string) => invalidArgument(0, `${field}: ${reason}`)
  const body = asBytes(object.envelope, fault('envelope'))
  const list = object.recipients
  if (!Array.isArray(list) || list.length === 0 || list.length > envelopeRecipientsMax) {
    throw invalidArgument(0, `recipients: want a list of 1 to ${envelopeRecipientsMax} addresses`)
  }
  const recipients = list.map((item) => asFixed(item, 20, fault('recipients')) as Address)
  if (new Set(recipients).size !== recipients.length) throw invalidArgument(0, 'recipients: an address is named twice')
  const signature = asBytes(asFixed(object.signature, SIGNATURE_BYTES, fault('signature')), fault('signature'))
  const hash = asFixed(object.hash, 32, fault('hash')) as Hash
  const expiresAt = Number(asQuantity(object.expiresAt, 48, fault('expiresAt')))
  return { slip: { hash, lengthBytes: body.length, expiresAt, recipients, signature }, body }
}

/** `OVER_BUDGET` passes, so that clients may try again; the others do not. The code is the error's data. */
async function refusing<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    const code = error.code === 'OVER_BUDGET' ? RPC_CODES.limitExceeded : RPC_CODES.server
    throw new RpcError(code, `envelope refused: ${error.message}`, error.code)
  }
}

const presentStatus = ({ lengthBytes, expiresAt, ...status }: EnvelopeStatus): RpcEnvelopeStatus => ({
  ...status,
  lengthBytes: lengthBytes === null ? null : quantity(lengthBytes),
  expiresAt: expiresAt === null ? null : quantity(expiresAt),
})

const presentTotals = (
  { stored, bytes, waiting, owed }: DeliveryTotals,
  overdue: readonly DeliveryOverdue[],
): RpcDeliveryTotals => ({
  stored: quantity(stored),
  bytes: quantity(bytes),
  waiting: quantity(waiting),
  owed: quantity(owed),
  overdue: overdue.slice(0, OVERDUE_MAX).map(({ recipient, waiting, longestMs }) => {
    return { recipient, waiting: quantity(waiting), longestMs: Math.floor(longestMs) }
  }),
})

/** The call object of eth_call, eth_estimateGas and eth_createAccessList, and how a failed call is told. */
import { type Address, type Hash, toHex, ZERO_ADDRESS } from '../../core/bytes.js'
import type { AccessListEntry } from '../../core/transaction.js'
import type { CallOutcome, CallRequest, ChainApi } from '../chainApi.js'
import { invalidArgument, invalidParams, RPC_CODES, RpcError, serverError } from '../errors.js'
import { asBytes, asFixed, asQuantity, isAbsent, type Params, readObject, typeName } from '../params.js'
import { revertReason } from '../revertReason.js'

type CallObject = Readonly<Record<string, unknown>>

const at = (field: string) => (reason: string) => invalidArgument(0, `${field}: ${reason}`)

/** Reads what a native contract can see. Fee fields are checked and have no effect. Throws RpcError. */
export function readCall(api: ChainApi, params: Params): CallRequest {
  const object = readObject(params, 0)
  refuseOverrides(params)
  refuseKinds(object)
  checkFees(object)
  const { from, to, gas, value, chainId } = object
  if (!isAbsent(chainId) && asQuantity(chainId, 64, at('chainId')) !== BigInt(api.chainId)) {
    throw invalidParams(`chainId does not match node's (have=${Number(chainId)}, want=${api.chainId})`)
  }
  const accessList = readAccessList(object.accessList)
  return {
    from: isAbsent(from) ? ZERO_ADDRESS : (asFixed(from, 20, at('from')) as Address),
    to: isAbsent(to) ? null : (asFixed(to, 20, at('to')) as Address),
    data: readCallData(object),
    value: isAbsent(value) ? 0n : asQuantity(value, 256, at('value')),
    gas: isAbsent(gas) ? undefined : asQuantity(gas, 64, at('gas')),
    ...(accessList.length > 0 && { accessList }),
  }
}

function refuseOverrides(params: Params): void {
  for (const index of [2, 3]) {
    const value = params[index]
    if (isAbsent(value)) continue
    if (typeof value !== 'object' || Object.keys(value).length > 0) {
      throw invalidArgument(index, 'state and block overrides are not supported')
    }
  }
}

/** Fields of transactions that this chain does not take (types 3 and 4). */
const FOREIGN_FIELDS = ['blobVersionedHashes', 'blobs', 'maxFeePerBlobGas', 'authorizationList']

function refuseKinds(object: CallObject): void {
  const foreign = FOREIGN_FIELDS.find((field) => !isAbsent(object[field]))
  if (foreign !== undefined) throw serverError(`transaction type not supported: ${foreign}`)
}

function checkFees(object: CallObject): void {
  const [gasPrice, feeCap, tip] = ['gasPrice', 'maxFeePerGas', 'maxPriorityFeePerGas'].map((field) =>
    isAbsent(object[field]) ? undefined : asQuantity(object[field], 256, at(field)),
  )
  if (gasPrice !== undefined && (feeCap !== undefined || tip !== undefined)) {
    throw serverError('both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified')
  }
  if (feeCap !== undefined && tip !== undefined && feeCap < tip) {
    throw serverError(`max priority fee per gas higher than max fee per gas: ${tip} > ${feeCap}`)
  }
}

function readAccessList(value: unknown): AccessListEntry[] {
  if (isAbsent(value)) return []
  if (!Array.isArray(value)) throw at('accessList')(`expected an array, got ${typeName(value)}`)
  return value.map((entry: unknown, i) => readEntry(entry, at(`accessList[${i}]`)))
}

function readEntry(entry: unknown, fault: (reason: string) => RpcError): AccessListEntry {
  if (typeof entry !== 'object' || entry === null) throw fault(`expected an object, got ${typeName(entry)}`)
  const { address, storageKeys } = entry as CallObject
  if (!isAbsent(storageKeys) && !Array.isArray(storageKeys)) throw fault('storageKeys: expected an array')
  return {
    address: asFixed(address, 20, fault) as Address,
    storageKeys: ((storageKeys ?? []) as unknown[]).map((key) => asFixed(key, 32, fault) as Hash),
  }
}

const NO_DATA = new Uint8Array(0)

/** `input` is the standard's name, `data` the one that most clients send. */
function readCallData({ input, data }: CallObject): Uint8Array {
  if (!isAbsent(input) && !isAbsent(data) && input !== data) {
    throw invalidParams(
      'both "data" and "input" are set and not equal. Please use "input" to pass transaction call data',
    )
  }
  if (!isAbsent(input)) return asBytes(input, at('input'))
  return isAbsent(data) ? NO_DATA : asBytes(data, at('data'))
}

export function callError(outcome: Extract<CallOutcome, { ok: false }>): RpcError {
  if (outcome.code === 'FAILED') return serverError(outcome.message)
  const reason = revertReason(outcome.returnData)
  const message = reason === undefined ? 'execution reverted' : `execution reverted: ${reason}`
  return new RpcError(RPC_CODES.revert, message, toHex(outcome.returnData))
}

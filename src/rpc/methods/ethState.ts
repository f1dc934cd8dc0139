/** eth_: state reads, proofs, calls. */
import { type Address, type Hash, type Hex, toHex, ZERO_ADDRESS } from '../../core/bytes.js'
import { rpcProofSlotsMax } from '../../core/limits.js'
import { readState } from '../blockRef.js'
import type { CallOutcome, CallRequest, ChainApi } from '../chainApi.js'
import { invalidArgument, invalidParams, RPC_CODES, RpcError, serverError } from '../errors.js'
import { type CallContext, type MethodEntries, type MethodNeeds, method } from '../method.js'
import {
  asBytes,
  asFixed,
  asQuantity,
  isAbsent,
  type Params,
  readAddress,
  readArray,
  readObject,
  typeName,
} from '../params.js'
import { quantity } from '../present.js'
import { type ReadObserver, requireRoom } from '../reads.js'
import { revertReason } from '../revertReason.js'

export function ethStateMethods(needs: MethodNeeds): MethodEntries {
  const { api } = needs
  return [
    ['eth_call', method(4, (p, context) => call(needs, p, context))],
    ['eth_estimateGas', method(4, (p, context) => estimateGas(needs, p, context))],
    ['eth_getBalance', method(2, (p) => getBalance(api, p))],
    ['eth_getCode', method(2, (p) => toHex(readState(api, p, 1).code(readAddress(p, 0))))],
    ['eth_getStorageAt', method(3, (p, context) => getStorageAt(needs, p, context))],
    ['eth_getStorageValues', method(2, (p, context) => getStorageValues(needs, p, context))],
    ['eth_getProof', method(3, (p, context) => getProof(needs, p, context))],
  ]
}

function getBalance(api: ChainApi, params: Params): Hex {
  const address = readAddress(params, 0)
  return quantity(readState(api, params, 1).account(address)?.balance ?? 0n)
}

function getStorageAt({ api, reads }: MethodNeeds, params: Params, context: CallContext): Hash {
  const address = readAddress(params, 0)
  noteStorage(reads, [address], context)
  const slot = readSlot(params[1])
  return readState(api, params, 2).storage(address, slot)
}

/** Values of several slots of several accounts: `{ address: [slot, ...] }`. */
function getStorageValues({ api, reads }: MethodNeeds, params: Params, context: CallContext) {
  const asked = Object.entries(readObject(params, 0))
  if (asked.length === 0) throw invalidParams('empty request')
  const slotLists = asked.map(([address, slots]) => ({ address: asAddressKey(address), slots: readSlots(slots) }))
  if (slotLists.reduce((sum, { slots }) => sum + slots.length, 0) > rpcProofSlotsMax) throw tooManySlots()
  const addresses = slotLists.map(({ address }) => address)
  noteStorage(reads, addresses, context)
  const state = readState(api, params, 1)
  return Object.fromEntries(
    slotLists.map(({ address, slots }) => [address, slots.map((slot) => state.storage(address, slot))]),
  )
}

const asAddressKey = (key: string): Address => asFixed(key, 20, (reason) => invalidArgument(0, reason)) as Address

function readSlots(value: unknown): Hash[] {
  if (!Array.isArray(value)) throw invalidArgument(0, `expected an array of storage keys, got ${typeName(value)}`)
  return value.map(readSlot)
}

const SLOT = /^(?:0x)?[0-9a-fA-F]*$/
const SLOT_DIGITS_MAX = 64

/** A slot is written in full or, by older clients, as a short quantity. */
function readSlot(value: unknown): Hash {
  if (typeof value !== 'string') throw invalidParams(`invalid hex in storage key: ${typeName(value)}`)
  const digits = value.startsWith('0x') ? value.slice(2) : value
  const shown = JSON.stringify(value.slice(0, 2 * SLOT_DIGITS_MAX))
  if (digits.length > SLOT_DIGITS_MAX) {
    throw invalidParams(`storage key too long (want at most 32 bytes): ${shown}`)
  }
  if (!SLOT.test(value)) throw invalidParams(`invalid hex in storage key: ${shown}`)
  return `0x${digits.toLowerCase().padStart(SLOT_DIGITS_MAX, '0')}` as Hash
}

const tooManySlots = () => invalidParams(`too many slots (max ${rpcProofSlotsMax})`)

/** EIP-1186. A key written short is answered short, as clients compare it with what they sent. */
function getProof({ api, reads }: MethodNeeds, params: Params, context: CallContext) {
  const address = readAddress(params, 0)
  noteStorage(reads, [address], context)
  const keys = isAbsent(params[1]) ? [] : readArray(params, 1)
  if (keys.length > rpcProofSlotsMax) throw tooManySlots()
  const proof = readState(api, params, 2).prove(address, keys.map(readSlot))
  return {
    address,
    accountProof: proof.accountProof.map(toHex),
    balance: quantity(proof.balance),
    codeHash: proof.codeHash,
    nonce: quantity(proof.nonce),
    storageHash: proof.storageRoot,
    storageProof: proof.storageProof.map(({ slot, value, proof }, i) => ({
      key: asAsked(keys[i], slot),
      value: quantity(BigInt(value)),
      proof: proof.map(toHex),
    })),
  }
}

const asAsked = (key: unknown, slot: Hash): string => {
  const isFull = typeof key === 'string' && key.length === slot.length
  return isFull ? slot : quantity(BigInt(slot))
}

function call({ api, reads }: MethodNeeds, params: Params, context: CallContext): Hex {
  const request = readCall(api, params)
  refuseOverrides(params)
  const watched = reads?.watches(request) ? reads : undefined
  if (watched) requireRoom(watched)
  const outcome = readState(api, params, 1).call(request)
  if (!outcome.ok) throw callError(outcome)
  watched?.note(request, context.remote)
  return toHex(outcome.returnData)
}

/** What a read would cost tells whether there is an entry: recorded as the read itself. */
function estimateGas({ api, reads }: MethodNeeds, params: Params, context: CallContext): Hex {
  const request = readCall(api, params)
  refuseOverrides(params)
  const watched = reads?.watches(request) ? reads : undefined
  if (watched) requireRoom(watched)
  const outcome = readState(api, params, 1).estimateGas(request)
  if (!outcome.ok) throw callError(outcome)
  watched?.note(request, context.remote)
  return quantity(outcome.gas)
}

/** Raw slots are recorded once a request, whichever they are. */
function noteStorage(reads: ReadObserver | undefined, addresses: readonly Address[], { remote }: CallContext): void {
  if (reads === undefined || !addresses.some((address) => reads.watchesStorage(address))) return
  requireRoom(reads)
  reads.noteStorage(remote)
}

function callError(outcome: Extract<CallOutcome, { ok: false }>): RpcError {
  if (outcome.code === 'FAILED') return serverError(outcome.message)
  const reason = revertReason(outcome.returnData)
  const message = reason === undefined ? 'execution reverted' : `execution reverted: ${reason}`
  return new RpcError(RPC_CODES.revert, message, toHex(outcome.returnData))
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

/** Reads what a native contract can see; fee fields are taken and have no effect. */
function readCall(api: ChainApi, params: Params): CallRequest {
  const object = readObject(params, 0)
  const { from, to, gas, value, chainId } = object
  const fault = (name: string) => (reason: string) => invalidArgument(0, `${name}: ${reason}`)
  if (!isAbsent(chainId) && asQuantity(chainId, 64, fault('chainId')) !== BigInt(api.chainId)) {
    throw invalidParams(`chainId does not match node's (have=${Number(chainId)}, want=${api.chainId})`)
  }
  return {
    from: isAbsent(from) ? ZERO_ADDRESS : (asFixed(from, 20, fault('from')) as Address),
    to: isAbsent(to) ? null : (asFixed(to, 20, fault('to')) as Address),
    data: readCallData(object),
    value: isAbsent(value) ? 0n : asQuantity(value, 256, fault('value')),
    gas: isAbsent(gas) ? undefined : asQuantity(gas, 64, fault('gas')),
  }
}

const NO_DATA = new Uint8Array(0)

/** `input` is the standard's name, `data` the one that most clients send. */
function readCallData({ input, data }: Readonly<Record<string, unknown>>): Uint8Array {
  const both = !isAbsent(input) && !isAbsent(data)
  if (both && input !== data) {
    throw invalidParams(
      'both "data" and "input" are set and not equal. Please use "input" to pass transaction call data',
    )
  }
  if (!isAbsent(input)) return asBytes(input, (reason) => invalidArgument(0, `input: ${reason}`))
  return isAbsent(data) ? NO_DATA : asBytes(data, (reason) => invalidArgument(0, `data: ${reason}`))
}

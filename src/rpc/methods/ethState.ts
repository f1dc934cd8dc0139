/** eth_: state reads, proofs, calls. */
import { type Address, type Hash, type Hex, toHex } from '../../core/bytes.js'
import { rpcProofSlotsMax } from '../../core/limits.js'
import { readState } from '../blockRef.js'
import type { CallRequest, ChainApi, ChainState } from '../chainApi.js'
import { invalidArgument, invalidParams, serverError } from '../errors.js'
import { type CallContext, type MethodEntries, type MethodNeeds, method } from '../method.js'
import { asFixed, isAbsent, type Params, readAddress, readArray, readObject, typeName } from '../params.js'
import { quantity } from '../present.js'
import { type ReadObserver, requireRoom } from '../reads.js'
import type { RpcAccessList } from '../wire.js'
import { callError, readCall } from './callParams.js'

export function ethStateMethods(needs: MethodNeeds): MethodEntries {
  const { api } = needs
  return [
    ['eth_call', method(4, (p, context) => call(needs, p, context))],
    ['eth_estimateGas', method(4, (p, context) => estimateGas(needs, p, context))],
    ['eth_createAccessList', method(4, (p, context) => createAccessList(needs, p, context))],
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

/**
 * `run` on the state of the request. Where the call reads what is recorded, an answer tells of it, whichever answer it is: also one that
 * it fails, for gas that suffices where the portrait is empty does not where it has an entry.
 */
function watching<T>(
  { api, reads, callGasMax }: MethodNeeds,
  params: Params,
  { remote }: CallContext,
  run: (state: ChainState, request: CallRequest) => T,
): T {
  const request = withGasMax(readCall(api, params), callGasMax)
  const watched = reads?.watches(request) ? reads : undefined
  if (watched) requireRoom(watched)
  const state = readState(api, params, 1)
  try {
    return run(state, request)
  } finally {
    watched?.note(request, remote)
  }
}

/** Who asks for more gas gets as much as the node gives, as with geth. */
function withGasMax(request: CallRequest, callGasMax: number): CallRequest {
  const gasMax = BigInt(callGasMax)
  return request.gas !== undefined && request.gas <= gasMax ? request : { ...request, gas: gasMax }
}

function call(needs: MethodNeeds, params: Params, context: CallContext): Hex {
  return watching(needs, params, context, (state, request) => {
    const outcome = state.call(request)
    if (!outcome.ok) throw callError(outcome)
    return toHex(outcome.returnData)
  })
}

/** What a read would cost tells whether there is an entry: recorded as the read itself. */
function estimateGas(needs: MethodNeeds, params: Params, context: CallContext): Hex {
  return watching(needs, params, context, (state, request) => {
    const outcome = state.estimateGas(request)
    if (!outcome.ok) throw callError(outcome)
    return quantity(outcome.gas)
  })
}

const FAULT_TEXTS = { REVERTED: 'execution reverted', OUT_OF_GAS: 'out of gas' } as const

/** A call that fails is answered with what it touched, and why it failed. */
function createAccessList(needs: MethodNeeds, params: Params, context: CallContext): RpcAccessList {
  return watching(needs, params, context, (state, request) => {
    const outcome = state.accessList(request)
    if (!outcome.ok) throw serverError(outcome.message)
    const { accessList, gasUsed, fault } = outcome
    return { accessList, ...(fault && { error: FAULT_TEXTS[fault] }), gasUsed: quantity(gasUsed) }
  })
}

/** Raw slots are recorded once a request, whichever they are. */
function noteStorage(reads: ReadObserver | undefined, addresses: readonly Address[], { remote }: CallContext): void {
  if (reads === undefined || !addresses.some((address) => reads.watchesStorage(address))) return
  requireRoom(reads)
  reads.noteStorage(remote)
}

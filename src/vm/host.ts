/** Call frames: the ContractHost over a state, a gas meter and a list of logs. */

import { assert } from '../core/assert.js'
import { type Address, asHeight, EMPTY_BYTES, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../core/bytes.js'

import type { Log } from '../core/receipt.js'
import { keccak256 } from '../crypto/keccak.js'
import { recoverAddress } from '../crypto/secp256k1.js'
import type { StateReader } from '../state/reader.js'
import { ContractAbi } from './abi.js'
import { type BlockContext, type ContractHost, type ContractRegistry, ContractRevert, revertText } from './contract.js'
import {
  GAS_CALL,
  GAS_KECCAK,
  GAS_KECCAK_WORD,
  GAS_LOAD,
  GAS_LOG,
  GAS_LOG_BYTE,
  GAS_LOG_TOPIC,
  GAS_RECOVER,
  GAS_STORE,
  GasMeter,
  OutOfGas,
} from './gas.js'
import { ScratchState } from './scratchState.js'
import type { MutableState } from './state.js'

/** Calls within calls: contracts call each other in chains of two or three. */
export const callDepthMax = 16

/** What all frames of one transaction share. */
export interface Execution {
  readonly state: MutableState
  readonly block: BlockContext
  readonly registry: ContractRegistry
  readonly origin: Address
  readonly meter: GasMeter
  readonly logs: Log[]
}

export interface Call {
  readonly caller: Address
  readonly to: Address
  /** In wei; the transfer is the caller's business. */
  readonly value: bigint
  readonly input: Uint8Array
  readonly static: boolean
  readonly depth: number
}

const TEXT_ONLY = new ContractAbi([])

/**
 * Runs the contract at `to`; an address without one takes any call and does nothing. Throws ContractRevert or OutOfGas after
 * undoing what the call did; anything else thrown is a defect and ends the node.
 */
export function runCall(execution: Execution, call: Call): Uint8Array {
  const contract = execution.registry.get(call.to)
  if (contract === undefined) return EMPTY_BYTES
  const mark = execution.state.checkpoint()
  const logCount = execution.logs.length
  try {
    return contract.run(new Frame(execution, call), call.input)
  } catch (error) {
    if (error instanceof ContractRevert || error instanceof OutOfGas) {
      execution.state.revert(mark)
      execution.logs.length = logCount
    }
    throw error
  }
}

class Frame implements ContractHost {
  readonly self: Address
  readonly caller: Address
  readonly origin: Address
  readonly value: bigint
  readonly static: boolean
  readonly block: BlockContext
  readonly #execution: Execution
  readonly #state: MutableState
  readonly #meter: GasMeter
  readonly #depth: number

  constructor(execution: Execution, call: Call) {
    this.self = call.to
    this.caller = call.caller
    this.origin = execution.origin
    this.value = call.value
    this.static = call.static
    this.block = execution.block
    this.#execution = execution
    this.#state = execution.state
    this.#meter = execution.meter
    this.#depth = call.depth
  }

  load(slot: Hash): Hash {
    this.#meter.charge(GAS_LOAD)
    return this.#state.storage(this.self, slot)
  }

  loadFrom(contract: Address, slot: Hash): Hash {
    this.#meter.charge(GAS_LOAD)
    return this.#state.storage(contract, slot)
  }

  store(slot: Hash, word: Hash): void {
    this.#refuseStatic()
    this.#meter.charge(GAS_STORE)
    this.#state.setStorage(this.self, slot, word)
  }

  emit(topics: readonly Hash[], data: Uint8Array): void {
    this.#refuseStatic()
    assert(topics.length <= 4, 'a log has at most 4 topics')
    this.#meter.charge(GAS_LOG + GAS_LOG_TOPIC * topics.length + GAS_LOG_BYTE * data.length)
    this.#execution.logs.push({ address: this.self, topics, data })
  }

  call(to: Address, input: Uint8Array): Uint8Array {
    return this.#call(to, input, this.static)
  }

  staticCall(to: Address, input: Uint8Array): Uint8Array {
    return this.#call(to, input, true)
  }

  keccak(bytes: Uint8Array): Uint8Array {
    this.#meter.charge(GAS_KECCAK + GAS_KECCAK_WORD * ((bytes.length + 31) >> 5))
    return keccak256(bytes)
  }

  recover(digest: Uint8Array, signature: Uint8Array): Address | null {
    this.#meter.charge(GAS_RECOVER)
    return recoverAddress(digest, signature)
  }

  charge(gas: number): void {
    this.#meter.charge(gas)
  }

  #call(to: Address, input: Uint8Array, isStatic: boolean): Uint8Array {
    this.#meter.charge(GAS_CALL)
    if (this.#depth >= callDepthMax) throw revertText(TEXT_ONLY, `calls nest deeper than ${callDepthMax}`)
    return runCall(this.#execution, {
      caller: this.self,
      to,
      value: 0n,
      input,
      static: isStatic,
      depth: this.#depth + 1,
    })
  }

  #refuseStatic(): void {
    if (this.static) throw revertText(TEXT_ONLY, 'state change in a static call')
  }
}

/** Host of a contract outside any transaction, with gas without end: for genesis. Its logs are dropped. */
export function systemHost(state: MutableState, self: Address, block: BlockContext): ContractHost {
  const execution = {
    state,
    block,
    registry: NO_CONTRACTS,
    origin: ZERO_ADDRESS,
    meter: new GasMeter(Number.MAX_SAFE_INTEGER),
    logs: [],
  }
  return new Frame(execution, {
    caller: ZERO_ADDRESS,
    to: self,
    value: 0n,
    input: EMPTY_BYTES,
    static: false,
    depth: 0,
  })
}

/** Host that only reads a contract's storage: for the node's own questions to the state. */
export function readHost(state: StateReader, self: Address): ContractHost {
  return systemHost(new ScratchState(state), self, NO_BLOCK)
}

const NO_CONTRACTS: ContractRegistry = new Map()
const NO_BLOCK: BlockContext = {
  number: asHeight(0),
  timestamp: 0,
  chainId: 0n,
  genesisHash: ZERO_HASH,
  sealer: ZERO_ADDRESS,
  gasLimit: 0n,
}

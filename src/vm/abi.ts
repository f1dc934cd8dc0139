/** An ABI ready for use: selectors, topics and codecs, typed by the human-readable constant that it was made from. */
import type { Abi } from 'viem'
import { assert } from '../core/assert.js'
import { fromHex, type Hash, type Hex, toHash, toHex, utf8 } from '../core/bytes.js'
import { keccak256, keccakHash } from '../crypto/keccak.js'
import { type AbiCodec, codecOf, decodeTuple, encodeTuple, TupleCodec } from './abiCodec.js'
import { parseAbi } from './abiParse.js'
import { AbiError, AbiReader } from './abiReader.js'
import type {
  ErrorArgs,
  ErrorName,
  EventArgs,
  EventName,
  FunctionArgs,
  FunctionName,
  FunctionResult,
  HumanAbi,
} from './abiTypes.js'

type Parameters = Extract<Abi[number], { type: 'function' }>['inputs']

export interface FunctionCodec {
  readonly name: string
  /** First 4 bytes of the keccak of the signature. */
  readonly selector: Uint8Array
  /** True for view and pure functions. */
  readonly readsOnly: boolean
  readonly inputs: TupleCodec
  readonly outputs: TupleCodec
  /** Name of the only output: functions with one output take and give its bare value. */
  readonly onlyOutput: string | undefined
}

interface EventCodec {
  readonly topic: Hash
  readonly indexed: readonly { readonly name: string; readonly type: string; readonly codec: AbiCodec }[]
  readonly data: TupleCodec
}

export interface EncodedEvent {
  readonly topics: readonly Hash[]
  readonly data: Uint8Array
}

interface ErrorCodec {
  readonly name: string
  readonly selector: Uint8Array
  readonly inputs: TupleCodec
}

/** Solidity's built-in errors, which every contract may revert with. */
const BUILT_IN = ['error Error(string message)', 'error Panic(uint256 code)'] as const

/** Compiled ABI. Encoders throw AbiError naming the field that does not fit, decoders AbiError naming the one that is wrong. */
export class ContractAbi<const H extends HumanAbi> {
  /** JSON form, as published in abi/. */
  readonly json: Abi
  readonly #functions = new Map<string, FunctionCodec>()
  readonly #bySelector = new Map<number, FunctionCodec>()
  readonly #events = new Map<string, EventCodec>()
  readonly #errors = new Map<string, ErrorCodec>()
  readonly #errorsBySelector = new Map<number, ErrorCodec>()

  constructor(lines: H) {
    this.json = parseAbi(lines)
    for (const item of [...this.json, ...parseAbi(BUILT_IN)]) {
      if (item.type === 'function') this.#addFunction(item)
      else if (item.type === 'event') this.#addEvent(item)
      else if (item.type === 'error') this.#addError(item)
    }
  }

  functionNames(): readonly string[] {
    return [...this.#functions.keys()]
  }

  /** Function that calldata selects; undefined when there is none. */
  select(calldata: Uint8Array): FunctionCodec | undefined {
    return calldata.length < 4 ? undefined : this.#bySelector.get(selectorNumber(calldata))
  }

  selector(name: FunctionName<H>): Hex {
    return toHex(this.functionCodec(name).selector)
  }

  encodeCall<N extends FunctionName<H>>(name: N, args: FunctionArgs<H, N>): Uint8Array {
    const { inputs, selector } = this.functionCodec(name)
    return encodeTuple(inputs, args, selector)
  }

  /** Arguments of calldata for exactly this function. */
  decodeCall<N extends FunctionName<H>>(name: N, calldata: Uint8Array): FunctionArgs<H, N> {
    const codec = this.functionCodec(name)
    if (this.select(calldata) !== codec) throw new AbiError('TYPE_MISMATCH', '', `calldata is not a call of ${name}`)
    return decodeTuple(codec.inputs, calldata.subarray(4)) as FunctionArgs<H, N>
  }

  encodeResult<N extends FunctionName<H>>(name: N, result: FunctionResult<H, N>): Uint8Array {
    return encodeOutputs(this.functionCodec(name), result)
  }

  decodeResult<N extends FunctionName<H>>(name: N, bytes: Uint8Array): FunctionResult<H, N> {
    const codec = this.functionCodec(name)
    const values = decodeTuple(codec.outputs, bytes)
    const result = codec.onlyOutput === undefined ? values : values[codec.onlyOutput]
    return result as FunctionResult<H, N>
  }

  topic(name: EventName<H>): Hash {
    return this.#event(name).topic
  }

  encodeEvent<N extends EventName<H>>(name: N, args: EventArgs<H, N>): EncodedEvent {
    const event = this.#event(name)
    const values = args as Record<string, unknown>
    const topics = [event.topic]
    for (const { name: field, type, codec } of event.indexed) topics.push(encodeTopic(type, codec, values[field]))
    return { topics, data: encodeTuple(event.data, values) }
  }

  /** Arguments of a log of this event; undefined when the log is of another event. */
  decodeEvent<N extends EventName<H>>(name: N, log: EncodedEvent): EventArgs<H, N> | undefined {
    const event = this.#event(name)
    if (log.topics[0] !== event.topic || log.topics.length !== event.indexed.length + 1) return undefined
    const values = decodeTuple(event.data, log.data)
    event.indexed.forEach(({ name: field, codec }, index) => {
      values[field] = codec.read(new AbiReader(fromHex(log.topics[index + 1]!, field)), 0)
    })
    return values as EventArgs<H, N>
  }

  encodeError<N extends ErrorName<H> | 'Error'>(name: N, args: ErrorArgs<H, N> | { message: string }): Uint8Array {
    const error = this.#errors.get(name)
    assert(error !== undefined, `ABI has no error ${name}`)
    return encodeTuple(error.inputs, args, error.selector)
  }

  /** Name and arguments of revert data; undefined when it is no error of this ABI. */
  decodeError(revertData: Uint8Array): { name: string; args: Record<string, unknown> } | undefined {
    const error = revertData.length < 4 ? undefined : this.#errorsBySelector.get(selectorNumber(revertData))
    if (error === undefined) return undefined
    try {
      return { name: error.name, args: decodeTuple(error.inputs, revertData.subarray(4)) }
    } catch {
      return undefined
    }
  }

  /** Throws InvariantError when the ABI has no such function. */
  functionCodec(name: string): FunctionCodec {
    const codec = this.#functions.get(name)
    assert(codec !== undefined, `ABI has no function ${name}`)
    return codec
  }

  #event(name: string): EventCodec {
    const codec = this.#events.get(name)
    assert(codec !== undefined, `ABI has no event ${name}`)
    return codec
  }

  #addFunction(item: Extract<Abi[number], { type: 'function' }>): void {
    assert(!this.#functions.has(item.name), `ABI has two functions ${item.name}`)
    const codec = {
      name: item.name,
      selector: selectorOf(signatureOf(item.name, item.inputs)),
      readsOnly: item.stateMutability === 'view' || item.stateMutability === 'pure',
      inputs: new TupleCodec(item.inputs),
      outputs: new TupleCodec(item.outputs),
      onlyOutput: item.outputs.length === 1 ? item.outputs[0]!.name || '0' : undefined,
    }
    this.#functions.set(item.name, codec)
    this.#bySelector.set(selectorNumber(codec.selector), codec)
  }

  #addEvent(item: Extract<Abi[number], { type: 'event' }>): void {
    const indexed = item.inputs.filter((input) => input.indexed)
    this.#events.set(item.name, {
      topic: keccakHash(utf8(signatureOf(item.name, item.inputs))),
      indexed: indexed.map((input) => ({ name: input.name!, type: input.type, codec: wordCodecOf(input) })),
      data: new TupleCodec(item.inputs.filter((input) => !input.indexed)),
    })
  }

  #addError(item: Extract<Abi[number], { type: 'error' }>): void {
    const selector = selectorOf(signatureOf(item.name, item.inputs))
    const codec = { name: item.name, selector, inputs: new TupleCodec(item.inputs) }
    this.#errors.set(item.name, codec)
    this.#errorsBySelector.set(selectorNumber(selector), codec)
  }
}

/** Encoded outputs of what a handler returned. */
export function encodeOutputs(codec: FunctionCodec, result: unknown): Uint8Array {
  const values = codec.onlyOutput === undefined ? (result ?? {}) : { [codec.onlyOutput]: result }
  return encodeTuple(codec.outputs, values)
}

/** Canonical signature, from which selector and topic are hashed. */
export function signatureOf(name: string, inputs: Parameters): string {
  return `${name}(${inputs.map(canonicalType).join(',')})`
}

function canonicalType(parameter: Parameters[number]): string {
  if (!parameter.type.startsWith('tuple')) return parameter.type
  const components = (parameter as { components: Parameters }).components
  return `(${components.map(canonicalType).join(',')})${parameter.type.slice('tuple'.length)}`
}

function selectorOf(signature: string): Uint8Array {
  return keccak256(utf8(signature)).slice(0, 4)
}

function selectorNumber(bytes: Uint8Array): number {
  return ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0
}

function wordCodecOf(parameter: Parameters[number]): AbiCodec {
  const codec = codecOf(parameter)
  assert(!codec.dynamic && codec.headBytes === 32, `indexed ${parameter.name} must be an elementary word`)
  return codec
}

function encodeTopic(type: string, codec: AbiCodec, value: unknown): Hash {
  const size = codec.size(value)
  if (type === 'bytes32') return value as Hash
  if (type === 'address') return `0x${'0'.repeat(24)}${(value as string).slice(2)}` as Hash
  const word = new Uint8Array(size)
  codec.write(new DataView(word.buffer), 0, value)
  return toHash(word)
}

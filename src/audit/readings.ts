/** The event table made ready: by address and topic, with the places of what is indexed. */
import { CONTRACT_ADDRESSES, type ContractName } from '../contracts/addresses.js'
import { systemInterfaces } from '../contracts/publishedAbis.js'
import { type Address, fromHex, type Hash, type Hex } from '../core/bytes.js'
import type { EncodedEvent, FunctionCodec } from '../vm/abi.js'
import { decodeTuple } from '../vm/abiCodec.js'
import { AbiError } from '../vm/abiReader.js'
import { type Args, EVENT_TABLE, type EventReading } from './eventTable.js'

/** What of an interface a trail needs, for events whose names are data. */
export interface AnyInterface {
  readonly json: readonly { readonly type: string; readonly name?: string; readonly inputs?: readonly Input[] }[]
  topic(event: string): Hash
  decodeEvent(event: string, log: EncodedEvent): Args | undefined
  select(calldata: Uint8Array): FunctionCodec | undefined
}

interface Input {
  readonly name?: string
  readonly indexed?: boolean
}

export interface KnownEvent {
  readonly contract: ContractName
  readonly address: Address
  readonly event: string
  readonly topic: Hash
  readonly reading: EventReading
  /** Place of an argument among the topics, from 1; undefined when it is not indexed. */
  place(argument: string | undefined): number | undefined
  decode(log: EncodedEvent): Args | undefined
}

const interfaces = Object.entries(systemInterfaces()) as unknown as readonly [ContractName, AnyInterface][]
const byAddress = new Map(interfaces.map(([contract, abi]) => [CONTRACT_ADDRESSES[contract], abi]))

/** Contract and event of every event that has a line in the table. */
export const KNOWN_EVENTS: readonly KnownEvent[] = interfaces.flatMap(([contract, abi]) =>
  Object.entries(EVENT_TABLE[contract] ?? {}).flatMap(
    ([event, reading]) => knownEvent(contract, abi, event, reading) ?? [],
  ),
)

const byTopic = new Map(KNOWN_EVENTS.map((known) => [`${known.address}${known.topic}`, known]))

function knownEvent(
  contract: ContractName,
  abi: AnyInterface,
  event: string,
  reading: EventReading,
): KnownEvent | undefined {
  const item = abi.json.find((item) => item.type === 'event' && item.name === event)
  if (item?.inputs === undefined) return undefined
  const indexed = item.inputs.filter((input) => input.indexed).map((input) => input.name)
  return {
    contract,
    address: CONTRACT_ADDRESSES[contract],
    event,
    topic: abi.topic(event),
    reading,
    place(argument) {
      const index = argument === undefined ? -1 : indexed.indexOf(argument)
      return index < 0 ? undefined : index + 1
    },
    decode: (log) => abi.decodeEvent(event, log),
  }
}

export const eventOf = (address: Address, topic: Hash | undefined): KnownEvent | undefined =>
  topic === undefined ? undefined : byTopic.get(`${address}${topic}`)

/** Name and arguments of a call of a system contract; undefined when it is none. */
export function callOf(to: Address | null, input: Hex): { readonly name: string; readonly args: Args } | undefined {
  const abi = to === null ? undefined : byAddress.get(to)
  const data = fromHex(input, 'calldata')
  const codec = abi?.select(data)
  if (codec === undefined) return undefined
  try {
    return { name: codec.name, args: decodeTuple(codec.inputs, data.subarray(4)) }
  } catch (error) {
    if (error instanceof AbiError) return { name: codec.name, args: {} }
    throw error
  }
}

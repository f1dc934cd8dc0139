/** Types: a human-readable ABI constant -> the values that its functions, events and errors take and give. */
import type { Abi, AbiEvent, AbiFunction, AbiParameter, ParseAbi } from 'viem'
import type { Address, Hash, Hex } from '../core/bytes.js'

/** ABI as lines of Solidity-like text, `as const`. */
export type HumanAbi = readonly string[]
/** JSON ABI of the lines, as a type. */
export type JsonAbi<H extends HumanAbi> = ParseAbi<H>

type AbiError = Extract<Abi[number], { type: 'error' }>
type ItemOf<H extends HumanAbi, Kind extends string> = Extract<JsonAbi<H>[number], { type: Kind }>

export type FunctionName<H extends HumanAbi> = Extract<ItemOf<H, 'function'>, AbiFunction>['name']
export type EventName<H extends HumanAbi> = Extract<ItemOf<H, 'event'>, AbiEvent>['name']
export type ErrorName<H extends HumanAbi> = Extract<ItemOf<H, 'error'>, AbiError>['name']

type NumberBits = '8' | '16' | '24' | '32' | '40' | '48'

/** Value of one parameter: integers of up to 48 bits are numbers, bytes32 and addresses lower-case hex, bytes are bytes. */
export type ValueOf<P> = P extends { type: `${infer Base}[]` }
  ? readonly ValueOf<Omit<P, 'type'> & { type: Base }>[]
  : P extends { type: 'tuple'; components: infer C extends readonly AbiParameter[] }
    ? NamedValues<C>
    : P extends { type: infer T extends string }
      ? ElementaryValue<T>
      : never

type ElementaryValue<T extends string> = T extends 'address'
  ? Address
  : T extends 'bool'
    ? boolean
    : T extends 'string'
      ? string
      : T extends 'bytes'
        ? Uint8Array
        : T extends 'bytes32'
          ? Hash
          : T extends `bytes${string}`
            ? Hex
            : T extends `uint${infer Bits}` | `int${infer Bits}`
              ? Bits extends NumberBits
                ? number
                : bigint
              : never

/** Object with a field for each named parameter. */
export type NamedValues<Ps extends readonly AbiParameter[]> = {
  readonly [P in Ps[number] as P extends { name: infer N extends string } ? N : never]: ValueOf<P>
}

type FunctionItem<H extends HumanAbi, N> = Extract<ItemOf<H, 'function'>, { name: N }>

export type FunctionArgs<H extends HumanAbi, N> = NamedValues<FunctionItem<H, N>['inputs']>

/** What a function gives: nothing, the one output, or an object of the named outputs. */
export type FunctionResult<H extends HumanAbi, N> = FunctionItem<H, N>['outputs'] extends readonly []
  ? undefined
  : FunctionItem<H, N>['outputs'] extends readonly [infer Only]
    ? ValueOf<Only>
    : NamedValues<FunctionItem<H, N>['outputs']>

export type EventArgs<H extends HumanAbi, N> = NamedValues<Extract<ItemOf<H, 'event'>, { name: N }>['inputs']>
export type ErrorArgs<H extends HumanAbi, N> = NamedValues<Extract<ItemOf<H, 'error'>, { name: N }>['inputs']>

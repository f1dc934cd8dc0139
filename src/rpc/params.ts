/** Readers of positional parameters. Each throws RpcError -32602 in geth's words, naming the argument's index. */
import { type Address, fromHex, type Hash, type Hex } from '../core/bytes.js'
import { invalidArgument, missingArgument, type RpcError } from './errors.js'

export type Params = readonly unknown[]

const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null

/** Reason why `value` is no hex string, or undefined. */
function hexFault(value: unknown): string | undefined {
  if (typeof value !== 'string') return `expected a hex string, got ${typeName(value)}`
  if (value.length === 0) return 'empty hex string'
  if (!value.startsWith('0x')) return 'hex string without 0x prefix'
  return undefined
}

export function typeName(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

const DIGITS = /^0x[0-9a-fA-F]*$/

/** Fixed-length hex of `bytes` bytes in lower case. `fault` makes the error of a reason. */
export function asFixed(value: unknown, bytes: number, fault: (reason: string) => RpcError): Hex {
  const reason = hexFault(value)
  if (reason) throw fault(reason)
  const hex = value as string
  if (hex.length !== 2 + 2 * bytes) throw fault(`hex string has length ${hex.length - 2}, want ${2 * bytes}`)
  if (!DIGITS.test(hex)) throw fault('invalid hex string')
  return hex.toLowerCase() as Hex
}

/** Bytes of any length. */
export function asBytes(value: unknown, fault: (reason: string) => RpcError): Uint8Array {
  const reason = hexFault(value)
  if (reason) throw fault(reason)
  const hex = value as string
  if (hex.length % 2 === 1) throw fault('hex string of odd length')
  if (!DIGITS.test(hex)) throw fault('invalid hex string')
  return fromHex(hex)
}

const QUANTITY = /^0x(?:0|[1-9a-fA-F][0-9a-fA-F]*)$/

/** Unsigned integer of at most `bits` bits, without leading zeros. */
export function asQuantity(value: unknown, bits: number, fault: (reason: string) => RpcError): bigint {
  const reason = hexFault(value)
  if (reason) throw fault(reason)
  const hex = value as string
  if (hex.length === 2) throw fault('hex string "0x"')
  if (!DIGITS.test(hex)) throw fault('invalid hex string')
  if (!QUANTITY.test(hex)) throw fault('hex number with leading zero digits')
  if ((hex.length - 2) * 4 > bits) throw fault(`hex number > ${bits} bits`)
  return BigInt(hex)
}

function required(params: Params, index: number): unknown {
  const value = params[index]
  if (isAbsent(value)) throw missingArgument(index)
  return value
}

const at =
  (index: number) =>
  (reason: string): RpcError =>
    invalidArgument(index, reason)

export const readHash = (params: Params, index: number): Hash => asFixed(required(params, index), 32, at(index)) as Hash

export const readAddress = (params: Params, index: number): Address =>
  asFixed(required(params, index), 20, at(index)) as Address

export const readBytes = (params: Params, index: number): Uint8Array => asBytes(required(params, index), at(index))

/** Below 2^53. */
export function readIndex(params: Params, index: number): number {
  const value = asQuantity(required(params, index), 64, at(index))
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw invalidArgument(index, 'hex number > 53 bits')
  return Number(value)
}

export function readBoolean(params: Params, index: number, otherwise?: boolean): boolean {
  const value = params[index]
  if (isAbsent(value) && otherwise !== undefined) return otherwise
  if (isAbsent(value)) throw missingArgument(index)
  if (typeof value !== 'boolean') throw invalidArgument(index, `expected a boolean, got ${typeName(value)}`)
  return value
}

export function readString(params: Params, index: number): string {
  const value = required(params, index)
  if (typeof value !== 'string') throw invalidArgument(index, `expected a string, got ${typeName(value)}`)
  return value
}

/** A JSON object; its keys are read one by one, never spread or merged. */
export function readObject(params: Params, index: number): Readonly<Record<string, unknown>> {
  const value = required(params, index)
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw invalidArgument(index, `expected an object, got ${typeName(value)}`)
  }
  return value as Record<string, unknown>
}

export function readArray(params: Params, index: number): readonly unknown[] {
  const value = required(params, index)
  if (!Array.isArray(value)) throw invalidArgument(index, `expected an array, got ${typeName(value)}`)
  return value
}

export { isAbsent }

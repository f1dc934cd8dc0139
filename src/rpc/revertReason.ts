/** Reason inside revert data, when it is Solidity's Error(string) or Panic(uint256); custom errors are for the client's ABI. */
import { bytesToUint } from '../core/bytes.js'

/** First bytes of keccak256("Error(string)") and keccak256("Panic(uint256)"). */
const ERROR_SELECTOR = 0x08c379a0
const PANIC_SELECTOR = 0x4e487b71
const REASON_BYTES_MAX = 1024

/** Geth's words (accounts/abi, panicReasons). */
const PANIC_REASONS: ReadonlyMap<number, string> = new Map([
  [0x00, 'generic panic'],
  [0x01, 'assert(false)'],
  [0x11, 'arithmetic underflow or overflow'],
  [0x12, 'division or modulo by zero'],
  [0x21, 'enum overflow'],
  [0x22, 'invalid encoded storage byte array accessed'],
  [0x31, 'out-of-bounds array access; popping on an empty array'],
  [0x32, 'out-of-bounds access of an array or bytesN'],
  [0x41, 'out of memory'],
  [0x51, 'uninitialized function'],
])

export function revertReason(data: Uint8Array): string | undefined {
  if (data.length < 4 + 32) return undefined
  const selector = new DataView(data.buffer, data.byteOffset).getUint32(0)
  const body = data.subarray(4)
  if (selector === ERROR_SELECTOR) return errorString(body)
  return selector === PANIC_SELECTOR ? panicReason(body) : undefined
}

function errorString(body: Uint8Array): string | undefined {
  const at = wordAt(body, 0)
  const length = at === undefined ? undefined : wordAt(body, at)
  if (at === undefined || length === undefined) return undefined
  const text = body.subarray(at + 32, at + 32 + Math.min(length, REASON_BYTES_MAX))
  return at + 32 + length <= body.length ? new TextDecoder().decode(text) : undefined
}

function panicReason(body: Uint8Array): string {
  const code = bytesToUint(body.subarray(0, 32))
  return PANIC_REASONS.get(code <= 0xffn ? Number(code) : -1) ?? `unknown panic code: 0x${code.toString(16)}`
}

/** Word at `offset` as a number, when it is inside and small enough to be an offset or length. */
function wordAt(body: Uint8Array, offset: number): number | undefined {
  if (offset + 32 > body.length) return undefined
  const value = bytesToUint(body.subarray(offset, offset + 32))
  return value <= BigInt(body.length) ? Number(value) : undefined
}

/**
 * Assembles a WebAssembly module that hashes one message by keccak256 in one call. Written for messages of 32 to 500 bytes,
 * where a general hasher spends a third of its time in calls: the sponge's 25 lanes stay in locals over all rounds.
 *
 *     memory: 0 digest 32 | 256 round constants 192 | 1024 message and room for its padding
 *     export "keccak"(length: i32): hashes `length` bytes of message
 */

export const digestAt = 0
export const messageAt = 1024
const constantsAt = 256
/** 64 KiB each: the largest transaction (128 KiB) and its padding fit. */
const pages = 4
/** Sponge rate of keccak256, FIPS 202 with capacity 512. */
const rateBytes = 136
export const messageBytesMax = pages * 65_536 - messageAt - 2 * rateBytes

const ROUND_CONSTANTS = roundConstants()
const ROTATIONS = rotations()

const OP = {
  loop: 0x03,
  end: 0x0b,
  branchIf: 0x0d,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  load64: 0x29,
  store64: 0x37,
  load8: 0x2d,
  store8: 0x3a,
  const32: 0x41,
  const64: 0x42,
  lessU32: 0x49,
  add32: 0x6a,
  mul32: 0x6c,
  divU32: 0x6e,
  or32: 0x72,
  and64: 0x83,
  xor64: 0x85,
  rotl64: 0x89,
} as const

const I32 = 0x7f
const I64 = 0x7e
const EMPTY_BLOCK = 0x40

/** Locals: parameter 0, three i32, then i64. */
const LENGTH = 0
const AT = 1
const END = 2
const ROUND = 3
const lane = (i: number): number => 4 + i
const parity = (x: number): number => 29 + (x % 5)
const moved = (i: number): number => 34 + i
const I64_LOCALS = 25 + 5 + 25

/** The module's bytes. */
export function keccakModule(): Uint8Array {
  const constants = new Uint8Array(8 * ROUND_CONSTANTS.length)
  for (const [i, constant] of ROUND_CONSTANTS.entries())
    new DataView(constants.buffer).setBigUint64(8 * i, constant, true)
  const body = [2, 3, I32, I64_LOCALS, I64, ...hashMessage(), OP.end]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, I32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0x01, pages, pages]),
    ...section(7, [2, ...name('keccak'), 0, 0, ...name('memory'), 2, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
    ...section(11, [
      1,
      0,
      OP.const32,
      ...signed(BigInt(constantsAt)),
      OP.end,
      ...unsigned(constants.length),
      ...constants,
    ]),
  ])
}

function hashMessage(): number[] {
  return [
    ...padding(),
    ...[...get(END), ...i32(messageAt), OP.add32, OP.set, END, ...i32(messageAt), OP.set, AT],
    ...[OP.loop, EMPTY_BLOCK],
    ...absorb(),
    ...permute(),
    ...[...get(AT), ...i32(rateBytes), OP.add32, OP.tee, AT, ...get(END), OP.lessU32, OP.branchIf, 0],
    OP.end,
    ...[0, 1, 2, 3].flatMap((i) => [...i32(digestAt), ...get(lane(i)), OP.store64, 0, ...unsigned(8 * i)]),
  ]
}

/** Zeros, a 1 behind the message, 0x80 in the last byte of the last block; leaves the padded length in END. */
function padding(): number[] {
  const lastByte = [...get(END), ...i32(messageAt - 1), OP.add32]
  return [
    ...[...get(LENGTH), ...i32(rateBytes), OP.divU32, ...i32(1), OP.add32, ...i32(rateBytes), OP.mul32, OP.set, END],
    ...Array.from({ length: rateBytes / 8 }, (_, i) => [
      ...[...get(LENGTH), OP.const64, 0, OP.store64, 0, ...unsigned(messageAt + 8 * i)],
    ]).flat(),
    ...[...get(LENGTH), ...i32(1), OP.store8, 0, ...unsigned(messageAt)],
    ...[...lastByte, ...lastByte, OP.load8, 0, 0, ...i32(0x80), OP.or32, OP.store8, 0, 0],
  ]
}

function absorb(): number[] {
  return Array.from({ length: rateBytes / 8 }, (_, i) => [
    ...[...get(lane(i)), ...get(AT), OP.load64, 0, ...unsigned(8 * i), OP.xor64, OP.set, lane(i)],
  ]).flat()
}

/** keccak-f[1600]: 24 rounds (FIPS 202, 3.2), lanes numbered x + 5y. */
function permute(): number[] {
  const last = constantsAt + 8 * ROUND_CONSTANTS.length
  return [
    ...[...i32(constantsAt), OP.set, ROUND, OP.loop, EMPTY_BLOCK],
    ...theta(),
    ...rhoAndPi(),
    ...chi(),
    ...[...get(lane(0)), ...get(ROUND), OP.load64, 0, 0, OP.xor64, OP.set, lane(0)],
    ...[...get(ROUND), ...i32(8), OP.add32, OP.tee, ROUND, ...i32(last), OP.lessU32, OP.branchIf, 0, OP.end],
  ]
}

function theta(): number[] {
  const columns = range(5).flatMap((x) => [
    ...get(lane(x)),
    ...range(4).flatMap((y) => [...get(lane(x + 5 * (y + 1))), OP.xor64]),
    ...[OP.set, parity(x)],
  ])
  const mix = range(5).flatMap((x) => [
    ...[...get(parity(x + 4)), ...get(parity(x + 1)), OP.const64, 1, OP.rotl64, OP.xor64, OP.set, moved(0)],
    ...range(5).flatMap((y) => [...get(lane(x + 5 * y)), ...get(moved(0)), OP.xor64, OP.set, lane(x + 5 * y)]),
  ])
  return [...columns, ...mix]
}

function rhoAndPi(): number[] {
  return range(25).flatMap((i) => {
    const [x, y] = [i % 5, Math.floor(i / 5)]
    const rotated = ROTATIONS[i] === 0 ? [] : [OP.const64, ...signed(BigInt(ROTATIONS[i]!)), OP.rotl64]
    return [...get(lane(i)), ...rotated, OP.set, moved(y + 5 * ((2 * x + 3 * y) % 5))]
  })
}

function chi(): number[] {
  return range(25).flatMap((i) => {
    const row = i - (i % 5)
    const [next, second] = [moved(row + ((i + 1) % 5)), moved(row + ((i + 2) % 5))]
    return [
      ...get(moved(i)),
      ...get(next),
      OP.const64,
      0x7f,
      OP.xor64,
      ...get(second),
      OP.and64,
      OP.xor64,
      OP.set,
      lane(i),
    ]
  })
}

/** FIPS 202, 3.2.5: bits 2^j - 1 of each constant from the register x^8 + x^6 + x^5 + x^4 + 1. */
function roundConstants(): bigint[] {
  let register = 1
  return range(24).map(() => {
    let constant = 0n
    for (let j = 0; j < 7; j++) {
      if (register & 1) constant |= 1n << BigInt(2 ** j - 1)
      register = register & 0x80 ? ((register << 1) ^ 0x171) & 0xff : register << 1
    }
    return constant
  })
}

/** FIPS 202, 3.2.2: how far each lane turns. */
function rotations(): number[] {
  const offsets = new Array<number>(25).fill(0)
  let [x, y] = [1, 0]
  for (let t = 0; t < 24; t++) {
    offsets[x + 5 * y] = (((t + 1) * (t + 2)) / 2) % 64
    ;[x, y] = [y, (2 * x + 3 * y) % 5]
  }
  return offsets
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}

function get(local: number): number[] {
  return [OP.get, local]
}

function i32(value: number): number[] {
  return [OP.const32, ...signed(BigInt(value))]
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content]
}

function name(text: string): number[] {
  return [text.length, ...new TextEncoder().encode(text)]
}

/** Unsigned LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

/** Signed LEB128. */
function signed(value: bigint): number[] {
  const low = Number(value & 0x7fn)
  const rest = value >> 7n
  const done = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40)
  return done ? [low] : [low | 0x80, ...signed(rest)]
}

/** ristretto255 (RFC 9496) from its formulas over BigInt: extended coordinates, double and add. Slow, and shares no code with the product. */
const P = 2n ** 255n - 19n
export const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

const mod = (a: bigint): bigint => ((a % P) + P) % P
const isNegative = (a: bigint): boolean => mod(a) % 2n === 1n
const abs = (a: bigint): bigint => (isNegative(a) ? mod(-a) : mod(a))

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let square = mod(base), rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P
    square = (square * square) % P
  }
  return result
}

const D = mod(-121665n * power(121666n, P - 2n))
const SQRT_M1 = power(2n, (P - 1n) / 4n)

/** RFC 9496, 4.2. */
function sqrtRatio(u: bigint, v: bigint): { wasSquare: boolean; root: bigint } {
  let root = mod(u * power(v, 3n) * power(u * power(v, 7n), (P - 5n) / 8n))
  const check = mod(v * root * root)
  const flipped = check === mod(-u)
  if (flipped || check === mod(-u * SQRT_M1)) root = mod(root * SQRT_M1)
  return { wasSquare: check === mod(u) || flipped, root: abs(root) }
}
const INVSQRT_A_MINUS_D = sqrtRatio(1n, mod(-1n - D)).root

export interface Extended {
  readonly x: bigint
  readonly y: bigint
  readonly z: bigint
  readonly t: bigint
}

export const IDENTITY: Extended = { x: 0n, y: 1n, z: 1n, t: 0n }

/** RFC 8032, 5.1: y = 4/5, x even. */
export const GENERATOR: Extended = (() => {
  const y = mod(4n * power(5n, P - 2n))
  const x = sqrtRatio(mod(y * y - 1n), mod(D * y * y + 1n)).root
  return { x, y, z: 1n, t: mod(x * y) }
})()

export function add(p: Extended, q: Extended): Extended {
  const a = mod((p.y - p.x) * (q.y - q.x))
  const b = mod((p.y + p.x) * (q.y + q.x))
  const c = mod(2n * D * p.t * q.t)
  const d = mod(2n * p.z * q.z)
  const [e, f, g, h] = [b - a, d - c, d + c, b + a]
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) }
}

export function times(scalar: bigint, point: Extended = GENERATOR): Extended {
  let sum = IDENTITY
  for (let bit = 255; bit >= 0; bit--) {
    sum = add(sum, sum)
    if ((scalar >> BigInt(bit)) & 1n) sum = add(sum, point)
  }
  return sum
}

/** RFC 9496, 4.3.2. */
export function encode({ x, y, z, t }: Extended): Uint8Array {
  const u1 = mod((z + y) * (z - y))
  const u2 = mod(x * y)
  const { root } = sqrtRatio(1n, mod(u1 * u2 * u2))
  const [den1, den2] = [mod(root * u1), mod(root * u2)]
  const zInverse = mod(den1 * den2 * t)
  const rotate = isNegative(t * zInverse)
  const [rx, ry] = rotate ? [mod(y * SQRT_M1), mod(x * SQRT_M1)] : [x, y]
  const denInverse = rotate ? mod(den1 * INVSQRT_A_MINUS_D) : den2
  const sy = isNegative(rx * zInverse) ? mod(-ry) : ry
  return bytesOf(abs(denInverse * (z - sy)))
}

/** Little-endian, 32 bytes. */
export function bytesOf(value: bigint): Uint8Array {
  return Uint8Array.from(value.toString(16).padStart(64, '0').match(/../g)!.reverse(), (byte) =>
    Number.parseInt(byte, 16),
  )
}

export const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)

/** Certificates as they are written: what of one is signed, with which kind of key, in which one encoding. */
import { p256, p384, p521 } from '@noble/curves/nist.js'
import type { Hex } from 'viem'
import { must } from '../evidenceError.js'
import { der, derInteger, integersIn, type Node, NULL, oid, parse, rawOf, same } from './der.js'

export const RSA = oid('1.2.840.113549.1.1.1')
const EC = oid('1.2.840.10045.2.1')
/** Orders of the groups in which ECDSA signs. */
const CURVES = [
  { id: oid('1.2.840.10045.3.1.7'), order: p256.Point.Fn.ORDER },
  { id: oid('1.3.132.0.34'), order: p384.Point.Fn.ORDER },
  { id: oid('1.3.132.0.35'), order: p521.Point.Fn.ORDER },
] as const

const known = new WeakMap<Uint8Array, readonly Node[]>()

/** Fields of a certificate from its serial number on; version, where there is one, stands before. */
export function tbsFields(certificate: Uint8Array): readonly Node[] {
  const tbs = known.get(certificate) ?? parse(certificate).items[0]?.items ?? []
  known.set(certificate, tbs)
  const fields = tbs[0]?.raw[0] === 0xa0 ? tbs.slice(1) : tbs
  must(fields.length >= 6, 'TOKEN', () => 'the time-stamp token holds what is no certificate')
  return fields
}

export function keyKind(certificate: Uint8Array): Hex {
  const kind = rawOf(tbsFields(certificate)[5]?.items[0]?.items[0])
  must(kind === RSA || kind === EC, 'TOKEN', () => 'the token is signed with a key that is neither RSA nor ECDSA')
  return kind
}

/** A signature by `signer`'s kind of key in its one encoding: two integers without leading zeros for ECDSA, as it is for RSA. */
function exactSignature(signer: Uint8Array, signature: Uint8Array): Uint8Array {
  if (keyKind(signer) === RSA) return signature
  return der(0x30, ...integersIn(signature).map((number) => derInteger(number)))
}

/** As `exactSignature`, and of the two that hold for ECDSA that with the lower s. */
export function lowSignature(signer: Uint8Array, signature: Uint8Array): Uint8Array {
  if (keyKind(signer) === RSA) return signature
  const id = rawOf(tbsFields(signer)[5]?.items[0]?.items[1])
  const curve = CURVES.find((one) => one.id === id)
  const [r, s] = integersIn(signature)
  must(curve !== undefined, 'TOKEN', () => 'the token is signed over a curve other than P-256, P-384 and P-521')
  const isSignature = r !== undefined && s !== undefined && s < curve.order
  must(isSignature, 'TOKEN', () => "the token's signature does not hold")
  return der(0x30, derInteger(r), derInteger(s > curve.order / 2n ? curve.order - s : s))
}

/** Nothing in the certificate lies outside of what its signature covers. */
export function isExact(raw: Uint8Array, issuer: Uint8Array): boolean {
  const [tbs, , signature] = parse(raw).items
  const [, algorithm] = tbsFields(raw)
  const value = der(0x03, Uint8Array.of(0), exactSignature(issuer, signature?.content.subarray(1) ?? NULL))
  return same(raw, der(0x30, tbs!.raw, algorithm!.raw, value))
}

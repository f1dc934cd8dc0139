/** Chains of certificates from the signer of a token to an authority (RFC 5280, as far as time stamping needs it). */
import { BitString } from 'asn1js'
import { BasicConstraints, Certificate, getCrypto, type ICryptoEngine } from 'pkijs'
import { must } from '../evidenceError.js'
import { isExact, tbsFields } from './certificate.js'
import { read, same } from './der.js'

const known = new WeakMap<Uint8Array, Certificate>()

/** Throws EvidenceError TOKEN for what is none. */
export function certificateIn(raw: Uint8Array): Certificate {
  const found = known.get(raw) ?? read(() => Certificate.fromBER(raw))
  known.set(raw, found)
  return found
}

/** What the platform verifies signatures with. Throws EvidenceError ENVIRONMENT where it has nothing. */
export function engine(): ICryptoEngine {
  const found = getCrypto()
  must(found?.subtle !== undefined, 'ENVIRONMENT', () => {
    return 'a time-stamp token is checked with WebCrypto, which is not here; browsers have it in pages over https'
  })
  return found
}

/** Errors of WebCrypto and of the library over keys, signatures and algorithms that are none. */
const OF_THE_TOKEN = [
  'DataError',
  'OperationError',
  'Error',
  'RangeError',
  'AsnError',
  'ArgumentError',
  'ParameterError',
]

/** False where key or signature is none. Throws EvidenceError ENVIRONMENT where the platform fails otherwise. */
export async function verified(verify: () => Promise<boolean>): Promise<boolean> {
  try {
    return await verify()
  } catch (error) {
    const { name, message } = error as Error
    const problem = () => `a signature of the time-stamp token could not be checked here: ${message}`
    must(OF_THE_TOKEN.includes(name), 'ENVIRONMENT', problem)
    return false
  }
}

/** Certificates above the signer's, at most. */
export const CHAIN_MAX = 10

/** Each certificate is signed by the next and was valid; whether one of them, or its issuer, is an authority that is trusted. */
export async function checkChain(
  chain: readonly Uint8Array[],
  time: Date,
  authorities: readonly Uint8Array[],
): Promise<boolean> {
  for (const [i, raw] of chain.entries()) {
    checkValid(raw, time)
    if (chain.length > 1) await checkLink(chain, i)
  }
  if (authorities.length === 0) return false
  const last = chain.at(-1)!
  for (let at = last, steps = 0; steps < authorities.length + 1; steps++) {
    if ([...chain, at].some((raw) => authorities.some((authority) => same(authority, raw)))) return true
    const issuer = await issuerOf(at, authorities, authoritiesIn(chain) + steps)
    must(issuer !== undefined, 'TOKEN', () => 'the token is not by an authority of those that you trust')
    checkValid(issuer, time)
    at = issuer
  }
  return true
}

/** Certificate `i` is signed by the next one, the last by itself and no other. */
async function checkLink(chain: readonly Uint8Array[], i: number): Promise<void> {
  const raw = chain[i]!
  const next = chain[i + 1]
  const isOwn = await signs(raw, raw)
  const holds =
    next === undefined
      ? isOwn && isExact(raw, raw)
      : !isOwn &&
        isExact(raw, next) &&
        (await signs(next, raw)) &&
        isAuthority(next, authoritiesIn(chain.slice(0, i + 1)))
  must(holds, 'TOKEN', () => `the token's certificate ${i} is not signed by the next one, or certifies too much`)
}

function checkValid(raw: Uint8Array, time: Date): void {
  const { notBefore, notAfter } = certificateIn(raw)
  const isValid = notBefore.value <= time && time <= notAfter.value
  must(isValid, 'TOKEN', () => "a certificate of the token was not valid at the token's time")
}

export async function issuerOf(
  certificate: Uint8Array,
  candidates: readonly Uint8Array[],
  below: number,
): Promise<Uint8Array | undefined> {
  for (const candidate of candidates)
    if (isAuthority(candidate, below) && (await signs(candidate, certificate))) return candidate
  return undefined
}

export async function signs(issuer: Uint8Array, certificate: Uint8Array): Promise<boolean> {
  const [, , name] = tbsFields(certificate)
  if (!same(name!.raw, tbsFields(issuer)[4]!.raw)) return false
  const signed = certificateIn(certificate)
  const by = certificateIn(issuer)
  return verified(() => signed.verify(by))
}

/** How many there are above the signer; a certificate for a further key of the same authority does not count (RFC 5280, 4.2.1.9). */
export const authoritiesIn = ([, ...issuers]: readonly Uint8Array[]): number =>
  issuers.filter((raw) => {
    const [, , issuer, , subject] = tbsFields(raw)
    return !same(issuer!.raw, subject!.raw)
  }).length

/** Value of an extension; undefined: it is not there. The library reads it only now. */
export function extensionOf({ extensions = [] }: Certificate, id: string): unknown {
  const found = extensions.find(({ extnID }) => extnID === id)
  return found === undefined ? undefined : read(() => found.parsedValue)
}

/** May certify others, with `below` authorities between it and the signer (RFC 5280, 4.2.1.3 and 4.2.1.9). */
function isAuthority(raw: Uint8Array, below: number): boolean {
  const certificate = certificateIn(raw)
  if (certificate.extensions?.some(({ extnID, critical }) => critical && !UNDERSTOOD.includes(extnID))) return false
  const basic = extensionOf(certificate, BASIC_CONSTRAINTS)
  const usage = extensionOf(certificate, KEY_USAGE)
  if (!(basic instanceof BasicConstraints && basic.cA)) return false
  if (basic.pathLenConstraint !== undefined && below > Number(basic.pathLenConstraint)) return false
  return usage === undefined || (usage instanceof BitString && (usage.valueBlock.valueHexView[0]! & CERT_SIGN) !== 0)
}

const BASIC_CONSTRAINTS = '2.5.29.19'
const KEY_USAGE = '2.5.29.15'
export const EXTENDED_KEY_USAGE = '2.5.29.37'
/** Critical extensions that may be there; the others are certificate policies and the extended key usage. */
const UNDERSTOOD = [BASIC_CONSTRAINTS, KEY_USAGE, '2.5.29.32', EXTENDED_KEY_USAGE]
/** keyCertSign, bit 5 of the key's usage. */
const CERT_SIGN = 0x04

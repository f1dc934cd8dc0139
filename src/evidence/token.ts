/**
 * RFC 3161 time-stamp tokens over the hash of a block. A token is kept in one form, which its signed parts determine: signer's
 * certificate, bound by the signed hash of it, then its issuers up to a self-signed one, or none of them.
 */
import { sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { fromBER, ObjectIdentifier, OctetString } from 'asn1js'
import { BasicConstraints, Certificate, ExtKeyUsage, getCrypto, TSTInfo } from 'pkijs'
import { bytesToHex, concat, type Hex, hexToBytes } from 'viem'
import { must } from './evidenceError.js'

export interface TimeStamp {
  /** As the authority attests, ISO 8601. */
  readonly time: string
  /** Subject of the certificate that signed it. */
  readonly authority: string
  readonly serial: string
  /** Whether it leads to an authority that the verifier named. */
  readonly isTrusted: boolean
}

interface Node {
  readonly raw: Uint8Array
  readonly content: Uint8Array
  readonly items: readonly Node[]
}

const oid = (text: string): Hex => bytesToHex(new Uint8Array(new ObjectIdentifier({ value: text }).toBER()))
const SIGNED_DATA = oid('1.2.840.113549.1.7.2')
const TST_INFO = oid('1.2.840.113549.1.9.16.1.4')
const CONTENT_TYPE = oid('1.2.840.113549.1.9.3')
const MESSAGE_DIGEST = oid('1.2.840.113549.1.9.4')
const SIGNING_CERTIFICATE = oid('1.2.840.113549.1.9.16.2.12')
const SIGNING_CERTIFICATE_V2 = oid('1.2.840.113549.1.9.16.2.47')
const RSA = oid('1.2.840.113549.1.1.1')
const EC = oid('1.2.840.10045.2.1')
const SHA_256 = '2.16.840.1.101.3.4.2.1'
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8'
const HASHES = [
  { id: oid(SHA_256), name: 'SHA-256', hash: sha256, ecdsa: oid('1.2.840.10045.4.3.2') },
  { id: oid('2.16.840.1.101.3.4.2.2'), name: 'SHA-384', hash: sha384, ecdsa: oid('1.2.840.10045.4.3.3') },
  { id: oid('2.16.840.1.101.3.4.2.3'), name: 'SHA-512', hash: sha512, ecdsa: oid('1.2.840.10045.4.3.4') },
] as const
type HashKind = (typeof HASHES)[number]

/** What of a token is signed, or bound by what is signed. */
interface TokenParts {
  readonly content: Uint8Array
  /** With the tag of a SET, as it is signed. */
  readonly attributes: Node
  readonly digest: HashKind
  readonly signature: Uint8Array
  /** The signer's, then its issuers. */
  readonly certificates: readonly Uint8Array[]
}

const NULL = Uint8Array.of(5, 0)
const same = (a: Uint8Array, b: Uint8Array): boolean => bytesToHex(a) === bytesToHex(b)

/** The imprint that a token is for: SHA-256 of the 32 bytes of a block's hash. */
export const imprintOf = (blockHash: Hex): Uint8Array => sha256(hexToBytes(blockHash))

/** A request for a time stamp (RFC 3161, 2.4.1), with the signer's certificate asked for. */
export function timeStampRequest(blockHash: Hex): Uint8Array {
  const algorithm = der(0x30, hexToBytes(oid(SHA_256)), NULL)
  const imprint = der(0x30, algorithm, der(0x04, imprintOf(blockHash)))
  return der(0x30, der(0x02, Uint8Array.of(1)), imprint, der(0x01, Uint8Array.of(0xff)))
}

/** The token of an authority's answer in the form in which files keep it. `others`: certificates that may complete its chain. */
export async function tokenOf(answer: Uint8Array, others: readonly Uint8Array[]): Promise<Uint8Array> {
  const [status, token] = parse(answer).items
  const granted = status?.items[0]?.content
  const isGranted = granted?.length === 1 && granted[0]! <= 1 && token !== undefined
  must(isGranted, 'TOKEN', () => `the time-stamp authority refused (status ${granted?.[0]})`)
  const parts = readParts(token)
  const [signer, ...issuers] = parts.certificates
  const chain = [signer!]
  for (let at = signer!; !(await signs(at, at)); at = chain.at(-1)!) {
    const issuer = await issuerOf(at, [...issuers, ...others])
    if (issuer === undefined) return form({ ...parts, certificates: [signer!] })
    chain.push(issuer)
  }
  return form({ ...parts, certificates: chain })
}

/** Verifies a token over a block's hash. `authorities`: certificates that are trusted, DER. Throws EvidenceError TOKEN. */
export async function readToken(
  token: Uint8Array,
  blockHash: Hex,
  authorities: readonly Uint8Array[],
): Promise<TimeStamp> {
  const parts = readParts(parse(token))
  must(same(form(parts), token), 'TOKEN', () => 'the time-stamp token has parts that nothing signs')
  const info = TSTInfo.fromBER(parts.content)
  const { hashAlgorithm, hashedMessage } = info.messageImprint
  const imprint = new Uint8Array(hashedMessage.valueBlock.valueHexView)
  const fits = hashAlgorithm.algorithmId === SHA_256 && same(imprint, imprintOf(blockHash))
  must(fits, 'TOKEN', () => `the time-stamp token is not of block ${blockHash}`)
  const [signer] = parts.certificates
  const certificate = Certificate.fromBER(signer!)
  await checkSignature(parts, certificate)
  checkPurpose(certificate)
  const isTrusted = await checkChain(parts.certificates, info.genTime, authorities)
  return {
    time: info.genTime.toISOString(),
    authority: nameOf(certificate),
    serial: bytesToHex(info.serialNumber.valueBlock.valueHexView),
    isTrusted,
  }
}

function parse(bytes: Uint8Array): Node {
  const { result, offset } = fromBER(bytes)
  must(offset === bytes.length, 'TOKEN', () => 'the time-stamp token is not DER')
  return nodeOf(result as unknown as Asn1)
}

interface Asn1 {
  readonly valueBeforeDecodeView: Uint8Array
  readonly valueBlock: { readonly value?: unknown }
}

function nodeOf({ valueBeforeDecodeView: raw, valueBlock: { value } }: Asn1): Node {
  const head = raw[1]! < 0x80 ? 2 : 2 + (raw[1]! & 0x7f)
  const isConstructed = (raw[0]! & 0x20) !== 0 && Array.isArray(value)
  return { raw, content: raw.subarray(head), items: isConstructed ? (value as Asn1[]).map(nodeOf) : [] }
}

const SIZE_LEVELS = [0x80, 0x100, 0x10000] as const

/** Tag, length in its shortest form, content. */
function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concat([...parts])
  const { length } = content
  must(length < 2 ** 24, 'TOKEN', () => 'a time-stamp token is not that long')
  const level = SIZE_LEVELS.findIndex((end) => length < end)
  const bytes = level < 0 ? 3 : level
  const size = Array.from(
    { length: Math.max(bytes, 1) },
    (_, i) => (length >> (8 * (Math.max(bytes, 1) - 1 - i))) & 0xff,
  )
  return concat([Uint8Array.from(bytes === 0 ? [tag, ...size] : [tag, 0x80 + bytes, ...size]), content])
}

/** Takes apart what `form` puts together, and other forms that authorities use. */
function readParts(token: Node): TokenParts {
  const [type, outer] = token.items
  const fields = outer?.items[0]?.items ?? []
  must(type !== undefined && bytesToHex(type.raw) === SIGNED_DATA, 'TOKEN', () => 'the token is no CMS signed data')
  const [, , encapsulated, certificates] = fields
  const signers = fields.at(-1)?.items ?? []
  const isToken = bytesToHex(encapsulated?.items[0]?.raw ?? NULL) === TST_INFO && signers.length === 1
  must(isToken && certificates?.raw[0] === 0xa0, 'TOKEN', () => 'the token is none of one signer with its certificate')
  const content = encapsulated!.items[1]?.items[0]?.content
  const [, sid, algorithm, attributes, , signature] = signers[0]!.items
  const digest = HASHES.find(({ id }) => id === bytesToHex(algorithm?.items[0]?.raw ?? NULL))
  const isWhole = content !== undefined && attributes?.raw[0] === 0xa0 && signature !== undefined
  must(isWhole && digest !== undefined, 'TOKEN', () => 'the token is signed in a way that is not supported')
  const raws = certificates!.items.map(({ raw }) => raw)
  const signer = raws.find((raw) => same(der(0x30, ...nameAndSerial(raw)), sid!.raw))
  must(signer !== undefined, 'TOKEN', () => "the token does not hold its signer's certificate")
  const others = raws.filter((raw) => raw !== signer)
  return { content, attributes, digest, signature: signature.content, certificates: [signer, ...others] }
}

/** The token with nothing in it but these parts (RFC 5652): algorithms as RFC 3370 and RFC 5754 want them. */
function form({ content, attributes, digest, signature, certificates }: TokenParts): Uint8Array {
  const algorithm = der(0x30, hexToBytes(digest.id))
  const signed = der(0xa0, attributes.content)
  const version = (number: number) => der(0x02, Uint8Array.of(number))
  const [signer] = certificates
  const identity = der(0x30, ...nameAndSerial(signer!))
  const signing = keyKind(signer!) === RSA ? der(0x30, hexToBytes(RSA), NULL) : der(0x30, hexToBytes(digest.ecdsa))
  const info = der(
    0x30,
    version(1),
    identity,
    algorithm,
    signed,
    signing,
    der(0x04, exactSignature(signer!, signature)),
  )
  const encapsulated = der(0x30, hexToBytes(TST_INFO), der(0xa0, der(0x04, content)))
  const data = der(0x30, version(3), der(0x31, algorithm), encapsulated, der(0xa0, ...certificates), der(0x31, info))
  return der(0x30, hexToBytes(SIGNED_DATA), der(0xa0, data))
}

const known = new WeakMap<Uint8Array, readonly Node[]>()

/** A signature by `signer`'s kind of key in its one encoding: two integers without leading zeros for ECDSA, as it is for RSA. */
function exactSignature(signer: Uint8Array, signature: Uint8Array): Uint8Array {
  if (keyKind(signer) === RSA) return signature
  const integers = parse(signature).items.map(({ content }) => {
    const digits = content.subarray(content.findIndex((byte) => byte !== 0))
    return der(0x02, (digits[0] ?? 0) < 0x80 ? digits : concat([Uint8Array.of(0), digits]))
  })
  return der(0x30, ...integers)
}

/** Fields of a certificate from its serial number on; version, where there is one, stands before. */
function tbsFields(certificate: Uint8Array): readonly Node[] {
  const tbs = known.get(certificate) ?? parse(certificate).items[0]?.items ?? []
  known.set(certificate, tbs)
  return tbs[0]?.raw[0] === 0xa0 ? tbs.slice(1) : tbs
}

function nameAndSerial(certificate: Uint8Array): [Uint8Array, Uint8Array] {
  const [serial, , issuer] = tbsFields(certificate)
  return [issuer!.raw, serial!.raw]
}

function keyKind(certificate: Uint8Array): Hex {
  const kind = bytesToHex(tbsFields(certificate)[5]?.items[0]?.items[0]?.raw ?? NULL)
  must(kind === RSA || kind === EC, 'TOKEN', () => 'the token is signed with a key that is neither RSA nor ECDSA')
  return kind
}

async function checkSignature(
  { content, attributes, digest, signature, certificates }: TokenParts,
  signer: Certificate,
) {
  const attributeOf = (id: Hex) => {
    const found = attributes.items.filter((attribute) => bytesToHex(attribute.items[0]!.raw) === id)
    return found.length === 1 ? found[0]!.items[1]?.items[0] : undefined
  }
  const isDigest = same(attributeOf(MESSAGE_DIGEST)?.content ?? NULL, digest.hash(content))
  const isType = bytesToHex(attributeOf(CONTENT_TYPE)?.raw ?? NULL) === TST_INFO
  must(isDigest && isType, 'TOKEN', () => 'what the token says is not what its signature covers')
  const first = (id: Hex) => attributeOf(id)?.items[0]?.items[0]?.items ?? []
  const [one] = first(SIGNING_CERTIFICATE)
  const two = first(SIGNING_CERTIFICATE_V2)
  const named = two.find(({ raw }) => raw[0] === 0x04)
  const kind = HASHES.find(({ id }) => id === bytesToHex(two[0]?.items[0]?.raw ?? hexToBytes(oid(SHA_256))))
  const [leaf] = certificates
  const isNamed =
    named === undefined
      ? same(one?.content ?? NULL, sha1(leaf!))
      : kind !== undefined && same(named.content, kind.hash(leaf!))
  must(isNamed, 'TOKEN', () => "the token's signature does not name the certificate that is in it")
  const signedBytes = concat([Uint8Array.of(0x31), attributes.raw.subarray(1)])
  const value = new OctetString({ valueHex: new Uint8Array(signature).buffer })
  const algorithm = signer.signatureAlgorithm
  algorithm.algorithmId = keyKind(leaf!) === RSA ? '1.2.840.113549.1.1.1' : ECDSA_NAMES[digest.name]
  const holds = await getCrypto(true).verifyWithPublicKey(
    new Uint8Array(signedBytes).buffer,
    value as never,
    signer.subjectPublicKeyInfo,
    algorithm,
    digest.name,
  )
  must(holds, 'TOKEN', () => "the token's signature does not hold")
}

const ECDSA_NAMES = {
  'SHA-256': '1.2.840.10045.4.3.2',
  'SHA-384': '1.2.840.10045.4.3.3',
  'SHA-512': '1.2.840.10045.4.3.4',
}

/** RFC 3161, 2.3: critical, and for nothing else. */
function checkPurpose(signer: Certificate): void {
  const usage = signer.extensions?.find(({ extnID }) => extnID === '2.5.29.37')
  const purposes = usage?.parsedValue instanceof ExtKeyUsage ? usage.parsedValue.keyPurposes : []
  const isFor = usage?.critical === true && purposes.length === 1 && purposes[0] === TIME_STAMPING
  must(isFor, 'TOKEN', () => "the token's signer is not certified for time stamping alone")
}

/** Each certificate is signed by the next and was valid; whether one of them, or its issuer, is an authority that is trusted. */
async function checkChain(
  chain: readonly Uint8Array[],
  time: Date,
  authorities: readonly Uint8Array[],
): Promise<boolean> {
  for (const [i, raw] of chain.entries()) {
    checkValid(raw, time)
    const next = chain[i + 1] ?? raw
    const holds =
      chain.length === 1 || (isExact(raw, next) && (await signs(next, raw)) && (next === raw || isAuthority(next)))
    must(holds, 'TOKEN', () => `the token's certificate ${i} is not signed by the next one`)
  }
  if (authorities.length === 0) return false
  const last = chain.at(-1)!
  for (let at = last, steps = 0; steps < authorities.length + 1; steps++) {
    if ([...chain, at].some((raw) => authorities.some((authority) => same(authority, raw)))) return true
    const issuer = await issuerOf(at, authorities)
    must(issuer !== undefined, 'TOKEN', () => 'the token is not by an authority of those that you trust')
    checkValid(issuer, time)
    at = issuer
  }
  return true
}

function checkValid(raw: Uint8Array, time: Date): void {
  const { notBefore, notAfter } = Certificate.fromBER(raw)
  const isValid = notBefore.value <= time && time <= notAfter.value
  must(isValid, 'TOKEN', () => "a certificate of the token was not valid at the token's time")
}

async function issuerOf(certificate: Uint8Array, candidates: readonly Uint8Array[]): Promise<Uint8Array | undefined> {
  for (const candidate of candidates)
    if (isAuthority(candidate) && (await signs(candidate, certificate))) return candidate
  return undefined
}

async function signs(issuer: Uint8Array, certificate: Uint8Array): Promise<boolean> {
  const [, , name] = tbsFields(certificate)
  if (!same(name!.raw, tbsFields(issuer)[4]!.raw)) return false
  return Certificate.fromBER(certificate)
    .verify(Certificate.fromBER(issuer))
    .catch(() => false)
}

function isAuthority(raw: Uint8Array): boolean {
  const found = Certificate.fromBER(raw).extensions?.find(({ extnID }) => extnID === '2.5.29.19')?.parsedValue
  return found instanceof BasicConstraints && found.cA
}

/** Nothing in the certificate lies outside of what its signature covers. */
function isExact(raw: Uint8Array, issuer: Uint8Array): boolean {
  const [tbs, , signature] = parse(raw).items
  const [, algorithm] = tbsFields(raw)
  const value = der(0x03, Uint8Array.of(0), exactSignature(issuer, signature!.content.subarray(1)))
  return same(raw, der(0x30, tbs!.raw, algorithm!.raw, value))
}

function nameOf({ subject }: Certificate): string {
  return subject.typesAndValues.map(({ value }) => value.valueBlock.value).join(', ')
}

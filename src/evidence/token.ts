/**
 * RFC 3161 time-stamp tokens over the hash of a block. A token is kept in one form, which its signed parts determine: signer's
 * certificate, bound by the signed hash of it, then its issuers up to a self-signed one, or none of them; of the two signatures
 * that ECDSA gives, (r, s) and (r, n - s), that with the lower s.
 */
import { sha1 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { OctetString } from 'asn1js'
import { AlgorithmIdentifier, type Certificate, ExtKeyUsage, TSTInfo } from 'pkijs'
import { bytesToHex, concat, type Hex, hexToBytes } from 'viem'
import { must } from './evidenceError.js'
import { keyKind, RSA } from './token/certificate.js'
import {
  authoritiesIn,
  CHAIN_MAX,
  certificateIn,
  checkChain,
  EXTENDED_KEY_USAGE,
  engine,
  extensionOf,
  issuerOf,
  signs,
  verified,
} from './token/chain.js'
import { der, NULL, oid, parse, rawOf, read, same } from './token/der.js'
import { form, HASHES, readParts, SHA_256, type TokenParts, TST_INFO } from './token/form.js'

export interface TimeStamp {
  /** As the authority attests, ISO 8601. */
  readonly time: string
  /** Subject of the certificate that signed it. */
  readonly authority: string
  readonly serial: string
  /** Whether it leads to an authority that the verifier named. */
  readonly isTrusted: boolean
}

const CONTENT_TYPE = oid('1.2.840.113549.1.9.3')
const MESSAGE_DIGEST = oid('1.2.840.113549.1.9.4')
const SIGNING_CERTIFICATE = oid('1.2.840.113549.1.9.16.2.12')
const SIGNING_CERTIFICATE_V2 = oid('1.2.840.113549.1.9.16.2.47')
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8'

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
  engine()
  const [status, token] = parse(answer).items
  const granted = status?.items[0]?.content
  const isGranted = granted?.length === 1 && granted[0]! <= 1 && token !== undefined
  must(isGranted, 'TOKEN', () => `the time-stamp authority refused (status ${granted?.[0]})`)
  const parts = readParts(token)
  const [signer, ...issuers] = parts.certificates
  const chain = [signer!]
  for (let at = signer!; !(await signs(at, at)); at = chain.at(-1)!) {
    const issuer = await issuerOf(at, [...issuers, ...others], authoritiesIn(chain))
    if (issuer === undefined || chain.length > CHAIN_MAX) return form({ ...parts, certificates: [signer!] })
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
  engine()
  const parts = readParts(parse(token))
  must(same(form(parts), token), 'TOKEN', () => 'the time-stamp token has parts that nothing signs')
  const info = read(() => TSTInfo.fromBER(parts.content))
  must(!Number.isNaN(info.genTime.getTime()), 'TOKEN', () => 'the time-stamp token names no time')
  const { hashAlgorithm, hashedMessage } = info.messageImprint
  const imprint = new Uint8Array(hashedMessage.valueBlock.valueHexView)
  const fits = hashAlgorithm.algorithmId === SHA_256 && same(imprint, imprintOf(blockHash))
  must(fits, 'TOKEN', () => `the time-stamp token is not of block ${blockHash}`)
  const [signer] = parts.certificates
  const certificate = certificateIn(signer!)
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

async function checkSignature(
  { content, attributes, digest, signature, certificates }: TokenParts,
  signer: Certificate,
) {
  const attributeOf = (id: Hex) => {
    const found = attributes.items.filter((attribute) => rawOf(attribute.items[0]) === id)
    return found.length === 1 ? found[0]!.items[1]?.items[0] : undefined
  }
  const isDigest = same(attributeOf(MESSAGE_DIGEST)?.content ?? NULL, digest.hash(content))
  const isType = rawOf(attributeOf(CONTENT_TYPE)) === TST_INFO
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
  const algorithmId = keyKind(leaf!) === RSA ? '1.2.840.113549.1.1.1' : ECDSA_NAMES[digest.name]
  const algorithm = new AlgorithmIdentifier({ algorithmId })
  const data = new Uint8Array(signedBytes).buffer
  const holds = await verified(() =>
    engine().verifyWithPublicKey(data, value as never, signer.subjectPublicKeyInfo, algorithm, digest.name),
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
  const usage = extensionOf(signer, EXTENDED_KEY_USAGE)
  const purposes = usage instanceof ExtKeyUsage ? usage.keyPurposes : []
  const isCritical = signer.extensions?.some(({ extnID, critical }) => extnID === EXTENDED_KEY_USAGE && critical)
  const isFor = isCritical === true && purposes.length === 1 && purposes[0] === TIME_STAMPING
  must(isFor, 'TOKEN', () => "the token's signer is not certified for time stamping alone")
}

function nameOf({ subject }: Certificate): string {
  const name = subject.typesAndValues.map(({ value }) => value.valueBlock.value).join(', ')
  return name.replace(INVISIBLE, '\ufffd')
}
/** What could rule a terminal or turn a line round. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/**
 * The group key agreement once more, by someone who knows all exponents: every element is a number times the generator, and
 * the key is (r_1 r_2 + ... + r_n r_1) G without any link. Shares no code with src/crypto.
 */
import { createHash, createHmac, createPrivateKey, createPublicKey } from 'node:crypto'
import { bytesOf, encode, numberOf, ORDER, times } from './ristrettoByFormulas.js'

export interface Setting {
  readonly chainId: bigint
  readonly contract: string
  readonly roster: readonly string[]
  readonly epoch: bigint
  readonly attempt: number
}

export interface Outcome {
  readonly exponents: readonly string[]
  readonly shares: readonly (readonly string[])[]
  readonly links: readonly (readonly string[])[]
  readonly secret: string
  readonly privateKey: string
  readonly publicKey: string
}

const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`
const raw = (text: string) => Buffer.from(text.slice(2), 'hex')
const big = (value: bigint | number, bytes: number) => raw(`0x${value.toString(16).padStart(2 * bytes, '0')}`)
const G = (scalar: bigint) => encode(times(((scalar % ORDER) + ORDER) % ORDER))
const hashed = (...parts: readonly (Uint8Array | string)[]) => {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return numberOf(hash.digest()) % ORDER
}

/** element, challenge, response of `r` against the generator and, for a link, against `base` times the generator. */
function contribution(kind: 'share' | 'link', about: Uint8Array, r: bigint, base: bigint): string[] {
  const bases = kind === 'share' ? [1n] : [1n, base]
  const powers = bases.map((one) => G(one * r))
  const nonce = hashed('concordat group key v1 nonce', kind, bytesOf(r), about, ...powers)
  const commitments = bases.map((one) => G(one * nonce))
  const challenge = hashed('concordat group key v1', kind, about, ...powers, ...commitments)
  const response = (nonce + challenge * r) % ORDER
  return [powers.at(-1)!, bytesOf(challenge), bytesOf(response)].map(hex)
}

export function agreeByFormulas(setting: Setting, randoms: readonly string[]): Outcome {
  const { roster } = setting
  const n = roster.length
  const r = randoms.map((random) => numberOf(raw(random)) % ORDER)
  const context = Buffer.concat([
    big(setting.chainId, 8),
    big(setting.epoch, 8),
    big(setting.attempt, 4),
    big(n, 1),
    raw(setting.contract),
    ...roster.map(raw),
  ])
  const shares = r.map((own, i) => contribution('share', Buffer.concat([context, big(i, 1)]), own, 0n))
  const elements = shares.map(([element]) => raw(element!))
  const links = r.map((own, i) => {
    const about = Buffer.concat([context, big(i, 1), ...elements])
    return contribution('link', about, own, r[(i + 1) % n]! - r[(i + n - 1) % n]!)
  })
  const secret = G(r.reduce((sum, own, i) => sum + own * r[(i + 1) % n]!, 0n))
  const transcript = Buffer.concat([
    Buffer.from('concordat group key v1'),
    context,
    ...elements,
    ...links.map(([element]) => raw(element!)),
  ])
  const info = Buffer.concat([Buffer.from('concordat group key v1 key pair'), transcript])
  const ikm = hkdf(secret, 'concordat group key v1 secret', info)
  const privateKey = deriveKeyPair(ikm)
  return {
    exponents: r.map((own) => hex(bytesOf(own))),
    shares,
    links,
    secret: hex(secret),
    privateKey: hex(privateKey),
    publicKey: publicKeyOf(privateKey),
  }
}

/** RFC 5869 with SHA-256, for one block of output. */
function hkdf(ikm: Uint8Array, salt: string, info: Uint8Array): Buffer {
  const prk = createHmac('sha256', salt).update(ikm).digest()
  return createHmac('sha256', prk).update(info).update(Buffer.of(1)).digest()
}

/** RFC 9180, 7.1.3, extract and expand in one. */
function deriveKeyPair(ikm: Buffer): Buffer {
  const suite = Buffer.concat([Buffer.from('HPKE-v1KEM'), Buffer.of(0, 0x20)])
  const labeled = Buffer.concat([suite, Buffer.from('dkp_prk'), ikm])
  const info = Buffer.concat([Buffer.of(0, 32), suite, Buffer.from('sk')])
  return hkdf(labeled, '', info)
}

function publicKeyOf(privateKey: Buffer): string {
  const der = Buffer.concat([raw('0x302e020100300506032b656e04220420'), privateKey])
  const spki = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({
    format: 'der',
    type: 'spki',
  })
  return hex(spki.subarray(-32))
}

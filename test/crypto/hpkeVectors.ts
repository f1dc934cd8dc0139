/** Runs the accumulated vectors of RFC 9180; in browsers too, so nothing of Node and no test library is imported. */
import { shake128 } from '@noble/hashes/sha3.js'
import { fromHex, type Hex, toHex } from '../../src/core/bytes.js'
import { deriveEncryptionKey, type HpkeAead, hpkeSetupRecipient, hpkeSetupSender } from '../../src/crypto/hpke.js'

export interface HpkeVector {
  readonly mode: number
  readonly kem_id: number
  readonly kdf_id: number
  readonly aead_id: number
  readonly info: string
  readonly ikmE: string
  readonly ikmR: string
  readonly skRm: string
  readonly pkRm: string
  readonly enc: string
  readonly encryptions_accumulated?: string
  readonly exports_accumulated: string
}

export const AEAD = new Map<number, HpkeAead>([
  [1, 'aes-128-gcm'],
  [2, 'aes-256-gcm'],
  [3, 'chacha20-poly1305'],
  [0xffff, 'export-only'],
])

/** Those of the suites that are implemented. */
export const isOurs = (row: HpkeVector): boolean =>
  row.mode === 0 && row.kem_id === 0x20 && row.kdf_id === 1 && AEAD.has(row.aead_id)

const hex = (digits: string) => fromHex(`0x${digits}`)

/** Pseudo-random inputs of the accumulated vectors: a length byte and so many bytes, drawn from SHAKE128 of nothing. */
function randomInputs() {
  const source = shake128.create({})
  return () => source.xof(source.xof(1)[0]!)
}

export interface HpkeResult {
  readonly privateKey: Hex
  readonly publicKey: Hex
  readonly enc: Hex
  /** Over 1000 ciphertexts; null for the suite that only exports. */
  readonly encryptions: Hex | null
  /** Over 1000 exports, of 0 to 999 bytes. */
  readonly exports: Hex
  /** What sender and recipient did not agree on. */
  readonly faults: readonly string[]
}

export function runVector(row: HpkeVector): HpkeResult {
  const aead = AEAD.get(row.aead_id)!
  const recipient = deriveEncryptionKey(hex(row.ikmR))
  const sender = hpkeSetupSender(aead, recipient.publicKey, hex(row.info), deriveEncryptionKey(hex(row.ikmE)))
  const receiver = hpkeSetupRecipient(aead, sender.enc, recipient, hex(row.info))
  const faults: string[] = []
  const sealed = shake128.create({})
  const drawMessage = randomInputs()
  for (let i = 0; i < 1000 && aead !== 'export-only'; i++) {
    const [aad, plaintext] = [drawMessage(), drawMessage()]
    const ciphertext = sender.context.seal(aad, plaintext)
    sealed.update(ciphertext)
    if (toHex(receiver.open(aad, ciphertext)) !== toHex(plaintext)) faults.push(`message ${i} does not open`)
  }
  const drawContext = randomInputs()
  const exported = shake128.create({})
  for (let length = 0; length < 1000; length++) {
    const context = drawContext()
    const secret = sender.context.export(context, length)
    exported.update(secret)
    if (toHex(receiver.export(context, length)) !== toHex(secret)) faults.push(`export of ${length} bytes differs`)
  }
  return {
    privateKey: toHex(recipient.privateKey),
    publicKey: toHex(recipient.publicKey),
    enc: toHex(sender.enc),
    encryptions: aead === 'export-only' ? null : toHex(sealed.xof(16)),
    exports: toHex(exported.xof(16)),
    faults,
  }
}

/** What the vector says. */
export const expectedOf = (row: HpkeVector): HpkeResult => ({
  privateKey: `0x${row.skRm}`,
  publicKey: `0x${row.pkRm}`,
  enc: `0x${row.enc}`,
  encryptions: row.encryptions_accumulated ? `0x${row.encryptions_accumulated}` : null,
  exports: `0x${row.exports_accumulated}`,
  faults: [],
})

/**
 * Eight values for three recipients: one envelope (the content key wrapped for each recipient) against one HPKE message for
 * each value and recipient, with the same primitives.
 */
import { toHex, utf8 } from '../../src/core/bytes.js'
import { rlpDecode, rlpEncode } from '../../src/core/rlp.js'
import { generateEncryptionKey } from '../../src/crypto/encryptionKey.js'
import { openEnvelope, sealEnvelope } from '../../src/crypto/envelope.js'
import { hpkeOpen, hpkeSeal } from '../../src/crypto/hpke.js'
import type { Benchmark } from './benchmark.js'
import { callBenchmark } from './calls.js'

const VALUES = 8
const RECIPIENTS = 3
const OTHER = 'one HPKE message a value and recipient'

function scene() {
  const recipients = Array.from({ length: RECIPIENTS }, generateEncryptionKey)
  const values = Array.from({ length: VALUES }, (_, n) => utf8(`value ${n} `.repeat(5)))
  const [info, aad] = [utf8('bench'), new Uint8Array(32).fill(9)]
  const reader = recipients.at(-1)!
  const open = (envelope: Uint8Array) =>
    rlpDecode(openEnvelope({ envelope, privateKey: reader.privateKey, info, aad })) as Uint8Array[]
  const openEach = (messages: readonly ReturnType<typeof hpkeSeal>[]) =>
    messages.map((message) => hpkeOpen('aes-256-gcm', message, reader, info, aad))
  const seal = () => sealEnvelope({ recipients, plaintext: rlpEncode(values), info, aad })
  /** Messages by recipient. */
  const sealEach = () =>
    recipients.map(({ publicKey }) => values.map((value) => hpkeSeal('aes-256-gcm', publicKey, info, aad, value)))
  return { seal, sealEach, open, openEach }
}

const text = (values: readonly Uint8Array[]): string => values.map((value) => toHex(value)).join()

export const envelopeBenchmarks: readonly Benchmark[] = [
  callBenchmark(`seal ${VALUES} values for ${RECIPIENTS}`, 'sealing', OTHER, () => {
    const { seal, sealEach, open, openEach } = scene()
    return [
      { call: seal, text: (envelope) => text(open(envelope)) },
      { call: sealEach, text: (messages) => text(openEach(messages.at(-1)!)) },
    ]
  }),
  callBenchmark(`open ${VALUES} values`, 'opening', OTHER, () => {
    const { seal, sealEach, open, openEach } = scene()
    const [envelope, messages] = [seal(), sealEach().at(-1)!]
    return [
      { call: () => open(envelope), text },
      { call: () => openEach(messages), text },
    ]
  }),
]

/**
 * No byte of a file is free: each one, altered, makes the file fail with a reason. Every day each byte once, to another character that
 * may stand there; with EVIDENCE_FLIPS=all every bit of every byte of all kinds (minutes).
 */
import t from 'tap'
import { exportEvidence } from '../../src/agent/evidence/exportEvidence.js'
import { recoverAddress } from '../../src/crypto/secp256k1.js'
import { EvidenceError } from '../../src/evidence/evidenceError.js'
import { verifyEvidence } from '../../src/evidence/verify.js'
import { CAPITAL, ENTERPRISE, EvidenceChain, KEYS, TINY, tell } from './chain.js'

const ALL = process.env.EVIDENCE_FLIPS === 'all'
const HEX = '0123456789abcdef'

/** What stands in place of a byte: every single bit turned, or another hex digit (every other byte: its lowest bit turned). */
function replacements(byte: number, at: number): readonly number[] {
  if (ALL) return Array.from({ length: 8 }, (_, bit) => byte ^ (1 << bit))
  const digit = HEX.indexOf(String.fromCharCode(byte))
  return [digit < 0 ? byte ^ 1 : HEX.charCodeAt((digit + 1 + (at % 15)) % 16)]
}

/** Alters `bytes` at every `every`-th place, and says which alterations were taken. */
async function flips(bytes: Uint8Array, every: number, verify: () => Promise<unknown>) {
  const reasons = new Map<string, number>()
  const taken: string[] = []
  for (let at = 0; at < bytes.length; at += ALL ? 1 : every) {
    const original = bytes[at]!
    for (const byte of replacements(original, at)) {
      bytes[at] = byte
      const code = await verify().then(
        () => 'taken',
        (error) => (error instanceof EvidenceError && error.message.length > 0 ? error.code : `${error}`),
      )
      if (code === 'taken') taken.push(`byte ${at}: ${original} -> ${byte}`)
      reasons.set(code, (reasons.get(code) ?? 0) + 1)
    }
    bytes[at] = original
  }
  await verify()
  return { taken, reasons: JSON.stringify([...reasons]) }
}

t.test('each byte of a whole file, on the smallest chain', async (t) => {
  const chain = await EvidenceChain.open(TINY)
  const hash = chain.send(KEYS.operator, 'members', 'memberCount', {})
  await chain.block([0])
  const { text } = await exportEvidence(await chain.serve(t), { kind: 'transaction', hash })
  const bytes = new TextEncoder().encode(text)
  const { genesisHash } = chain
  const options = { genesisHash, recover: recoverAddress }
  const { taken, reasons } = await flips(bytes, 1, () => verifyEvidence(bytes, options))
  t.same(taken, [], `${bytes.length} bytes: ${reasons}`)
})

t.test('bytes of each kind, through another sealer set and a block without votes of its own', async (t) => {
  const { chain, hashes } = await tell()
  const client = await chain.serve(t)
  const { genesisHash } = chain
  const queries = [
    { query: { kind: 'transaction', hash: hashes.finance }, every: 97 },
    { query: { kind: 'portrait', enterprise: ENTERPRISE, attribute: CAPITAL }, every: 151 },
    { query: { kind: 'exchange', requestId: 1n }, every: 307 },
  ] as const
  for (const { query, every } of queries) {
    const { text } = await exportEvidence(client, query)
    const bytes = new TextEncoder().encode(text)
    const options = { genesisHash, recover: recoverAddress }
    const { taken, reasons } = await flips(bytes, every, () => verifyEvidence(bytes, options))
    t.same(taken, [], `${query.kind}, ${bytes.length} bytes: ${reasons}`)
  }
})

/** Turns bytes of evidence files, one at a time, and notes what the verifier says. */
import { exportEvidence } from '../../src/agent/evidence/exportEvidence.js'
import { toHex } from '../../src/core/bytes.js'
import { recoverAddress } from '../../src/crypto/secp256k1.js'
import { EvidenceError } from '../../src/evidence/evidenceError.js'
import { readEvidence, writeEvidence } from '../../src/evidence/format.js'
import { timeStampRequest, tokenOf } from '../../src/evidence/token.js'
import { verifyEvidence } from '../../src/evidence/verify.js'
import { Authority, KINDS } from './authority.js'
import { CAPITAL, ENTERPRISE, EvidenceChain, KEYS, TINY, tell } from './chain.js'

export interface FlipFile {
  readonly name: string
  readonly bytes: Uint8Array
  readonly genesisHash: `0x${string}`
}

export interface Flipped {
  /** Alterations that were made. */
  readonly count: number
  /** What altered files should have been refused for, and were not: taken, or failed with an error that says nothing of the file. */
  readonly faults: readonly string[]
  /** Code -> how often. */
  readonly reasons: ReadonlyMap<string, number>
}

/** What stands in place of the byte at a place. */
export type Replace = (byte: number, at: number) => readonly number[]

export const eachBit: Replace = (byte) => Array.from({ length: 8 }, (_, bit) => byte ^ (1 << bit))

const HEX = '0123456789abcdef'
/** Another hex digit for one; the lowest bit of every other byte turned. */
export const once: Replace = (byte, at) => {
  const digit = HEX.indexOf(String.fromCharCode(byte))
  return [digit < 0 ? byte ^ 1 : HEX.charCodeAt((digit + 1 + (at % 15)) % 16)]
}

/** Alters a file at these places, and sees that it is genuine before and after. */
export async function flip(
  { bytes, genesisHash }: FlipFile,
  places: Iterable<number>,
  replace: Replace,
): Promise<Flipped> {
  const verify = () => verifyEvidence(bytes, { genesisHash, recover: recoverAddress })
  const reasons = new Map<string, number>()
  const faults: string[] = []
  let count = 0
  await verify()
  for (const at of places) {
    const original = bytes[at]!
    for (const byte of replace(original, at)) {
      bytes[at] = byte
      const said = await verify().then(
        () => 'taken',
        (error: unknown) => (isRefusal(error) ? error.code : `${error}`),
      )
      if (!CODE.test(said)) faults.push(`byte ${at}, ${original} -> ${byte}: ${said}`)
      reasons.set(said, (reasons.get(said) ?? 0) + 1)
      count += 1
    }
    bytes[at] = original
  }
  await verify()
  return { count, faults, reasons }
}

const CODE = /^[A-Z_]+$/
const isRefusal = (error: unknown): error is EvidenceError =>
  error instanceof EvidenceError && error.code !== 'ENVIRONMENT' && error.message.length > 0

export function* range(from: number, to: number, step = 1): Iterable<number> {
  for (let at = from; at < to; at += step) yield at
}

type Serving = Parameters<EvidenceChain['serve']>[0]
const inBytes = (text: string) => new TextEncoder().encode(text)

/** One transaction on the smallest chain. */
export async function tinyFile(t: Serving): Promise<FlipFile> {
  const chain = await EvidenceChain.open(TINY)
  const hash = chain.send(KEYS.operator, 'members', 'memberCount', {})
  await chain.block([0])
  const { text } = await exportEvidence(await chain.serve(t), { kind: 'transaction', hash })
  return { name: 'the smallest', bytes: inBytes(text), genesisHash: chain.genesisHash }
}

/** One of each kind, through another sealer set and a block without votes of its own. */
export async function kindFiles(t: Serving): Promise<readonly FlipFile[]> {
  const { chain, hashes } = await tell()
  const client = await chain.serve(t)
  const queries = [
    { kind: 'transaction', hash: hashes.finance },
    { kind: 'portrait', enterprise: ENTERPRISE, attribute: CAPITAL },
    { kind: 'exchange', requestId: 1n },
  ] as const
  const files: FlipFile[] = []
  for (const query of queries) {
    const { text } = await exportEvidence(client, query)
    files.push({ name: query.kind, bytes: inBytes(text), genesisHash: chain.genesisHash })
  }
  return files
}

/** With a token signed with ECDSA or RSA, and the certificate of the signer's root if wanted. `dir`: of the authority. */
export async function stampedFile(
  file: FlipFile,
  dir: string,
  kind: keyof typeof KINDS,
  withRoot: boolean,
): Promise<FlipFile> {
  const evidence = readEvidence(file.bytes)
  const { last } = await verifyEvidence(file.bytes, { genesisHash: file.genesisHash })
  const token = await tokenOf(new Authority(dir, KINDS[kind]).reply(timeStampRequest(last.hash), withRoot), [])
  const bytes = inBytes(writeEvidence({ ...evidence, token: toHex(token) }))
  return { ...file, name: `${file.name}, with a token by ${kind}${withRoot ? ' and its root' : ''}`, bytes }
}

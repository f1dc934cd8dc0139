/** Files that the commands about evidence read, and the one that they rewrite. */
import { X509Certificate } from 'node:crypto'
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { EVIDENCE_BYTES_MAX } from '../../evidence/format.js'
import { CommandError } from '../errors.js'

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Certificates of a PEM file in DER; none without a file. */
export function readCertificates(path: string | undefined): readonly Uint8Array[] {
  if (path === undefined) return []
  const found = new TextDecoder().decode(readBounded(path)).match(PEM) ?? []
  if (found.length === 0) throw new CommandError(`${path} holds no certificate in PEM`)
  return found.map((pem) => new Uint8Array(new X509Certificate(pem).raw))
}

/** Throws CommandError when the file cannot be read, or is far larger than evidence is. */
export function readBounded(path: string): Uint8Array {
  try {
    const { size } = statSync(path)
    if (size <= EVIDENCE_BYTES_MAX) return readFileSync(path)
    throw new CommandError(`${path} has ${size} bytes, evidence has at most ${EVIDENCE_BYTES_MAX}`)
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw new CommandError(`cannot read ${path}: ${(error as Error).message}`)
  }
}

/** In one step, so that a file is never half of itself. */
export function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text)
  renameSync(`${path}.tmp`, path)
}

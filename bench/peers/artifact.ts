/** The compiled Solidity contracts, and where their source is. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Abi } from 'viem'
import { CommandError } from '../../src/cli/errors.js'
import type { Hex } from '../../src/core/bytes.js'

export interface Artifact {
  readonly compiler: string
  readonly settings: typeof SETTINGS
  /** SHA-256 of the sources from which it was compiled. */
  readonly sourceHash: string
  readonly contracts: Record<keyof typeof CONTRACTS, CompiledContract>
}

export interface CompiledContract {
  readonly abi: Abi
  /** What stands at the contract's address. */
  readonly code: Hex
}

export const SOURCES = [
  'Members.sol',
  'DataPortrait.sol',
  'KeyAgreement.sol',
  'DataSharingState.sol',
  'UserPortrait.sol',
  'Submissions.sol',
  'Verification.sol',
  'Attestation.sol',
  'DataSharing.sol',
] as const

/** Names as in src/contracts/addresses.ts. */
export const CONTRACTS = {
  members: { source: 'Members.sol', contract: 'Members' },
  dataPortrait: { source: 'DataPortrait.sol', contract: 'DataPortrait' },
  dataSharing: { source: 'DataSharing.sol', contract: 'DataSharing' },
  keyAgreement: { source: 'KeyAgreement.sol', contract: 'KeyAgreement' },
} as const

/** Clique in geth 1.13 knows the London rules and refuses those of Shanghai. */
export const SETTINGS = {
  optimizer: { enabled: true, runs: 200 },
  viaIR: true,
  evmVersion: 'london',
  metadata: { appendCBOR: false, bytecodeHash: 'none' },
} as const

/** bench/peers/contracts of the checkout, also when the built program runs. */
export function contractsDir(): string {
  const places = ['./contracts/', '../../../bench/peers/contracts/'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  )
  const found = places.find((path) => existsSync(join(path, SOURCES[0])))
  if (found === undefined) throw new CommandError('the Solidity contracts are missing; run the bench from a checkout')
  return found
}

export const sources = (): string[] => SOURCES.map((name) => readFileSync(join(contractsDir(), name), 'utf8'))

export function sourceHash(): string {
  const hash = createHash('sha256')
  for (const source of sources()) hash.update(`${Buffer.byteLength(source)}\n`).update(source)
  return `0x${hash.digest('hex')}`
}

export function readArtifact(): Artifact {
  return JSON.parse(readFileSync(join(contractsDir(), 'artifact.json'), 'utf8')) as Artifact
}

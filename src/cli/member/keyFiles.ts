/** New keys in files: written before anything on chain names them. */

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type SignerProof, signerProof } from '../../agent/signerProof.js'
import type { SignerKindName } from '../../contracts/codes.js'
import type { Address } from '../../core/bytes.js'
import { fromHex } from '../../core/bytes.js'
import { readKeyFile, writeKeyFile } from '../../crypto/keyFile.js'
import { UsageError } from '../errors.js'
import { addressArgument } from '../hexArgument.js'

/** The key in `file`, which is made when it does not exist: who tries again goes on with the same key. Throws KeyFileError. */
export async function keyIn(file: string): Promise<Uint8Array> {
  if (!existsSync(file)) writeKeyFile(file, new Uint8Array(randomBytes(32)))
  return readKeyFile(file)
}

export interface NewSignerFlags {
  readonly newKeyFile?: string
  readonly signer?: string
  readonly proof?: string
}

/** A new key that agrees to act: in a file here, or elsewhere, by what it signed there. Throws UsageError or KeyFileError. */
export async function newSigner(
  { newKeyFile, signer, proof }: NewSignerFlags,
  chainId: number,
  member: Address,
  kind: SignerKindName,
): Promise<SignerProof> {
  if (newKeyFile !== undefined) return signerProof(await keyIn(newKeyFile), chainId, member, kind)
  if (signer === undefined || proof === undefined) throw new UsageError(NEW_SIGNER_USAGE)
  return { signer: addressArgument(signer), proof: fromHex(proof, '--proof') }
}

/** Before a node is asked. Throws UsageError. */
export function requireNewSigner({ newKeyFile, signer, proof }: NewSignerFlags): void {
  if (newKeyFile === undefined && (signer === undefined || proof === undefined)) throw new UsageError(NEW_SIGNER_USAGE)
}

const NEW_SIGNER_USAGE =
  'name the new key: --new-key-file FILE, or --signer ADDRESS with --proof HEX (concordat member signer prove)'

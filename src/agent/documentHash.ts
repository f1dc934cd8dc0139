/** Hash of a document by which the chain knows it. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type Hash, toHash } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'

export class DocumentError extends CodedError<'UNREADABLE'> {}

/** SHA-256 of a file of any size. Throws DocumentError. */
export async function hashDocument(file: string): Promise<Hash> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array)
  } catch (error) {
    throw new DocumentError('UNREADABLE', `cannot read ${file}: ${(error as Error).message}`)
  }
  return toHash(new Uint8Array(hash.digest()))
}

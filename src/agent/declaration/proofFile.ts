/** The proof that one file belongs to a submitted declaration, as a file. */
import { z } from 'zod'
import { archiveEntriesMax, archivePathBytesMax, declarationPackageBytesMax } from '../../core/limits.js'
import { ProofError } from './documentTree.js'

const hash = z.string().regex(/^0x[0-9a-f]{64}$/)

/** Published as schemas/declaration-proof.schema.json. */
export const proofSchema = z
  .strictObject({
    $schema: z.string().max(200).optional(),
    format: z.literal('concordat-declaration-proof/1'),
    documentHash: hash.describe('what StoreData carries'),
    file: z.string().min(1).max(archivePathBytesMax).describe('path in the package'),
    bytes: z
      .int()
      .min(0)
      .max(declarationPackageBytesMax * 4)
      .describe('length of the file'),
    sha256: hash.describe('of the file'),
    salt: hash.describe("of this file's leaf alone"),
    index: z.int().min(0).max(archiveEntriesMax).describe('place among the files of the package, from 0'),
    count: z.int().min(1).max(archiveEntriesMax).describe('files of the package'),
    siblings: z.array(hash).max(16).describe('from the leaf up'),
  })
  .describe('That one file belongs to a submitted declaration package')

export type FileProof = z.infer<typeof proofSchema>

/** Throws ProofError MALFORMED. */
export function parseProof(json: unknown): FileProof {
  const parsed = proofSchema.safeParse(json)
  if (parsed.success && parsed.data.index < parsed.data.count) return parsed.data
  const issue = parsed.error?.issues[0]
  const field = issue?.path.join('.')
  throw new ProofError('MALFORMED', `is no proof of a file (${field || 'index'}: ${issue?.message ?? 'beyond count'})`)
}

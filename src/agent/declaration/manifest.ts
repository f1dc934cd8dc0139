/** manifest.json of a declaration package: whose it is, which file is which form, what is attached. Published as schemas/declaration-manifest.schema.json. */
import { z } from 'zod'
import { archiveEntriesMax, archivePathBytesMax, declarationManifestBytesMax } from '../../core/limits.js'
import { DeclarationError, FaultList } from './declarationError.js'
import { CSV_DELIMITERS, type CsvDelimiter, TEXT_ENCODINGS } from './text.js'
import { checkPath, type Files } from './zip.js'

export const MANIFEST_FILE = 'manifest.json'

const path = z.string().min(1).max(archivePathBytesMax).describe('path in the package, with /')
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date such as 2026-03-31')

export const manifestSchema = z
  .strictObject({
    $schema: z.string().max(200).optional(),
    format: z.literal('concordat-declaration/1'),
    enterprise: z
      .string()
      .regex(/^[0-9A-Za-z]{18}$/, 'must be the unified social credit code of 18 characters')
      .describe('unified social credit code'),
    title: z.string().min(1).max(200),
    date: date.describe('day of the declaration'),
    salt: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits, made at random (concordat declaration init makes one)')
      .describe('random; without it, who knows most of a package could try out the rest against its public hash'),
    template: z
      .string()
      .min(1)
      .max(archivePathBytesMax)
      .describe('name of a built-in mapping template, or path of one in the package that ends in .json'),
    forms: z
      .array(
        z.strictObject({
          file: path,
          form: z.string().min(1).max(40).describe('form of the mapping template'),
          encoding: z.enum(TEXT_ENCODINGS).optional().describe('of a CSV or JSON file; default utf-8'),
          delimiter: z
            .enum(Object.keys(CSV_DELIMITERS) as [CsvDelimiter, ...CsvDelimiter[]])
            .optional()
            .describe('between the columns of a CSV file; default comma'),
        }),
      )
      .min(1)
      .max(64),
    attachments: z
      .array(
        z.strictObject({
          file: path,
          mediaType: z.string().regex(/^[\w.+-]{1,64}\/[\w.+-]{1,64}$/, 'must be a media type such as application/pdf'),
          title: z.string().min(1).max(200).optional(),
          describes: z.array(z.string().min(1).max(32)).max(64).optional().describe('attributes that it bears out'),
        }),
      )
      .max(archiveEntriesMax)
      .default([]),
  })
  .describe('What is in a declaration package')

export type Manifest = z.infer<typeof manifestSchema>
export type ManifestForm = Manifest['forms'][number]

/** Of the files of the package `name`. Throws DeclarationError with all faults. */
export function readManifest(files: Files, name: string): Manifest {
  const at = { file: name, field: MANIFEST_FILE }
  const bytes = files.get(MANIFEST_FILE)
  if (bytes === undefined) {
    throw new DeclarationError(
      'MISSING_FILE',
      'is not at the top of the package: add it (concordat declaration init)',
      at,
    )
  }
  if (bytes.length > declarationManifestBytesMax) {
    throw new DeclarationError('TOO_LARGE', `is over ${declarationManifestBytesMax} bytes`, at)
  }
  const parsed = manifestSchema.safeParse(parseJsonBytes(bytes, MANIFEST_FILE))
  if (!parsed.success) throw issuesOf(parsed.error)
  const manifest = { ...parsed.data, enterprise: parsed.data.enterprise.toUpperCase() }
  checkFiles(manifest, files)
  return manifest
}

function issuesOf(error: z.ZodError): DeclarationError {
  const faults = new FaultList(MANIFEST_FILE)
  try {
    for (const { path, message } of error.issues) {
      faults.add('INVALID_FIELD', message, { file: MANIFEST_FILE, field: path.map(String).join('.') || undefined })
    }
    faults.throwAny()
  } catch (fault) {
    if (fault instanceof DeclarationError) return fault
    throw fault
  }
  return new DeclarationError('INVALID_FIELD', 'is no manifest', { file: MANIFEST_FILE })
}

/** Every file is listed, every listed file is there: what the hash covers is what the manifest says. */
function checkFiles(manifest: Manifest, files: Files): void {
  const faults = new FaultList(MANIFEST_FILE)
  const listed = new Set([MANIFEST_FILE])
  const uses = [
    ...manifest.forms.map(({ file }, i) => [file, `forms.${i}.file`] as const),
    ...manifest.attachments.map(({ file }, i) => [file, `attachments.${i}.file`] as const),
    ...(isTemplateFile(manifest.template) ? [[manifest.template, 'template'] as const] : []),
  ]
  for (const [file, field] of uses) {
    const path = faults.attempt(() => checkPath(file, MANIFEST_FILE))
    if (path === undefined) continue
    listed.add(path)
    if (!files.has(path)) faults.add('MISSING_FILE', `${path} is not in the package`, { file: MANIFEST_FILE, field })
  }
  for (const path of files.keys()) {
    if (listed.has(path)) continue
    faults.add('NOT_LISTED', 'is not in manifest.json: list it as a form or an attachment, or take it out', {
      file: path,
    })
  }
  faults.throwAny()
}

/** Otherwise it is the name of a built-in one. */
export const isTemplateFile = (template: string): boolean => template.toLowerCase().endsWith('.json')

/** UTF-8, with or without byte order mark. Throws DeclarationError. */
export function parseJsonBytes(bytes: Uint8Array, file: string): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new DeclarationError('NOT_UTF8', 'is not UTF-8 text: save it with that encoding', { file })
  }
  return parseJson(text, file)
}

export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new DeclarationError('NOT_JSON', `is not valid JSON (${(error as Error).message.slice(0, 200)})`, { file })
  }
}

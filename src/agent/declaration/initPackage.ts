/** The first manifest of a folder of forms and documents: what can be known from the files, for a clerk to complete. */
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { DeclarationError } from './declarationError.js'
import { plainLabel } from './grid.js'
import { MANIFEST_FILE, type Manifest } from './manifest.js'
import type { Template } from './template.js'
import { readWorkbook } from './workbook.js'
import type { Files } from './zip.js'

export interface InitOptions {
  /** Unified social credit code. */
  readonly enterprise: string
  readonly title: string
  /** YYYY-MM-DD */
  readonly date: string
}

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.pdf': 'application/pdf',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.tif': 'image/tiff',
  '.tiff': 'image/tiff',
  '.ofd': 'application/ofd',
  '.txt': 'text/plain',
  '.csv': 'text/csv',
  '.json': 'application/json',
  '.xlsx': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
}

/** Files whose name is that of a form are forms, and workbooks with its sheet; everything else is attached. Throws DeclarationError. */
export function initManifest(files: Files, name: string, template: Template, options: InitOptions): Manifest {
  if (files.has(MANIFEST_FILE)) {
    throw new DeclarationError('DUPLICATE_FIELD', 'is there already: change it by hand', {
      file: name,
      field: MANIFEST_FILE,
    })
  }
  const forms: Manifest['forms'] = []
  const attachments: Manifest['attachments'] = []
  for (const file of [...files.keys()].sort()) {
    const found = formsIn(file, files.get(file)!, template)
    for (const form of found) forms.push({ file, form })
    if (found.length > 0) continue
    const mediaType = MEDIA_TYPES[path.extname(file).toLowerCase()] ?? 'application/octet-stream'
    attachments.push({ file, mediaType })
  }
  if (forms.length === 0) {
    const known = Object.keys(template.forms).join(', ')
    throw new DeclarationError('MISSING_FILE', `holds no form: name files or sheets ${known}`, { file: name })
  }
  const salt = randomBytes(32).toString('hex')
  return { format: 'concordat-declaration/1', ...options, salt, template: template.name, forms, attachments }
}

function formsIn(file: string, bytes: Uint8Array, template: Template): string[] {
  const extension = path.extname(file).toLowerCase()
  if (!['.xlsx', '.csv', '.json'].includes(extension)) return []
  const sheets = extension === '.xlsx' ? readWorkbook(bytes, file).filter(({ hidden }) => !hidden) : []
  const names = new Set([path.basename(file, path.extname(file)), ...sheets.map(({ name }) => name)].map(plainLabel))
  return Object.entries(template.forms).flatMap(([id, { title, sheets: labels = [] }]) => {
    return [id, title ?? id, ...labels].some((label) => names.has(plainLabel(label))) ? [id] : []
  })
}

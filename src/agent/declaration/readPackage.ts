/** A declaration package -> attribute values with their places, and the one hash of all its files. */
import { textId } from '../../contracts/textId.js'
import type { Hash } from '../../core/bytes.js'
import { declarationManifestBytesMax, recordAttributesMax } from '../../core/limits.js'
import { DeclarationError, FaultList } from './declarationError.js'
import { CREDIT_CODE_ATTRIBUTE, type Declaration } from './declared.js'
import { type DocumentTree, documentTree } from './documentTree.js'
import { type Form, FormReader } from './forms.js'
import { isTemplateFile, type Manifest, parseJsonBytes, readManifest } from './manifest.js'
import { type Found, mapForms } from './mapping.js'
import { table2Template } from './table2Template.js'
import { own, parseTemplate, type Template } from './template.js'
import type { Files } from './zip.js'

/** Mapping templates that every installation has, by name. */
export const BUILT_IN_TEMPLATES: Readonly<Record<string, Template>> = { table2: table2Template }

export interface PackageDeclaration extends Declaration {
  readonly documentHash: Hash
  readonly manifest: Manifest
  readonly tree: DocumentTree
  readonly places: ReadonlyMap<string, string>
  /** Attributes of the template for which the forms have no value. */
  readonly undeclared: readonly string[]
}

/** `name` stands in messages; `template` takes the place of the one that the manifest names. Throws DeclarationError with all faults. */
export function readPackage(files: Files, name: string, template?: Template): PackageDeclaration {
  const manifest = readManifest(files, name)
  const faults = new FaultList(name)
  const used = template ?? templateOf(manifest, files)
  const found = mapForms(used, readForms(manifest, used, files, faults), faults)
  checkEnterprise(manifest, found, faults)
  checkDescribed(manifest, found, faults)
  faults.throwAny()
  const at = { file: name }
  if (found.size === 0) throw new DeclarationError('INVALID_FIELD', 'declares no value', at)
  if (found.size > recordAttributesMax) {
    throw new DeclarationError('INVALID_FIELD', `declares more than ${recordAttributesMax} values`, at)
  }
  const tree = documentTree(files, manifest.salt)
  return {
    file: name,
    creditCode: manifest.enterprise,
    enterpriseId: textId(manifest.enterprise),
    values: new Map([...found].map(([attribute, { text }]) => [attribute, text])),
    places: new Map([...found].map(([attribute, { place }]) => [attribute, place])),
    documentHash: tree.documentHash,
    manifest,
    tree,
    undeclared: Object.keys(used.attributes).filter((attribute) => !found.has(attribute)),
  }
}

/** A built-in one by name, or a file of the package. */
function templateOf({ template }: Manifest, files: Files): Template {
  if (!isTemplateFile(template)) {
    const found = own(BUILT_IN_TEMPLATES, template)
    if (found) return found
    const known = Object.keys(BUILT_IN_TEMPLATES).join(', ')
    const problem = `is no built-in template: name one of ${known}, or a .json file of the package`
    throw new DeclarationError('NO_TEMPLATE', problem, { file: 'manifest.json', field: 'template' })
  }
  return templateOfBytes(files.get(template.normalize('NFC')) ?? new Uint8Array(), template)
}

/** Throws DeclarationError. */
export function templateOfBytes(bytes: Uint8Array, file: string): Template {
  if (bytes.length > declarationManifestBytesMax) {
    throw new DeclarationError('TOO_LARGE', `is over ${declarationManifestBytesMax} bytes`, { file })
  }
  return parseTemplate(parseJsonBytes(bytes, file), file)
}

function readForms(manifest: Manifest, template: Template, files: Files, faults: FaultList): Map<string, Form> {
  const forms = new Map<string, Form>()
  const reader = new FormReader()
  for (const [i, entry] of manifest.forms.entries()) {
    const at = { file: 'manifest.json', field: `forms.${i}.form` }
    const form = own(template.forms, entry.form)
    if (form === undefined) {
      const known = Object.keys(template.forms).join(', ')
      faults.add('INVALID_FIELD', `is no form of template ${template.name}: name one of ${known}`, at)
      continue
    }
    if (forms.has(entry.form)) {
      faults.add('DUPLICATE_FIELD', 'is there twice: put both into one file, or take one out', at)
      continue
    }
    const read = faults.attempt(() => reader.read(files.get(entry.file.normalize('NFC'))!, entry, form))
    if (read) forms.set(entry.form, read)
  }
  return forms
}

function checkEnterprise(manifest: Manifest, found: ReadonlyMap<string, Found>, faults: FaultList): void {
  const declared = found.get(CREDIT_CODE_ATTRIBUTE)
  if (declared === undefined || declared.text.toUpperCase() === manifest.enterprise) return
  const problem = `names another enterprise than ${declared.place}: make them equal`
  faults.add('CONFLICT', problem, { file: 'manifest.json', field: 'enterprise' })
}

/** An attachment bears out what is declared; a name that is not is a slip. */
function checkDescribed({ attachments }: Manifest, found: ReadonlyMap<string, Found>, faults: FaultList): void {
  // After other faults it may be missing only for them.
  if (faults.count > 0) return
  for (const [i, { describes = [] }] of attachments.entries()) {
    for (const attribute of describes) {
      if (found.has(attribute)) continue
      const at = { file: 'manifest.json', field: `attachments.${i}.describes` }
      faults.add('INVALID_FIELD', `${attribute} is not declared: declare it, or take it out`, at)
    }
  }
}

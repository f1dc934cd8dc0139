/** Mapping templates that flags name: built-in ones, or files that end in .json. */
import { readBounded } from '../../agent/declaration/packageFiles.js'
import { BUILT_IN_TEMPLATES, templateOfBytes } from '../../agent/declaration/readPackage.js'
import { own, type Template } from '../../agent/declaration/template.js'
import { declarationManifestBytesMax } from '../../core/limits.js'
import { UsageError } from '../errors.js'

/** Throws UsageError or DeclarationError. */
export async function namedTemplate(name: string): Promise<Template> {
  if (!name.endsWith('.json')) return builtInTemplate(name)
  return templateOfBytes(await readBounded(name, declarationManifestBytesMax, name), name)
}

export function builtInTemplate(name: string): Template {
  const found = own(BUILT_IN_TEMPLATES, name)
  if (found) return found
  throw new UsageError(`there is no template '${name}'; built in are ${Object.keys(BUILT_IN_TEMPLATES).join(', ')}`)
}

/** Weight policies and leader schedules from the modules that a node's configuration names. */
import { pathToFileURL } from 'node:url'
import { builtinExtensions, type Extension, type Extensions, withExtension } from '../consensus/extensions.js'
import { CodedError } from '../core/codedError.js'
import { ConfigError } from './configSchema.js'

/** Loads the modules in order, on top of what every node has. Throws ConfigError naming the file and what is wrong with it. */
export async function loadExtensions(files: readonly string[]): Promise<Extensions> {
  let extensions = builtinExtensions
  for (const file of files) {
    const extension = checked(file, await loadModule(file))
    try {
      extensions = withExtension(extensions, extension)
    } catch (error) {
      if (error instanceof CodedError) throw invalid(file, error.message)
      throw error
    }
  }
  return extensions
}

async function loadModule(file: string): Promise<unknown> {
  try {
    const module = (await import(pathToFileURL(file).href)) as { readonly default?: unknown }
    return module.default
  } catch (error) {
    throw new ConfigError('UNREADABLE', `cannot load the extension ${file}: ${(error as Error).message}`)
  }
}

/** The shape of the default export; `withExtension` checks the entries. */
function checked(file: string, value: unknown): Extension {
  if (typeof value !== 'object' || value === null)
    throw invalid(file, 'it must have a default export { policies: [...], schedules: [...] }')
  const { policies, schedules, ...rest } = value as Record<string, unknown>
  const unknown = Object.keys(rest)
  if (unknown.length > 0)
    throw invalid(file, `its default export has '${unknown[0]}'; known are policies and schedules`)
  return { policies: entries(file, 'policies', policies), schedules: entries(file, 'schedules', schedules) }
}

function entries<T>(file: string, key: string, value: unknown): readonly T[] {
  if (value === undefined) return []
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'object' && entry !== null)) return value as T[]
  throw invalid(file, `'${key}' of its default export must be a list of objects`)
}

function invalid(file: string, problem: string): ConfigError {
  return new ConfigError('INVALID', `extension ${file}: ${problem}`)
}

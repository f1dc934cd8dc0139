/**
 * Node's own modules, where this is Node: asked for when they are needed, not imported, so that the same file runs in a
 * browser, and a bundler for one finds nothing that it would have to replace.
 */

interface Host {
  readonly process?: { getBuiltinModule?(name: string): unknown }
}

function builtin<Module>(name: string): Module | null {
  return ((globalThis as Host).process?.getBuiltinModule?.(name) as Module | undefined) ?? null
}

export const nodeCrypto = (): typeof import('node:crypto') | null => builtin('node:crypto')

/** `require` as seen from the file at `url`; null elsewhere. */
export function nodeRequire(url: string): ((name: string) => unknown) | null {
  const module = builtin<typeof import('node:module')>('node:module')
  return module === null ? null : module.createRequire(url)
}

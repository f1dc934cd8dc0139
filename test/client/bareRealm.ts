/** Bundles for browsers, and a realm with what browsers and Node have in common: nothing of Node. */
import { types } from 'node:util'
import vm from 'node:vm'
import { type BuildOptions, build } from 'esbuild'

export interface Bundle {
  readonly code: string
  /** Files that are in it. */
  readonly inputs: readonly string[]
}

/** `code`: a module of TypeScript at the root of the project. Fails where something of Node would be needed. */
export async function bundleForBrowsers(code: string, options: BuildOptions = {}): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    platform: 'browser',
    format: 'iife',
    minify: true,
    write: false,
    metafile: true,
    logLevel: 'silent',
    // A page has no address of a module; only Node asks for one.
    define: { 'import.meta.url': '""' },
    ...options,
  })
  return { code: outputFiles![0]!.text, inputs: Object.keys(metafile!.inputs) }
}

/** A global object with these values and the platform's own; values pass as text, since realms have arrays of their own. */
export function bareRealm(values: Readonly<Record<string, unknown>> = {}): vm.Context {
  const platform = { TextEncoder, TextDecoder, URL, crypto: forRealms, performance, AbortController, queueMicrotask }
  const timers = { setTimeout: (f: () => void, ms: number) => Number(setTimeout(f, ms)), clearTimeout }
  const realm = vm.createContext({ ...platform, ...timers, ...values })
  vm.runInContext(OWN_ENCODER, realm)
  return realm
}

/** WebCrypto of Node refuses buffers of another realm. */
const own = (value: unknown): unknown => {
  if (types.isAnyArrayBuffer(value)) return new Uint8Array(value).slice()
  return ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice() : value
}
const subtle = new Proxy(crypto.subtle, {
  get: (target, name) => {
    const method = Reflect.get(target, name, target) as (...args: unknown[]) => unknown
    return (...args: unknown[]) => method.apply(target, args.map(own))
  },
})
const forRealms = { subtle, getRandomValues: crypto.getRandomValues.bind(crypto) }

/** In a browser everything is of one realm: what the encoder gives is a Uint8Array of the page. */
const OWN_ENCODER = `{
  const encoder = new TextEncoder()
  globalThis.TextEncoder = class { encode(text) { return Uint8Array.from(encoder.encode(text)) } }
}`

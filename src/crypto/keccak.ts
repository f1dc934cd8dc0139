/** keccak256 as Ethereum uses it (original padding, not SHA3-256), behind a port with two implementations. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { type Hash, hexDigits, toHex } from '../core/bytes.js'
import { digestAt, keccakModule, messageAt, messageBytesMax } from './keccakModule.js'

export interface Keccak {
  readonly name: 'wasm' | 'noble'
  /** Digest of 32 bytes. */
  keccak256(bytes: Uint8Array): Uint8Array
  /** The same digest as an identity. */
  keccakHash(bytes: Uint8Array): Hash
}

/** Fallback where WebAssembly is missing, and oracle in the tests. */
export const nobleKeccak: Keccak = {
  name: 'noble',
  keccak256: (bytes) => keccak_256(bytes),
  keccakHash: (bytes) => toHex(keccak_256(bytes)) as Hash,
}

/** WebAssembly implementation; null where WebAssembly does not run. */
export const wasmKeccak: Keccak | null = loadWasmKeccak()

/** The implementation in use. */
export const keccak: Keccak = wasmKeccak ?? nobleKeccak

/** keccak256 digest, 32 bytes. */
export const keccak256: (bytes: Uint8Array) => Uint8Array = keccak.keccak256

/** keccak256 digest as an identity. */
export const keccakHash: (bytes: Uint8Array) => Hash = keccak.keccakHash

/** The part of the JavaScript API that is used here; Node's types leave it to the DOM's. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => KeccakInstance
}

interface KeccakInstance {
  readonly exports: { readonly memory: { readonly buffer: ArrayBuffer }; keccak(length: number): void }
}

function loadWasmKeccak(): Keccak | null {
  const { WebAssembly } = globalThis as { readonly WebAssembly?: WebAssemblyApi }
  if (WebAssembly === undefined) return null
  const instance = instantiate(WebAssembly)
  if (instance === null) return null
  const { keccak: hash, memory: own } = instance.exports
  // The memory never grows, so that views of it stay valid.
  const memory = new Uint8Array(own.buffer)
  const digits = hexDigits(memory)
  return {
    name: 'wasm',
    keccak256(bytes) {
      if (bytes.length > messageBytesMax) return keccak_256(bytes)
      memory.set(bytes, messageAt)
      hash(bytes.length)
      return memory.slice(digestAt, digestAt + 32)
    },
    keccakHash(bytes) {
      if (bytes.length > messageBytesMax) return nobleKeccak.keccakHash(bytes)
      memory.set(bytes, messageAt)
      hash(bytes.length)
      return `0x${digits(digestAt, digestAt + 32)}` as Hash
    },
  }
}

/** null where a page's policy forbids it, or its thread may not compile a module of this size. */
function instantiate({ Instance, Module }: WebAssemblyApi): KeccakInstance | null {
  try {
    return new Instance(new Module(keccakModule()))
  } catch {
    return null
  }
}

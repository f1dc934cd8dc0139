/** keccak256 as Ethereum uses it (original padding, not SHA3-256), behind a port with two implementations. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { type Hash, toHex } from '../core/bytes.js'
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
  readonly Instance: new (
    module: object,
  ) => { readonly exports: { readonly memory: { readonly buffer: ArrayBuffer }; keccak(length: number): void } }
}

function loadWasmKeccak(): Keccak | null {
  const { WebAssembly } = globalThis as { readonly WebAssembly?: WebAssemblyApi }
  if (WebAssembly === undefined) return null
  const { keccak: hash, memory: own } = new WebAssembly.Instance(new WebAssembly.Module(keccakModule())).exports
  // The memory never grows, so that views of it stay valid.
  const memory = new Uint8Array(own.buffer)
  const digest = Buffer.from(own.buffer, digestAt, 32)
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
      return `0x${digest.toString('hex')}` as Hash
    },
  }
}

/** keccak256 as Ethereum uses it (original padding, not SHA3-256), behind a port with two implementations. */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { createKeccak } from 'hash-wasm'
import { type Hash, toHex } from '../core/bytes.js'

export interface Keccak {
  readonly name: 'wasm' | 'noble'
  /** Digest of 32 bytes. */
  keccak256(bytes: Uint8Array): Uint8Array
}

/** Fallback where WebAssembly is missing, and oracle in the tests. */
export const nobleKeccak: Keccak = { name: 'noble', keccak256: (bytes) => keccak_256(bytes) }

/** WebAssembly implementation; null where WebAssembly does not run. */
export const wasmKeccak: Keccak | null = await loadWasmKeccak()

/** The implementation in use. */
export const keccak: Keccak = wasmKeccak ?? nobleKeccak

/** keccak256 digest, 32 bytes. */
export const keccak256: (bytes: Uint8Array) => Uint8Array = keccak.keccak256

/** keccak256 digest as an identity. */
export function keccakHash(bytes: Uint8Array): Hash {
  return toHex(keccak256(bytes)) as Hash
}

async function loadWasmKeccak(): Promise<Keccak | null> {
  try {
    const hasher = await createKeccak(256)
    return { name: 'wasm', keccak256: (bytes) => hasher.init().update(bytes).digest('binary') }
  } catch {
    return null
  }
}

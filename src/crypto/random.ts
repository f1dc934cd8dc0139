/** Random bytes from the system's generator, by the interface that Node and browsers share (Web Cryptography API, 10.1.1). */

/** At most 65,536 at once. */
export function randomBytes(length: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(length))
}

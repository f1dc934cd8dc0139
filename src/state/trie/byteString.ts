/**
 * Bytes as strings of one byte a character. The nodes of a trie hold them so: a short Uint8Array takes about 220 bytes of
 * heap and its own ArrayBuffer, a string of 32 bytes takes 48, and there are three of them in each leaf.
 */

export type ByteString = string

const pool = Buffer.alloc(1024)

export function toByteString(bytes: Uint8Array): ByteString {
  const { length } = bytes
  if (length > pool.length) return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('latin1')
  if (length > 64) pool.set(bytes)
  else for (let i = 0; i < length; i++) pool[i] = bytes[i]!
  return pool.toString('latin1', 0, length)
}

export function fromByteString(text: ByteString): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

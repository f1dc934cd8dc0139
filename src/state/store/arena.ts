/** Many small byte arrays cut from few large ones: a block's batch has tens of thousands, and each of its own would cost an allocation. */
const CHUNK_BYTES = 256 * 1024

export class ByteArena {
  private chunk = new Uint8Array(CHUNK_BYTES)
  private used = 0

  /** `length` zero bytes. The memory stays while some array cut from the same chunk is in use. */
  take(length: number): Uint8Array {
    if (this.used + length > CHUNK_BYTES) {
      if (length > CHUNK_BYTES / 4) return new Uint8Array(length)
      this.chunk = new Uint8Array(CHUNK_BYTES)
      this.used = 0
    }
    const from = this.used
    this.used += length
    return this.chunk.subarray(from, this.used)
  }

  copyOf(bytes: Uint8Array): Uint8Array {
    const copy = this.take(bytes.length)
    copy.set(bytes)
    return copy
  }

  concat(a: Uint8Array, b: Uint8Array): Uint8Array {
    const joined = this.take(a.length + b.length)
    joined.set(a)
    joined.set(b, a.length)
    return joined
  }
}

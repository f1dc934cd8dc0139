/** Answers and notifications that clients have not read yet: bounded for all of them together, at the cost of the slowest. */

import type { Line } from './line.js'

interface Entry {
  readonly line: Line
  readonly bytes: number
  cut(): void
}

export class Unread {
  /** Insertion order is age. */
  readonly #entries = new Set<Entry>()
  #bytes = 0

  constructor(readonly bytesMax: number) {}

  get bytes(): number {
    return this.#bytes
  }

  /** `cut` ends the connection when others need the room. Call what is returned once the bytes have left, or the client has. */
  add(line: Line, bytes: number, cut: () => void): () => void {
    const entry = { line, bytes, cut }
    line.sent(bytes)
    this.#entries.add(entry)
    this.#bytes += bytes
    for (const oldest of this.#entries) {
      if (this.#bytes <= this.bytesMax) break
      this.#remove(oldest)
      oldest.cut()
    }
    return () => this.#remove(entry)
  }

  #remove(entry: Entry): void {
    if (!this.#entries.delete(entry)) return
    this.#bytes -= entry.bytes
    entry.line.read(entry.bytes)
  }
}

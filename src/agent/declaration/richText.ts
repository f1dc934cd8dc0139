/** Texts of a workbook, which may be in pieces of different look. */

/** Text of `<si>` and `<is>`: their `<t>` one after the other, without phonetic hints. */
export class RichText {
  #pieces: string[] = []
  #inText = false
  #phonetic = 0

  clear(): void {
    this.#pieces = []
  }

  open(name: string): void {
    if (name === 'rPh') this.#phonetic++
    if (name === 't') this.#inText = true
  }

  add(text: string): void {
    if (this.#inText && this.#phonetic === 0) this.#pieces.push(text)
  }

  close(name: string): void {
    if (name === 'rPh') this.#phonetic--
    if (name === 't') this.#inText = false
  }

  /** `_x000D_` stands for a character that XML cannot hold. */
  get value(): string {
    const text = this.#pieces.length === 1 ? this.#pieces[0]! : this.#pieces.join('')
    if (!text.includes('_x')) return text
    return text.replace(/_x([0-9A-Fa-f]{4})_/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  }
}

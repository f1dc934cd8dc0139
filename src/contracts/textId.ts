/** Names as 32-byte words: printable ASCII, left-aligned, padded with zeros (Solidity's bytes32 string literals). */
import { fromHex, type Hash, toHex } from '../core/bytes.js'
import { CodedError } from '../core/codedError.js'

export class TextIdError extends CodedError<'NOT_ASCII' | 'LENGTH' | 'PADDING'> {}

const PRINTABLE = /^[\x21-\x7e]*$/
const WORD = /^0x((?:[0-9a-f]{2})*?)((?:00)*)$/

/** Word of 1..32 printable ASCII characters without spaces. Throws TextIdError naming `title`. */
export function textId(text: string, title = 'id'): Hash {
  if (text.length < 1 || text.length > 32) {
    throw new TextIdError('LENGTH', `${title} must have 1 to 32 characters, got ${text.length}`)
  }
  if (!PRINTABLE.test(text)) throw new TextIdError('NOT_ASCII', `${title} must be printable ASCII without spaces`)
  const word = new Uint8Array(32)
  for (let i = 0; i < text.length; i++) word[i] = text.charCodeAt(i)
  return toHex(word) as Hash
}

/** Text of a word that textId made; throws TextIdError for any other word. */
export function idText(id: Hash, title = 'id'): string {
  const hex = WORD.exec(id)?.[1]
  if (hex === undefined || hex.length === 0 || id.length !== 66) {
    throw new TextIdError('LENGTH', `${title} must be a 32-byte word that begins with text`)
  }
  const text = String.fromCharCode(...fromHex(`0x${hex}`))
  if (!PRINTABLE.test(text)) throw new TextIdError('PADDING', `${title} holds bytes that are not printable ASCII`)
  return text
}

export function isTextId(id: Hash): boolean {
  try {
    idText(id)
    return true
  } catch {
    return false
  }
}

/** Id of an attribute, by which the chain names it. */
export const attributeId = (name: string): Hash => textId(name, 'attribute name')

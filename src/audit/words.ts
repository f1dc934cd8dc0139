/** Words of the chain as people read them. */
import { idText, TextIdError } from '../contracts/textId.js'
import { type Hash, ZERO_HASH } from '../core/bytes.js'

/** Text of an id; a word that holds none stays hex, and zero is nothing. */
export function wordText(word: Hash): string | null {
  if (word === ZERO_HASH) return null
  try {
    return idText(word)
  } catch (error) {
    if (error instanceof TextIdError) return word
    throw error
  }
}

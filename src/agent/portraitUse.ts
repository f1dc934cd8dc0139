/** Answers from the user portrait where a rule wants a basis: a transaction, on record. */
import { fromHex, type Hash } from '../core/bytes.js'
import type { Connection } from './connection.js'
import { dataSharing, view } from './contractClient.js'
import { refusalIn } from './questionRefused.js'

interface PortraitQuestion {
  readonly enterpriseId: Hash
  readonly purpose: Hash
  readonly basis: Hash
  readonly items: readonly { readonly attribute: Hash; readonly digest: Hash }[]
}

/**
 * What the portrait says, in the order of the items; null, and nothing counted, unless it holds all of them: a question to the
 * supervisors costs one use of the basis, whatever it asks. Throws QuestionRefused.
 */
export async function usePortrait({ client, sender }: Connection, question: PortraitQuestion) {
  const { enterpriseId, items } = question
  if (items.length === 0) return null
  const held = await view(client, dataSharing, 'portraitHeld', { enterpriseId, items })
  if (!held.every((one) => one)) return null
  const transaction = await sender.send(dataSharing, 'usePortrait', question)
  const receipt = await sender.final(transaction)
  const refusal = refusalIn(receipt)
  if (refusal !== undefined) throw refusal
  for (const { topics, data } of receipt.logs) {
    const used = dataSharing.abi.decodeEvent('PortraitUsed', { topics, data: fromHex(data) })
    if (used !== undefined) return { transaction, entries: used.entries }
  }
  return null
}

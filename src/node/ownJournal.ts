/** The journal of this node, and whether it tells all that this sealer signed. A node that cannot be sure does not sign (R16). */
import { join } from 'node:path'
import { encodeJournalRecord } from '../consensus/codec.js'
import { type Address, asEpoch, asView, concatBytes, fromHex, type Hash } from '../core/bytes.js'
import type { ChainStore } from '../state/chainStore.js'
import { isBefore, Journal, type JournalPosition } from '../state/journal.js'

/** Name under which each final block keeps how far the journal had come before it. */
export const JOURNAL_META = 'journal'

export interface OwnJournal {
  readonly journal: Journal
  /** What the engine starts from. */
  readonly records: readonly Uint8Array[]
  /** Why votes may be missing; undefined when none can be. */
  readonly doubt: string | undefined
}

export interface OwnJournalOptions {
  readonly dir: string
  readonly genesisHash: Hash
  readonly self: Address
  readonly store: Pick<ChainStore, 'meta' | 'head'>
  /** The operator vouches that nothing was signed that is not in the journal. */
  readonly acceptLost: boolean
  readonly log: { warn(fields: object, message: string): void }
}

const IN_DOUBT =
  'votes of this sealer may be unknown here: it votes again once the others have told how far they are and gone on from there'

/** Opens or creates it, before a new database gets its first block: a database without a journal has lost it. Throws JournalError. What is found out is in the journal before this returns, so that no restart forgets it. */
export function openOwnJournal({ dir, genesisHash, self, store, acceptLost, log }: OwnJournalOptions): OwnJournal {
  const owner = concatBytes(fromHex(genesisHash), fromHex(self))
  const journal = Journal.open(join(dir, 'consensus.journal'), { owner })
  try {
    const known = readPosition(store.meta(JOURNAL_META))
    const head = store.head()
    const doubt = doubtOf(journal, known, head !== undefined)
    const records = journal.records()
    if (doubt === undefined && !acceptLost) return { journal, records, doubt }
    if (!acceptLost) log.warn({ reason: doubt }, IN_DOUBT)
    const below = acceptLost ? asView(0) : null
    const kept = [
      ...records,
      encodeJournalRecord({ type: 'abstain', epoch: asEpoch(0), below, first: head === undefined }),
    ]
    journal.rewrite(kept, (known?.generation ?? 0) + 1)
    return { journal, records: kept, doubt: acceptLost ? undefined : doubt }
  } catch (error) {
    journal.close()
    throw error
  }
}

function doubtOf(journal: Journal, known: JournalPosition | undefined, hasDatabase: boolean): string | undefined {
  const { position } = journal
  // Whatever this function decided on before was rewritten.
  if (position.generation === 0)
    return hasDatabase ? 'the journal is missing' : 'the node has neither a chain nor a journal'
  return known !== undefined && isBefore(position, known) ? 'the journal is older than the chain' : undefined
}

/** generation u32 | sequence u32 */
export function encodePosition({ generation, sequence }: JournalPosition): Uint8Array {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, generation)
  view.setUint32(4, sequence)
  return bytes
}

function readPosition(bytes: Uint8Array | undefined): JournalPosition | undefined {
  if (bytes === undefined) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return { generation: view.getUint32(0), sequence: view.getUint32(4) }
}

/** Whether a node may trust its journal. */
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { decodeJournalRecord, encodeJournalRecord } from '../../src/consensus/codec.js'
import { concatBytes, fromHex } from '../../src/core/bytes.js'
import { encodePosition, JOURNAL_META, openOwnJournal } from '../../src/node/ownJournal.js'
import { Journal } from '../../src/state/journal.js'
import { genesisHash, sealers, voteBy } from './world.js'

const record = (view: number) => encodeJournalRecord({ type: 'vote', vote: voteBy(0, 'nullify', view) })
const read = (bytes: Uint8Array) =>
  decodeJournalRecord(bytes, () => {
    throw new Error('no blocks here')
  })

const log = { warn() {} }

/** A node's folder with a database that holds what a final block says of the journal. */
class Folder {
  readonly dir: string
  /** Of the last final block; undefined: no database yet. */
  height: number | undefined
  meta: Uint8Array | undefined

  constructor(dir: string) {
    this.dir = join(dir, 'journal')
  }

  get file(): string {
    return join(this.dir, 'consensus.journal')
  }

  open(acceptLost = false) {
    const store = {
      meta: (key: string) => (key === JOURNAL_META ? this.meta : undefined),
      head: () => (this.height === undefined ? undefined : ({ height: this.height } as never)),
    }
    const own = openOwnJournal({ dir: this.dir, genesisHash, self: sealers[0]!, store, acceptLost, log })
    return { ...own, records: own.records.map(read), close: () => own.journal.close() }
  }

  /** A vote, and then a final block. */
  finalBlock(journal: Journal, view: number): void {
    journal.append(record(view))
    journal.sync()
    this.height = (this.height ?? 0) + 1
    this.meta = encodePosition(journal.position)
  }

  /** The doubt at the next start, if any. */
  doubt(): string | undefined {
    const own = this.open()
    own.close()
    return own.doubt
  }
}

const inDoubt = { type: 'abstain', below: null }

t.test('a journal that goes with the database is trusted', async (t) => {
  const folder = new Folder(t.testdir())
  const first = folder.open()
  t.match(first, { doubt: /neither a chain nor a journal/, records: [{ ...inDoubt, first: true }] })
  first.close()
  const second = folder.open()
  t.match(second, { doubt: undefined, records: [inDoubt] }, 'the wait is in the journal')
  folder.finalBlock(second.journal, 1)
  second.journal.append(record(2))
  second.journal.sync()
  second.close()
  const third = folder.open()
  t.match(third, { doubt: undefined, records: [inDoubt, { type: 'vote' }, { type: 'vote' }] })
  third.journal.rewrite([record(2)])
  third.close()
  t.equal(folder.doubt(), undefined, 'rewritten after the last block')
})

t.test('a missing journal, an old copy, a lost end', async (t) => {
  const folder = new Folder(t.testdir())
  const own = folder.open()
  folder.finalBlock(own.journal, 1)
  own.close()
  copyFileSync(folder.file, `${folder.file}.old`)
  const later = folder.open()
  folder.finalBlock(later.journal, 2)
  later.close()

  copyFileSync(`${folder.file}.old`, folder.file)
  const old = folder.open()
  t.match(old, { doubt: 'the journal is older than the chain', records: [inDoubt, { type: 'vote' }, inDoubt] })
  old.close()
  const again = folder.open()
  t.match(again, { doubt: undefined, records: [inDoubt, { type: 'vote' }, inDoubt] }, 'still in doubt')
  folder.finalBlock(again.journal, 3)
  again.journal.rewrite([])
  folder.finalBlock(again.journal, 4)
  again.close()

  copyFileSync(`${folder.file}.old`, folder.file)
  t.equal(folder.doubt(), 'the journal is older than the chain', 'of another generation')
  rmSync(folder.file)
  t.equal(folder.doubt(), 'the journal is missing')
  t.equal(folder.doubt(), undefined, 'it has a journal again, which says that it is in doubt')
  t.match(folder.open().records, [inDoubt])
})

t.test('a database without a journal has lost it, also where the chain has not begun', async (t) => {
  const folder = new Folder(t.testdir())
  folder.height = 0
  t.match(folder.open(), { doubt: 'the journal is missing', records: [{ ...inDoubt, first: false }] })
})

t.test('killed between creating the file and deciding on it', async (t) => {
  const folder = new Folder(t.testdir())
  Journal.open(folder.file, { owner: concatBytes(fromHex(genesisHash), fromHex(sealers[0]!)) }).close()
  t.match(folder.open(), { doubt: /neither/, records: [inDoubt] })
})

t.test('a database older than the journal is no reason to doubt the journal', async (t) => {
  const folder = new Folder(t.testdir())
  const own = folder.open()
  folder.finalBlock(own.journal, 1)
  const { meta } = folder
  folder.finalBlock(own.journal, 2)
  own.close()
  folder.meta = meta!
  t.equal(folder.doubt(), undefined)
})

t.test('an operator may vouch for it', async (t) => {
  const folder = new Folder(t.testdir())
  folder.height = 5
  t.match(folder.open(), { doubt: 'the journal is missing' })
  const vouched = folder.open(true)
  t.match(vouched, { doubt: undefined, records: [inDoubt, { type: 'abstain', below: 0 }] })
  vouched.close()
  t.match(folder.open(), { doubt: undefined, records: [inDoubt, { type: 'abstain', below: 0 }] })
})

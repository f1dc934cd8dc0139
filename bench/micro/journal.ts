/** A vote on disk before it leaves: the journal against an appended file and against a synced put of LevelDB. */
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { encodeJournalRecord } from '../../src/consensus/codec.js'
import { asEpoch, asView, toHash, toHex, uintToWord } from '../../src/core/bytes.js'
import { Journal } from '../../src/state/journal.js'
import { frameBytes } from '../../src/state/journalFrames.js'
import { quantiles } from '../harness/statistics.js'
import { type Benchmark, OURS, type Prepared, type Side } from './benchmark.js'

/** The nth vote of a sealer, as the journal keeps it. */
function voteRecord(n: number): Uint8Array {
  const block = toHash(uintToWord(n))
  const vote = { kind: 'notarize', epoch: asEpoch(0), view: asView(1_000_000 + n), block } as const
  const signature = new Uint8Array(65).fill(0xee)
  return encodeJournalRecord({ type: 'vote', vote: { ...vote, signer: `0x${'ab'.repeat(20)}` as never, signature } })
}

/** Wall time of one durable record in µs: the median of `count`, as other writers of the same disk delay single ones for long. */
function timedSide(name: string, count: number, write: (record: Uint8Array) => unknown, result: Side['result']): Side {
  let written = 0
  return {
    name,
    async measure() {
      const times: number[] = []
      for (let n = 0; n < count; n++) {
        const record = voteRecord(++written)
        const start = performance.now()
        await write(record)
        times.push((performance.now() - start) * 1_000)
      }
      return quantiles(times).p50
    },
    async result() {
      await write(voteRecord(0))
      return result!()
    },
  }
}

function journalSide(dir: string, count: number): Side & { close(): void } {
  const path = join(dir, 'journal')
  let journal = Journal.open(path)
  const write = (record: Uint8Array) => {
    journal.append(record)
    journal.sync()
  }
  const readBack = () => {
    journal.close()
    journal = Journal.open(path)
    return toHex(journal.records()[0]!)
  }
  return { ...timedSide(OURS, count, write, readBack), close: () => journal.close() }
}

/** As many bytes as the journal's frame has, at the end of a file that grows with them. */
function fileSide(dir: string, count: number): Side & { close(): void } {
  const path = join(dir, 'file')
  const fd = openSync(path, 'a')
  const write = (record: Uint8Array) => {
    const frame = new Uint8Array(frameBytes(4 + record.length))
    frame.set(record)
    writeSync(fd, frame)
    fdatasyncSync(fd)
  }
  const readBack = () => toHex(readFileSync(path).subarray(0, voteRecord(0).length))
  return { ...timedSide('write and fdatasync', count, write, readBack), close: () => closeSync(fd) }
}

async function levelSide(dir: string, count: number): Promise<Side & { close(): Promise<void> }> {
  const database = new ClassicLevel<Uint8Array, Uint8Array>(join(dir, 'level'), {
    keyEncoding: 'view',
    valueEncoding: 'view',
  })
  await database.open()
  let key = 0
  const write = (record: Uint8Array) => database.put(uintToWord(key++), record, { sync: true })
  const readBack = async () => toHex((await database.get(uintToWord(0)))!)
  return { ...timedSide('classic-level', count, write, readBack), close: () => database.close() }
}

type Closable = Side & { close(): void | Promise<void> }

function journalBenchmark(
  name: string,
  other: (dir: string, count: number) => Closable | Promise<Closable>,
): Benchmark {
  return {
    name,
    quantity: 'wall time of a durable vote, p50',
    unit: 'µs',
    async setup({ dir, sizes: { journalSyncs } }): Promise<Prepared> {
      const sides = [journalSide(dir, journalSyncs), await other(dir, journalSyncs)] as const
      return {
        sides,
        async teardown() {
          for (const side of sides) await side.close()
        },
      }
    },
  }
}

export const journalBenchmarks: readonly Benchmark[] = [
  journalBenchmark('journal and a plain file', fileSide),
  journalBenchmark('journal and a synced put', levelSide),
]

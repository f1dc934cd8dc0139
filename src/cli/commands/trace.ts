import { Command } from 'commander'
import { auditTrail } from '../../agent/auditClient.js'
import { createDirectory } from '../../agent/directory.js'
import { keySigner } from '../../agent/signer.js'
import { traceChain } from '../../agent/trace.js'
import { FAILED_BLOCKS_MAX, traceFailed } from '../../agent/traceFailed.js'
import { TRACE_KINDS, type TraceEntry } from '../../audit/entry.js'
import type { TraceQuery } from '../../audit/query.js'
import { SummaryBuilder } from '../../audit/summary.js'
import type { TrailPage } from '../../audit/trail.js'
import { idText } from '../../contracts/textId.js'
import type { Address } from '../../core/bytes.js'
import type { RpcClient } from '../../rpc/client.js'
import { privateKeyOf, reading, withSigner } from '../connection.js'
import { UsageError } from '../errors.js'
import { createOutput } from '../output.js'
import { type TraceFlags, traceQuery, wholeNumber } from '../trace/query.js'
import { type Names, showSummary, showTrail } from '../trace/show.js'

/** Entries that one table or document may hold. */
const LIMIT_MAX = 100_000

/** `concordat trace`: who asked and answered what, about whom, on which basis. */
export function traceCommand(): Command {
  return withSigner(new Command('trace'))
    .option('--enterprise <id>', 'about this enterprise')
    .option('--department <id>', 'by or for this member: its id, its name in the local network, or its address')
    .option('--attribute <name>', 'about this attribute')
    .option('--purpose <text>', 'asked for this purpose')
    .option('--since <when>', 'from this block or time on (2026-03-01T08:00:00Z)')
    .option('--until <when>', 'up to this block or time')
    .option('--kind <kind>', `of this kind; may be repeated: ${TRACE_KINDS.join(', ')}`, collect, [])
    .option('--summary', 'statistics instead of the steps')
    .option('--failed', `transactions without effect instead, in at most ${FAILED_BLOCKS_MAX} blocks`)
    .option('--as <name>', 'ask as this account of the network (or with --key-file), and see reads too')
    .option('--limit <number>', 'steps to show at most', '1000')
    .addHelpText('after', '\nExample:\n  concordat trace --network net --enterprise 91440300708461136T --since 100')
    .action((flags: TraceFlags) => reading(flags, (client) => trace(flags, client), flags.as))
}

async function trace(flags: TraceFlags, client: RpcClient): Promise<void> {
  const limit = wholeNumber('--limit', flags.limit, LIMIT_MAX)
  const query = await traceQuery(flags, client)
  const pages = withProgress(await pagesOf(flags, query, client), query)
  const names = await memberNames(client)
  const out = createOutput(flags.json ?? false)
  if (flags.summary) {
    const builder = new SummaryBuilder()
    for await (const { entries } of pages) for (const entry of entries) builder.add(entry)
    showSummary(out, builder.result(), names)
    out.result(builder.result())
    return
  }
  const { entries, continueAt } = await upTo(limit, pages)
  showTrail(out, entries, names)
  if (continueAt !== null) out.line(`there is more; go on with --since ${continueAt}, or raise --limit`)
  out.result({ fromBlock: query.fromBlock, toBlock: query.toBlock, continueAt, entries: entries.map(named(names)) })
}

/** From final blocks alone, or, for who proves a key, from the node with its record of reads. */
async function pagesOf(flags: TraceFlags, query: TraceQuery, client: RpcClient): Promise<AsyncGenerator<TrailPage>> {
  if (flags.failed) return failedPages(query, client)
  if (flags.as === undefined && flags.keyFile === undefined) return traceChain(client, query)
  const { fromBlock, toBlock, department, kinds } = query
  const { enterprise, attribute, purpose } = flags
  const asked = { fromBlock, toBlock, enterprise, department, attribute, purpose, kinds: kinds && [...kinds] }
  return auditTrail(client, keySigner(await privateKeyOf(flags, flags.as ?? '')), asked)
}

function failedPages({ fromBlock, toBlock }: TraceQuery, client: RpcClient): AsyncGenerator<TrailPage> {
  const blocks = toBlock - fromBlock + 1
  if (blocks > FAILED_BLOCKS_MAX) {
    throw new UsageError(
      `--failed goes through ${FAILED_BLOCKS_MAX} blocks, not ${blocks}: narrow it with --since or --until`,
    )
  }
  return traceFailed(client, fromBlock, toBlock)
}

/** Whole blocks, until they hold `limit` entries; `continueAt`: the block behind them, where there is one. */
async function upTo(limit: number, pages: AsyncIterable<TrailPage>) {
  const entries: TraceEntry[] = []
  for await (const page of pages) {
    for (const entry of page.entries) {
      if (entries.length >= limit && entry.block !== entries.at(-1)!.block) return { entries, continueAt: entry.block }
      entries.push(entry)
    }
  }
  return { entries, continueAt: null }
}

/** Says on a terminal how far a long search has come. */
async function* withProgress(pages: AsyncGenerator<TrailPage>, { toBlock }: TraceQuery): AsyncGenerator<TrailPage> {
  const started = Date.now()
  let shown = false
  for await (const page of pages) {
    if (process.stderr.isTTY && Date.now() - started > 1_000 && page.toBlock < toBlock) {
      process.stderr.write(`\rblock ${page.toBlock} of ${toBlock} `)
      shown = true
    }
    yield page
  }
  if (shown) process.stderr.write('\r\x1b[K')
}

async function memberNames(client: RpcClient): Promise<Names> {
  const known = await createDirectory(client).members()
  return new Map(known.map(({ account, id }) => [account, idText(id)]))
}

const named = (names: Names) => (entry: TraceEntry) => ({ ...entry, whoName: names.get(entry.who as Address) ?? null })

const collect = (value: string, previous: string[]): string[] => [...previous, ...value.split(',')]

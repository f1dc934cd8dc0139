/** What a campaign prints: progress while it runs, a table at its end. */
import type { CampaignResult, Progress } from './campaign.js'
import { replayCommand } from './outline.js'
import { quantile, type Tally } from './tally.js'

/** Failures that are printed one by one. */
const failuresShownMax = 20

export function progressLine({ seeds, of, failures, seconds }: Progress): string {
  const rate = seeds / seconds
  return `${seeds} of ${of} seeds, ${failures} failed, ${rate.toFixed(0)} seeds/s, ${timeText((of - seeds) / rate)} left`
}

export function failureLines({ failures }: Tally): string[] {
  return failures.flatMap((failure) => [firstLine(failure.violation), `    ${replayCommand(failure)}`])
}

export function summaryLines({ bySize, seconds, interrupted }: CampaignResult): string[] {
  const rows = [...bySize].map(([size, tally]) => rowOf(size, tally))
  const head = [
    'sealers',
    'seeds',
    'failed',
    'blocks',
    'epochs',
    'settled after ms: median',
    '99 %',
    'worst',
    'views: 99 %',
    'worst',
  ]
  const seeds = [...bySize.values()].reduce((sum, tally) => sum + tally.seeds, 0)
  const failed = [...bySize.values()].flatMap((tally) => tally.failures)
  return [
    ...tableLines([head, ...rows]),
    '',
    `${seeds} seeds in ${timeText(seconds)}, ${(seeds / seconds).toFixed(1)} seeds/s, ${failed.length} failed${interrupted ? ', interrupted' : ''}`,
    ...failed.slice(0, failuresShownMax).map((failure) => `    ${replayCommand(failure)}`),
  ]
}

function rowOf(size: number | null, tally: Tally): string[] {
  const { settledMs, settledViews } = tally
  return [
    size === null ? 'any' : `${size}`,
    `${tally.seeds}`,
    `${tally.failures.length}`,
    `${tally.blocks}`,
    `${tally.epochs}`,
    `${quantile(settledMs, 0.5)}`,
    `${quantile(settledMs, 0.99)}`,
    `${quantile(settledMs, 1)}`,
    `${quantile(settledViews, 0.99)}`,
    `${quantile(settledViews, 1)}`,
  ]
}

export function summaryJson({ bySize, seconds, interrupted }: CampaignResult): unknown {
  const sizes = [...bySize].map(([nodes, tally]) => ({
    nodes,
    seeds: tally.seeds,
    blocks: tally.blocks,
    epochs: tally.epochs,
    views: tally.views,
    messages: tally.messages,
    settledMs: spread(tally.settledMs),
    settledViews: spread(tally.settledViews),
    failures: tally.failures.map((failure) => ({ ...failure, replay: replayCommand(failure) })),
  }))
  return { seconds, interrupted, sizes }
}

function spread(histogram: ReadonlyMap<number, number>): Record<string, number> {
  return { median: quantile(histogram, 0.5), p99: quantile(histogram, 0.99), worst: quantile(histogram, 1) }
}

/** Columns aligned to the right. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '))
}

export function timeText(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown time'
  if (seconds < 100) return `${seconds.toFixed(0)} s`
  return seconds < 6000 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`
}

export function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}

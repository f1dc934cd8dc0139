/** What commands print: tables for people, one JSON document for scripts (`--json`). */
import { renderTable } from './table.js'

export interface Output {
  readonly json: boolean
  /** A line for people; nothing with --json. */
  line(text?: string): void
  /** Rows under a header for people; nothing with --json. */
  table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void
  /** The result for scripts; nothing without --json. */
  result(value: unknown): void
}

export function createOutput(json: boolean, stream: NodeJS.WritableStream = process.stdout): Output {
  const write = (text: string) => void stream.write(`${text}\n`)
  return {
    json,
    line: (text = '') => json || write(text),
    table: (head, rows) => json || write(renderTable(head, rows, widthOf(stream))),
    result: (value) => json && write(JSON.stringify(value, bigintAsString, 2)),
  } as Output
}

/** Of a terminal; a pipe or a file takes lines of any length. */
function widthOf(stream: NodeJS.WritableStream & { readonly columns?: number }): number | undefined {
  return stream.columns || undefined
}

/** `0x1234…abcd` */
export function short(hex: string, digits = 6): string {
  return hex.length <= 2 * digits + 3 ? hex : `${hex.slice(0, 2 + digits)}…${hex.slice(-4)}`
}

export function formatMs(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

function bigintAsString(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}

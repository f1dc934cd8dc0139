/** Bytes of forms -> text, CSV -> a grid. */
import { CsvError, parse as parseCsv } from 'csv-parse/sync'
import { DeclarationError } from './declarationError.js'
import { type CellBudget, Grid } from './grid.js'

/** What a manifest may say of a text file. GB18030 holds GBK and GB2312. */
export const TEXT_ENCODINGS = ['utf-8', 'gb18030'] as const
export type TextEncoding = (typeof TEXT_ENCODINGS)[number]

export const CSV_DELIMITERS = { comma: ',', semicolon: ';', tab: '\t' } as const
export type CsvDelimiter = keyof typeof CSV_DELIMITERS

/** A byte order mark is dropped. Throws DeclarationError. */
export function decodeForm(bytes: Uint8Array, encoding: TextEncoding, file: string): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    const other = encoding === 'utf-8' ? 'gb18030' : 'utf-8'
    const problem = `is not ${encoding} text: save it so, or name its encoding ("encoding": "${other}") in the manifest`
    throw new DeclarationError(encoding === 'utf-8' ? 'NOT_UTF8' : 'BAD_ENCODING', problem, { file })
  }
}

/** Rows as they are in the file; quoted fields as in RFC 4180. Throws DeclarationError. */
export function readCsv(text: string, file: string, delimiter: CsvDelimiter = 'comma', budget?: CellBudget): Grid {
  const grid = new Grid({ file }, budget)
  for (const [row, cells] of csvRows(text, file, delimiter).entries()) {
    for (const [column, cell] of cells.entries()) grid.put(row, column, cell)
  }
  return grid
}

function csvRows(text: string, file: string, delimiter: CsvDelimiter): string[][] {
  try {
    const options = { delimiter: CSV_DELIMITERS[delimiter], relax_column_count: true, skip_empty_lines: false }
    return parseCsv(text, options) as string[][]
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const row = 'lines' in error && typeof error.lines === 'number' ? error.lines : 1
    throw new DeclarationError('NOT_CSV', `is not valid CSV (${error.message.slice(0, 200)})`, { file, row })
  }
}

/** How statements are put together: identifiers quoted, values always parameters. */

/** PostgreSQL cuts longer names off; ours are refused instead. */
export const identifierBytesMax = 63

export interface TableName {
  readonly schema: string
  readonly name: string
}

export const quoted = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`
export const quotedTable = ({ schema, name }: TableName): string => `${quoted(schema)}.${quoted(name)}`
export const tableText = ({ schema, name }: TableName): string => `${schema}.${name}`

/** Values of one statement; `add` gives the placeholder that stands for the value. */
export class Parameters {
  readonly values: unknown[] = []

  constructor(values: readonly unknown[] = []) {
    this.values.push(...values)
  }

  add(value: unknown, type: string): string {
    this.values.push(value)
    return `$${this.values.length}::${type}`
  }
}

/** The one character that PostgreSQL's text cannot hold; nothing canonical has it, a registered name might. */
export const storable = (text: string): string => text.replaceAll('\0', '\uFFFD')

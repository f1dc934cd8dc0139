import type { DatabaseCheck } from '../../agent/database/postgres/check.js'
import { CommandError } from '../errors.js'
import { createOutput } from '../output.js'
import { postgresOptions } from './database.js'
import type { DatabaseConfig } from './databaseConfig.js'

/** `concordat department check`: does the configuration fit the database? Ends with status 1 when it does not. */
export async function checkDatabase(file: string, config: DatabaseConfig, json: boolean): Promise<void> {
  const { checkPostgresDatabase } = await import('../../agent/database/postgres/check.js')
  const check = await checkPostgresDatabase(postgresOptions(config, file))
  const out = createOutput(json)
  show(check, out)
  out.result({ fine: check.faults.length === 0, ...check })
  if (check.faults.length > 0)
    throw new CommandError(`the configuration of ${file} does not fit its database (faults: ${check.faults.length})`)
}

function show(check: DatabaseCheck, out: ReturnType<typeof createOutput>): void {
  out.line(`source ${check.source}, store ${check.store} (schema ${check.schema})`)
  out.table(
    ['attribute', 'source', 'type', 'accepted values', 'rows sampled', 'with a value'],
    check.attributes.map((row) => [row.attribute, row.source, row.type, row.write, row.sampled, row.filled]),
  )
  for (const note of check.notes) out.line(`note: ${note}`)
  for (const { at, text } of check.faults) out.line(`wrong: ${at}: ${text}`)
  if (check.faults.length === 0) out.line('nothing is wrong')
}

import { readFileSync } from 'node:fs'
import { UsageError } from '../errors.js'
import { createOutput } from '../output.js'
import { postgresOptions } from './database.js'
import type { DatabaseConfig } from './databaseConfig.js'

/** `concordat department init-schema`: the agent's schema, for those who create it for the agent. Prints SQL, or runs it. */
export async function initSchema(
  file: string,
  config: DatabaseConfig,
  { json, urlFile }: { readonly json: boolean; readonly urlFile?: string },
): Promise<void> {
  const { planOf } = await import('../../agent/database/postgres/open.js')
  const { schemaSql } = await import('../../agent/database/postgres/schema.js')
  const { schema, store } = planOf(postgresOptions(config, file))
  const sql = schemaSql(schema, store.user)
  const out = createOutput(json)
  if (urlFile === undefined) out.line(sql)
  else {
    await run(sql, urlFile)
    out.line(`schema ${schema} is complete, ${store.user} may use it`)
  }
  out.result({ schema, role: store.user, sql, ran: urlFile !== undefined })
}

async function run(sql: string, urlFile: string): Promise<void> {
  const { runSql } = await import('../../agent/database/postgres/runSql.js')
  await runSql(sql, { url: urlOf(urlFile) })
}

function urlOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${(error as Error).message}`)
  }
}

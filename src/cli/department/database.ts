/** Opens the database that a department agent's configuration names. PostgreSQL's client is loaded by those who use it. */
import type { DepartmentDatabase } from '../../agent/database/departmentDatabase.js'
import { openDepartmentDatabase } from '../../agent/database/open.js'
import type { PostgresOptions } from '../../agent/database/postgres/open.js'
import type { AgentLog } from '../../agent/log.js'
import { UsageError } from '../errors.js'
import type { DatabaseConfig } from './databaseConfig.js'

/** Throws DatabaseError. */
export async function openConfiguredDatabase(config: DatabaseConfig, log: AgentLog): Promise<DepartmentDatabase> {
  if (config.kind === 'embedded') return openDepartmentDatabase(config.dir)
  const { openPostgresDatabase } = await import('../../agent/database/postgres/open.js')
  return openPostgresDatabase({ ...config.options, notice: (text) => log.warn({}, text) })
}

/** For logs: where it is, without a password. */
export async function databaseText(config: DatabaseConfig): Promise<string> {
  if (config.kind === 'embedded') return config.dir
  const { planOf } = await import('../../agent/database/postgres/open.js')
  const { endpointText } = await import('../../agent/database/postgres/connection.js')
  return endpointText(planOf(config.options).source)
}

export function postgresOptions(config: DatabaseConfig, file: string): PostgresOptions {
  if (config.kind === 'postgres') return config.options
  throw new UsageError(`${file} configures the embedded database: this command is about kind: postgres`)
}

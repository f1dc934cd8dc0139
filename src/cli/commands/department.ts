import { dirname, resolve } from 'node:path'
import { Command } from 'commander'
import { pino } from 'pino'
import { z } from 'zod'
import { startDepartmentService } from '../../agent/department/service.js'
import { readKeyFile } from '../../crypto/keyFile.js'
import { nodeConfigSchema } from '../../node/config.js'
import { readConfig } from '../../node/configFile.js'
import { urlText } from '../../rpc/urlText.js'
import { checkDatabase } from '../department/checkDatabase.js'
import { databaseText, openConfiguredDatabase } from '../department/database.js'
import { type DatabaseConfig, databaseConfig, databaseSectionSchema } from '../department/databaseConfig.js'
import { initSchema } from '../department/initSchema.js'
import { rpcOf } from '../rpcAccess.js'

/** A department agent's configuration; relative paths are resolved against the file's folder. */
export const departmentConfigSchema = z.strictObject({
  /** Short name of the department, for logs. */
  department: z.string().min(1).max(32),
  /** JSON-RPC endpoint of the department's node. */
  rpc: z.string().max(512),
  /** Token that the node wants of the agent (role submit), mode 0600. */
  rpcTokenFile: z.string().optional(),
  /** PEM of the authority of a node with https://. */
  rpcCaFile: z.string().optional(),
  keyFile: z.string(),
  passwordFile: z.string().optional(),
  /** X25519 private key; keys of earlier epochs follow, newest first, so that old envelopes still open. */
  encryptionKeyFile: z.string(),
  earlierEncryptionKeyFiles: z.array(z.string()).max(16).default([]),
  database: databaseSectionSchema,
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
})

export type DepartmentConfig = Omit<z.infer<typeof departmentConfigSchema>, 'database'> & {
  readonly database: DatabaseConfig
}

/**
 * Reads and checks a department agent's configuration: the file, overridden by CONCORDAT_* variables (CONCORDAT_RPC, say).
 * Variables that only a node knows are passed over, since `network up` starts both in one environment. Throws ConfigError.
 */
export function loadDepartmentConfig(file: string, env: NodeJS.ProcessEnv = process.env): DepartmentConfig {
  const config = readConfig(departmentConfigSchema, file, { env, beside: nodeConfigSchema })
  const at = (path: string) => resolve(dirname(resolve(file)), path)
  return {
    ...config,
    keyFile: at(config.keyFile),
    ...(config.passwordFile === undefined ? {} : { passwordFile: at(config.passwordFile) }),
    ...(config.rpcTokenFile === undefined ? {} : { rpcTokenFile: at(config.rpcTokenFile) }),
    ...(config.rpcCaFile === undefined ? {} : { rpcCaFile: at(config.rpcCaFile) }),
    encryptionKeyFile: at(config.encryptionKeyFile),
    earlierEncryptionKeyFiles: config.earlierEncryptionKeyFiles.map(at),
    database: databaseConfig(config.database, file),
  }
}

/** `concordat department`: the agent beside a department's database. */
export function departmentCommand(): Command {
  const department = new Command('department').addHelpText(
    'after',
    '\nExample:\n  concordat department serve --config net/node1/department.yaml',
  )
  department
    .command('serve')
    .description('store what is submitted and answer what is asked, until stopped')
    .requiredOption('--config <file>', 'configuration file (YAML); CONCORDAT_* variables override its keys')
    .addHelpText('after', '\nExample:\n  concordat department serve --config net/node1/department.yaml')
    .action(async ({ config: file }: { config: string }) => serve(loadDepartmentConfig(file)))
  withConfig(
    department.command('check').description('does the configuration fit the PostgreSQL database? Changes nothing'),
  )
    .addHelpText('after', '\nExample:\n  concordat department check --config department.yaml')
    .action(({ config, json = false }: ConfigFlags) =>
      checkDatabase(config, loadDepartmentConfig(config).database, json),
    )
  withConfig(
    department
      .command('init-schema')
      .description("print the SQL that creates the agent's schema, for an administrator to run; or run it")
      .option('--url-file <file>', "run it: file with the URL of the administrator's connection"),
  )
    .addHelpText('after', '\nExample:\n  concordat department init-schema --config department.yaml | psql register')
    .action(({ config, json = false, urlFile }: ConfigFlags & { urlFile?: string }) => {
      const run = urlFile === undefined ? {} : { urlFile }
      return initSchema(config, loadDepartmentConfig(config).database, { json, ...run })
    })
  return department
}

interface ConfigFlags {
  readonly config: string
  readonly json?: boolean
}

function withConfig(command: Command): Command {
  return command
    .requiredOption('--config <file>', 'configuration file (YAML); CONCORDAT_* variables override its keys')
    .option('--json', 'one JSON document for scripts')
}

async function serve(config: DepartmentConfig): Promise<void> {
  const log = pino({ level: config.logLevel, base: { department: config.department } })
  const privateKey = await readKeyFile(config.keyFile, config.passwordFile)
  const encryptionKeys = await Promise.all(
    [config.encryptionKeyFile, ...config.earlierEncryptionKeyFiles].map((file) => readKeyFile(file)),
  )
  const rpc = rpcOf(config.rpc, { tokenFile: config.rpcTokenFile, caFile: config.rpcCaFile })
  const database = await openConfiguredDatabase(config.database, log)
  try {
    const service = await startDepartmentService({ connection: { rpc, privateKey }, encryptionKeys }, { database, log })
    let stopping: Promise<void> | undefined
    const stop = () => {
      stopping ??= service.stop()
      return stopping
    }
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
    log.info({ rpc: urlText(config.rpc), database: await databaseText(config.database) }, 'department agent is up')
    // Tells a parent that started this process; without one there is no channel.
    process.send?.('ready')
    await service.finished.catch(async (error: unknown) => {
      // Its connection would keep the process alive, and whoever watches over the process would never start it again.
      await stop().catch(() => {})
      throw error
    })
    // Stores the cursor; the database stays open until it has.
    await stop()
  } finally {
    await database.close()
  }
}

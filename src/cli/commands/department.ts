import { dirname, resolve } from 'node:path'
import { Command } from 'commander'
import { pino } from 'pino'
import { z } from 'zod'
import { openDepartmentDatabase } from '../../agent/database/open.js'
import { startDepartmentService } from '../../agent/department/service.js'
import { readKeyFile } from '../../crypto/keyFile.js'
import { nodeConfigSchema } from '../../node/config.js'
import { readConfig } from '../../node/configFile.js'

/** A department agent's configuration; relative paths are resolved against the file's folder. */
export const departmentConfigSchema = z.strictObject({
  /** Short name of the department, for logs. */
  department: z.string().min(1).max(32),
  /** JSON-RPC endpoint of the department's node. */
  rpc: z.string().max(512),
  keyFile: z.string(),
  passwordFile: z.string().optional(),
  /** X25519 private key; keys of earlier epochs follow, newest first, so that old envelopes still open. */
  encryptionKeyFile: z.string(),
  earlierEncryptionKeyFiles: z.array(z.string()).max(16).default([]),
  database: z.strictObject({ dir: z.string() }),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
})

export type DepartmentConfig = z.infer<typeof departmentConfigSchema>

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
    encryptionKeyFile: at(config.encryptionKeyFile),
    earlierEncryptionKeyFiles: config.earlierEncryptionKeyFiles.map(at),
    database: { dir: at(config.database.dir) },
  }
}

/** `concordat department`: the agent beside a department's database. */
export function departmentCommand(): Command {
  const department = new Command('department')
    .description('the agent beside a department database')
    .addHelpText('after', '\nExample:\n  concordat department serve --config net/node1/department.yaml')
  department
    .command('serve')
    .description('store what is submitted and answer what is asked, until stopped')
    .requiredOption('--config <file>', 'configuration file (YAML); CONCORDAT_* variables override its keys')
    .addHelpText('after', '\nExample:\n  concordat department serve --config net/node1/department.yaml')
    .action(async ({ config: file }: { config: string }) => serve(loadDepartmentConfig(file)))
  return department
}

async function serve(config: DepartmentConfig): Promise<void> {
  const log = pino({ level: config.logLevel, base: { department: config.department } })
  const privateKey = await readKeyFile(config.keyFile, config.passwordFile)
  const encryptionKeys = await Promise.all(
    [config.encryptionKeyFile, ...config.earlierEncryptionKeyFiles].map((file) => readKeyFile(file)),
  )
  const database = await openDepartmentDatabase(config.database.dir)
  try {
    const service = await startDepartmentService(
      { connection: { rpc: { url: config.rpc }, privateKey }, encryptionKeys },
      { database, log },
    )
    let stopping: Promise<void> | undefined
    const stop = () => {
      stopping ??= service.stop()
      return stopping
    }
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
    log.info({ rpc: config.rpc, database: config.database.dir }, 'department agent is up')
    // Tells a parent that started this process; without one there is no channel.
    process.send?.('ready')
    await service.finished
    // Stores the cursor; the database stays open until it has.
    await stop()
  } finally {
    await database.close()
  }
}

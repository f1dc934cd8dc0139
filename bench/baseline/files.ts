/**
 * Folder of a client/server system:
 *
 *   genesis.json           members, attributes and rules, as of the network that it is compared with
 *   baseline.json          where each department answers, and its certificate: what clients need, nothing secret
 *   DEPARTMENT/service.yaml, tls.key, tls.crt, signing.key, encryption.key, database/, requests.log, logs/
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { CommandError } from '../../src/cli/errors.js'
import type { Address, Hash } from '../../src/core/bytes.js'
import { readConfig } from '../../src/node/configFile.js'

const port = z.int().min(1).max(65_535)
const hex = (bytes: number) => z.string().regex(new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`))

/** A department's own configuration; relative paths are resolved against the file's folder. */
const serviceSchema = z.strictObject({
  department: z.string().min(1).max(32),
  genesis: z.string(),
  host: z.string().min(1).max(255),
  port,
  tlsKeyFile: z.string(),
  tlsCertificateFile: z.string(),
  keyFile: z.string(),
  encryptionKeyFile: z.string(),
  databaseDir: z.string(),
  logFile: z.string(),
})
export type ServiceConfig = z.infer<typeof serviceSchema>

const systemSchema = z.strictObject({
  services: z
    .array(
      z.strictObject({
        department: z.string().min(1).max(32),
        address: hex(20).transform((text) => text as Address),
        host: z.string().min(1).max(255),
        port,
        /** PEM; clients trust this certificate alone. */
        certificate: z.string().max(16_384),
        /** X25519. */
        encryptionKey: hex(32).transform((text) => text as Hash),
      }),
    )
    .min(1)
    .max(64),
})
export type BaselineSystem = z.infer<typeof systemSchema>
export type BaselineService = BaselineSystem['services'][number]

export const GENESIS_FILE = 'genesis.json'
export const systemPath = (dir: string): string => join(dir, 'baseline.json')
export const servicePath = (dir: string, department: string): string => join(dir, department, 'service.yaml')

/** Throws CommandError. */
export function readSystem(dir: string): BaselineSystem {
  const path = systemPath(dir)
  if (!existsSync(path)) throw new CommandError(`${dir} holds no client/server system (baseline.json is missing)`)
  try {
    return systemSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    throw new CommandError(`${path} is damaged (${(error as Error).message.slice(0, 200)}); create it anew`)
  }
}

/** Throws ConfigError. */
export function readService(file: string): ServiceConfig {
  const config = readConfig(serviceSchema, file, { env: {} })
  const at = (path: string) => resolve(dirname(resolve(file)), path)
  return {
    ...config,
    genesis: at(config.genesis),
    tlsKeyFile: at(config.tlsKeyFile),
    tlsCertificateFile: at(config.tlsCertificateFile),
    keyFile: at(config.keyFile),
    encryptionKeyFile: at(config.encryptionKeyFile),
    databaseDir: at(config.databaseDir),
    logFile: at(config.logFile),
  }
}

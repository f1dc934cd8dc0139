/** A node's configuration: YAML file, overridden by CONCORDAT_* environment variables, overridden by flags. */
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { recentStateBlocks, storedEnvelopesBytesMax, storedEnvelopesOfSenderBytesMax } from '../core/limits.js'
import { readConfig } from './configFile.js'
import { ADDRESS_PATTERN } from './configSchema.js'
import { MEMPOOL_DEFAULTS } from './mempool.js'
import { atRpcPaths, rpcSchema } from './rpcConfig.js'

const port = z.int().min(0).max(65535)
const ms = z.int().min(1).max(600_000)
const address = z.string().regex(ADDRESS_PATTERN, 'must be 0x followed by 40 hex digits')

const peerSchema = z.strictObject({
  name: z.string().max(64),
  address,
  /** Where it listens, e.g. /ip4/10.0.0.2/tcp/30301/p2p/16Uiu2... */
  multiaddr: z.string().max(512),
})

export const nodeConfigSchema = z.strictObject({
  name: z.string().min(1).max(64).default('node'),
  genesis: z.string().default('genesis.json'),
  dataDir: z.string().default('data'),
  journalDir: z.string().default('journal'),
  /** Hex key file (mode 0600) or keystore V3; the latter needs `passwordFile`. */
  keyFile: z.string().default('node.key'),
  passwordFile: z.string().optional(),
  p2p: z
    .strictObject({
      host: z.string().default('127.0.0.1'),
      port: port.default(30301),
      peers: z.array(peerSchema).max(128).default([]),
    })
    .prefault({}),
  rpc: rpcSchema,
  metrics: z.strictObject({ host: z.string().default('127.0.0.1'), port: port.default(9545) }).prefault({}),
  consensus: z
    .strictObject({
      viewTimeoutMs: ms.default(400),
      viewTimeoutMaxMs: ms.default(4_000),
      resendMs: ms.default(250),
      idleStatusMs: ms.default(1_000),
      /** A sealer not heard of for so long is skipped at once; at least two idle statuses and a resend. */
      inactivityMs: ms.default(3_000),
      finalizeGraceMs: ms.default(50),
      /** Empty blocks when nothing happens; 0 = never. */
      heartbeatMs: z.int().min(0).max(86_400_000).default(0),
      /** How far a proposer's clock may be ahead of this node's. */
      clockDriftMs: ms.default(15_000),
      /** Modules whose default export adds weight policies and leader schedules (docs/extending-consensus.md). */
      extensions: z.array(z.string().min(1).max(4_096)).max(16).default([]),
    })
    .prefault({}),
  mempool: z
    .strictObject({
      countMax: z.int().min(1).max(1_000_000).default(MEMPOOL_DEFAULTS.countMax),
      bytesMax: z
        .int()
        .min(1024)
        .max(4 * 1024 ** 3)
        .default(MEMPOOL_DEFAULTS.bytesMax),
      perSenderMax: z.int().min(1).max(100_000).default(MEMPOOL_DEFAULTS.perSenderMax),
      nonceWindow: z.int().min(1).max(100_000).default(MEMPOOL_DEFAULTS.nonceWindow),
    })
    .prefault({}),
  /** Which past states can be read (docs/chain-files.md). */
  state: z
    .strictObject({
      /** States of so many blocks before the latest; 0: the latest alone. */
      recentBlocks: z.int().min(0).max(100_000).default(recentStateBlocks),
      /** All states from the block at which it was switched on, or from genesis in an empty folder. */
      archive: z.boolean().default(false),
    })
    .prefault({}),
  sync: z
    .strictObject({
      /** A node that began from a snapshot fetches the blocks below it from its peers while it runs (docs/chain-files.md). */
      history: z.boolean().default(true),
    })
    .prefault({}),
  /** Record of reads of the user portrait through this node (docs/audit.md). */
  readLog: z
    .strictObject({
      dir: z.string().default('reads'),
      fileBytesMax: z
        .int()
        .min(64 * 1024)
        .max(64 * 1024 * 1024)
        .default(4 * 1024 * 1024),
      /** The oldest files are deleted beyond this. */
      totalBytesMax: z
        .int()
        .min(1024 * 1024)
        .max(1024 ** 4)
        .default(1024 ** 3),
      flushMs: z.int().min(1).max(10_000).default(100),
      /** Reads that may wait for the disk; beyond it reads are refused. */
      queueMax: z.int().min(100).max(100_000).default(16_384),
      /** The head goes on chain after so many new entries, */
      anchorEntries: z.int().min(1).max(1_000_000_000).default(10_000),
      /** or after so long, if there is anything new. */
      anchorMs: z
        .int()
        .min(100)
        .max(30 * 86_400_000)
        .default(600_000),
    })
    .prefault({}),
  delivery: z
    .strictObject({
      /** Envelopes that travel from node to node, and their index. */
      dir: z.string().default('envelopes'),
      bytesMax: z
        .int()
        .min(1024 * 1024)
        .max(1024 ** 4)
        .default(storedEnvelopesBytesMax),
      senderBytesMax: z
        .int()
        .min(1024 * 1024)
        .max(1024 ** 4)
        .default(storedEnvelopesOfSenderBytesMax),
      /** An envelope to which no transaction refers is dropped after so many blocks. */
      orphanBlocks: z.int().min(1).max(1_000_000).default(10_000),
    })
    .prefault({}),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
})

export type NodeConfig = z.infer<typeof nodeConfigSchema>

/**
 * Reads, merges and checks a node's configuration. Relative paths are resolved against the file's folder.
 * Throws ConfigError naming the key and what to do.
 */
export function loadNodeConfig(
  file: string,
  env: NodeJS.ProcessEnv = process.env,
  flags: Record<string, string> = {},
): NodeConfig {
  const config = readConfig(nodeConfigSchema, file, { env, flags })
  const base = dirname(resolve(file))
  return {
    ...config,
    genesis: resolve(base, config.genesis),
    dataDir: resolve(base, config.dataDir),
    journalDir: resolve(base, config.journalDir),
    keyFile: resolve(base, config.keyFile),
    rpc: atRpcPaths(config.rpc, (path) => resolve(base, path)),
    readLog: { ...config.readLog, dir: resolve(base, config.readLog.dir) },
    delivery: { ...config.delivery, dir: resolve(base, config.delivery.dir) },
    consensus: { ...config.consensus, extensions: config.consensus.extensions.map((path) => resolve(base, path)) },
    ...(config.passwordFile === undefined ? {} : { passwordFile: resolve(base, config.passwordFile) }),
  }
}

/** What the local machine says about one node's configuration: files, permissions, disk, ports. Reads only. */
import { accessSync, constants, existsSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { policyNamed, scheduleNamed } from '../../consensus/extensions.js'
import { consensusConfigOf } from '../../contracts/genesisDefaults.js'
import type { GenesisConfig } from '../../contracts/genesisTypes.js'
import { type Address, concatBytes, fromHex, type Hash, toHex } from '../../core/bytes.js'
import { readKeyFile } from '../../crypto/keyFile.js'
import { privateKeyToAddress } from '../../crypto/secp256k1.js'
import { loadNodeConfig, type NodeConfig } from '../../node/config.js'
import { loadExtensions } from '../../node/extensionFiles.js'
import { genesisHash } from '../../node/genesis.js'
import { loadGenesis } from '../../node/genesisFile.js'
import { isOtherVersion, readFileHeader, scanFrames } from '../../state/journalFrames.js'
import { dialFault } from './dial.js'

export interface MachineFacts {
  readonly file: string
  readonly nodeVersion: string
  /** Null when the configuration cannot be used; then nothing else is known. */
  readonly config: NodeConfig | null
  readonly configFault: string | null
  readonly genesis: { readonly hash: Hash; readonly sealers: readonly Address[] } | null
  readonly genesisFault: string | null
  /** Why policy and schedule of genesis cannot be had from the configured modules. */
  readonly extensionFault: string | null
  readonly address: Address | null
  readonly keyFault: string | null
  readonly data: FolderFacts
  readonly journal: FolderFacts
  readonly journalFault: string | null
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | null
  /** Ports of the configuration on which this machine cannot listen, with the reason. */
  readonly ports: readonly { readonly use: string; readonly port: number; readonly fault: string }[]
  readonly peers: readonly { readonly name: string; readonly at: string; readonly fault: string | null }[]
}

export interface FolderFacts {
  readonly dir: string
  readonly exists: boolean
  /** Why this user cannot read and write it. */
  readonly fault: string | null
  /** Process that holds the lock; null when nobody does, or the system does not tell. */
  readonly lockedBy: number | null
}

/** Never throws. Dials the peers' p2p ports, for two seconds at most. */
export async function machineFacts(file: string, env: NodeJS.ProcessEnv = process.env): Promise<MachineFacts> {
  const { value: config, fault: configFault } = attempt(() => loadNodeConfig(file, env))
  const none = { dir: '', exists: false, fault: null, lockedBy: null }
  const nothing = {
    genesis: null,
    genesisFault: null,
    extensionFault: null,
    address: null,
    keyFault: null,
    journalFault: null,
    disk: null,
  }
  const base = { file, nodeVersion: process.versions.node, config, configFault }
  if (config === null) return { ...base, ...nothing, data: none, journal: none, ports: [], peers: [] }
  const genesis = attempt(() => loadGenesis(config.genesis))
  const hash = genesis.value === null ? { value: null, fault: genesis.fault } : attempt(() => hashOf(genesis.value!))
  const key = await attemptAsync(async () =>
    privateKeyToAddress(await readKeyFile(config.keyFile, config.passwordFile)),
  )
  const owner =
    hash.value === null || key.value === null ? null : concatBytes(fromHex(hash.value.hash), fromHex(key.value))
  return {
    ...base,
    genesis: hash.value,
    genesisFault: hash.fault,
    extensionFault: genesis.value === null ? null : await extensionFault(config, genesis.value),
    address: key.value,
    keyFault: key.fault,
    data: folderFacts(config.dataDir),
    journal: folderFacts(config.journalDir),
    journalFault: journalFault(join(config.journalDir, 'consensus.journal'), owner),
    disk: diskFacts(config.dataDir),
    ports: await portFaults(config),
    peers: await Promise.all(
      config.p2p.peers.map(async ({ name, multiaddr }) => ({ name, at: multiaddr, fault: await dialFault(multiaddr) })),
    ),
  }
}

async function extensionFault(config: NodeConfig, genesis: GenesisConfig): Promise<string | null> {
  const { fault } = await attemptAsync(async () => {
    const extensions = await loadExtensions(config.consensus.extensions)
    const { weightPolicy, leaderSchedule } = consensusConfigOf(genesis)
    policyNamed(extensions, weightPolicy)
    scheduleNamed(extensions, leaderSchedule)
  })
  return fault
}

const hashOf = (genesis: GenesisConfig) => ({
  hash: genesisHash(genesis),
  sealers: genesis.sealers.map(({ address }) => address),
})

interface Attempt<T> {
  readonly value: T | null
  readonly fault: string | null
}

function attempt<T>(action: () => T): Attempt<T> {
  try {
    return { value: action(), fault: null }
  } catch (error) {
    return { value: null, fault: (error as Error).message }
  }
}

async function attemptAsync<T>(action: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await action(), fault: null }
  } catch (error) {
    return { value: null, fault: (error as Error).message }
  }
}

function folderFacts(dir: string): FolderFacts {
  if (!existsSync(dir)) return { dir, exists: false, fault: null, lockedBy: null }
  const { fault } = attempt(() => {
    if (!statSync(dir).isDirectory()) throw new Error('is no folder')
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK)
    for (const name of readdirSync(dir)) accessSync(join(dir, name), constants.R_OK | constants.W_OK)
  })
  return { dir, exists: true, fault, lockedBy: lockHolder(join(dir, 'LOCK')) }
}

/** The process with a lock on this file, from Linux' table of locks: trying the lock could keep the node from starting. */
function lockHolder(file: string): number | null {
  const { value } = attempt(() => {
    const { ino } = statSync(file)
    const line = readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .find((one) => one.includes(`:${ino} `))
    return line === undefined ? null : Number(line.trim().split(/\s+/)[4])
  })
  return value
}

/** Free bytes for this user where `dir` is or will be. */
function diskFacts(dir: string): MachineFacts['disk'] {
  const { value } = attempt(() => {
    let at = dir
    while (!existsSync(at) && dirname(at) !== at) at = dirname(at)
    const { bavail, blocks, bsize } = statfsSync(at)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  })
  return value
}

async function portFaults({ p2p, rpc, metrics }: NodeConfig): Promise<MachineFacts['ports']> {
  const wanted = [
    { use: 'p2p', ...p2p },
    { use: 'rpc', ...rpc },
    { use: 'metrics', ...metrics },
  ]
  const tried = await Promise.all(
    wanted.map(async ({ use, host, port }) => ({
      use,
      port,
      fault: port === 0 ? null : await listenFault(host, port),
    })),
  )
  return tried.flatMap(({ use, port, fault }) => (fault === null ? [] : [{ use, port, fault }]))
}

/** Error code of listening on this address for a moment; null when that works. */
function listenFault(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
}

/** Why the journal cannot be read; a torn last record is none: the node cuts it off. */
function journalFault(path: string, owner: Uint8Array | null): string | null {
  if (!existsSync(path)) return null
  return attempt(() => {
    const bytes = new Uint8Array(readFileSync(path))
    const header = readFileHeader(bytes)
    if (header !== undefined) {
      const { damage } = scanFrames(bytes, header.salt)
      if (damage !== undefined) throw new Error(damage)
      if (owner !== null && toHex(header.owner) !== toHex(owner)) throw new Error('it is of another sealer or chain')
    } else if (isOtherVersion(bytes)) throw new Error('another version of this program wrote it')
    else if (bytes.some((byte) => byte !== 0)) throw new Error('its header is unreadable')
  }).fault
}

/** Options that the commands on chain files share. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { asHeight, type Hash, type Height } from '../../core/bytes.js'
import { genesisHash } from '../../node/genesis.js'
import { parseGenesisText, readGenesisText } from '../../node/genesisFile.js'
import { holdsStore } from '../../state/store/level.js'
import { UsageError } from '../errors.js'
import { hashArgument } from '../hexArgument.js'

export interface GenesisFlags {
  readonly network?: string
  readonly genesis?: string
  readonly genesisHash?: string
}

export interface FileFlags extends GenesisFlags {
  readonly extension: string[]
  readonly json?: boolean
}

/** Options of everything that reads a file. */
export function withTrust(command: Command): Command {
  return command
    .option('--genesis <file>', 'genesis file that is trusted')
    .option('--genesis-hash <hash>', 'or its hash alone: the file holds the rest')
    .option('--extension <file>', 'module with the schedule or policy that genesis names; may be repeated', collect, [])
    .option('--json', 'print JSON')
}

const collect = (value: string, previous: string[]): string[] => [...previous, value]

/** The genesis file that the flags name: its text, hash and chain. Throws UsageError, ConfigError. */
export function genesisOf(flags: GenesisFlags): {
  readonly text: string
  readonly hash: Hash
  readonly chainId: number
} {
  const file = flags.genesis ?? (flags.network === undefined ? undefined : join(flags.network, 'genesis.json'))
  if (file === undefined) throw new UsageError('name the genesis file: --genesis FILE')
  const text = readGenesisText(file)
  const config = parseGenesisText(text, file)
  return { text, hash: genesisHash(config), chainId: config.chainId }
}

/** Hash of the genesis that is trusted. */
export function trustedHash(flags: GenesisFlags): Hash {
  if (flags.genesisHash !== undefined) return hashArgument(flags.genesisHash, '--genesis-hash')
  if (flags.genesis === undefined && flags.network === undefined)
    throw new UsageError('name what is trusted: --genesis FILE or --genesis-hash HASH')
  return genesisOf(flags).hash
}

/** Throws UsageError naming `flag`. */
export function heightArgument(flag: string, text: string): Height {
  const height = /^\d{1,15}$/.test(text) ? Number(text) : -1
  if (height < 1) throw new UsageError(`${flag} must be the height of a block, from 1 on, got '${text}'`)
  return asHeight(height)
}

/** A data folder that must be there: a folder of something else stays as it is. */
export function existingFolder(dir: string): string {
  if (!existsSync(dir)) throw new UsageError(`there is no folder ${dir}: name the data folder of a node (dataDir)`)
  if (!holdsStore(dir)) throw new UsageError(`${dir} is no data folder of a node: name the one of its dataDir`)
  return dir
}

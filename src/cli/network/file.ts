/** DIR/network.json: what a local network consists of. Written by `network create`, kept current by `network up`. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Address, Hash, Hex } from '../../core/bytes.js'
import { CommandError } from '../errors.js'

const hex = (bytes: number) => z.string().regex(new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`))
const address = hex(20).transform((text) => text as Address)

const networkSchema = z.object({
  chainId: z.int().min(1),
  genesisHash: hex(32).transform((text) => text as Hash),
  nodes: z
    .array(
      z.object({
        name: z.string(),
        address,
        rpc: z.string(),
        ws: z.string(),
        /** Where the node can be reached from other machines: a token of the role admin. */
        rpcToken: z.string().optional(),
        p2p: z.string(),
        metrics: z.string(),
        dataDir: z.string(),
        pid: z.int().optional(),
        agentPid: z.int().optional(),
        department: z.string().optional(),
      }),
    )
    .min(1)
    .max(64),
  contracts: z.record(z.string(), address),
  /** Development keys: this file has mode 0600 for them. */
  accounts: z.record(z.string(), z.object({ address, privateKey: hex(32).transform((text) => text as Hex) })),
})

export type NetworkFile = z.infer<typeof networkSchema>
export type NetworkNode = NetworkFile['nodes'][number]

/** As commands print it. */
export const withoutToken = ({ rpcToken: _secret, ...node }: NetworkNode): Omit<NetworkNode, 'rpcToken'> => node

export const networkFilePath = (dir: string): string => join(dir, 'network.json')

export function readNetwork(dir: string): NetworkFile {
  const path = networkFilePath(dir)
  if (!existsSync(path)) {
    throw new CommandError(
      `${dir} holds no network (network.json is missing); create one with: concordat network create --out ${dir}`,
    )
  }
  try {
    return networkSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    throw new CommandError(
      `${path} is damaged (${(error as Error).message.slice(0, 200)}); restore it or create the network anew`,
    )
  }
}

/** Replaces the file in one step, so that a reader never sees half of it. */
export function writeNetwork(dir: string, network: NetworkFile): void {
  const path = networkFilePath(dir)
  writeFileSync(`${path}.tmp`, `${JSON.stringify(network, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.tmp`, path)
}

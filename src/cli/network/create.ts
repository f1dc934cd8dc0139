/** `network create`: genesis, and one folder a node with its configuration, key and peers, ready to copy to servers. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { CONTRACT_ADDRESSES } from '../../contracts/addresses.js'
import { type Address, type Hex, toHash, toHex } from '../../core/bytes.js'
import { generateEncryptionKey } from '../../crypto/encryptionKey.js'
import { encryptKeystore } from '../../crypto/keystore.js'
import { privateKeyToAddress } from '../../crypto/secp256k1.js'
import { genesisHash } from '../../node/genesis.js'
import { type GenesisFile, parseGenesis } from '../../node/genesisFile.js'
import { nodeMultiaddr } from '../../p2p/identity.js'
import { isLoopbackHost } from '../../rpc/gate.js'
import type { Role } from '../../rpc/roles.js'
import { issueToken } from '../../rpc/tokenIssuer.js'
import { secretKey } from '../../rpc/tokenKeys.js'
import { CommandError, UsageError } from '../errors.js'
import { type NetworkFile, type NetworkNode, writeNetwork } from './file.js'
import { DEPARTMENTS, type DepartmentPlan, table2Attributes } from './table2.js'

export interface NetworkPlan {
  readonly out: string
  readonly nodes: number
  /** One for all nodes, or one a node. Default 127.0.0.1. */
  readonly hosts: readonly string[]
  readonly chainId: number
  /** RPC of the first node; metrics start 1,000 above. */
  readonly basePort: number
  /** p2p of the first node. */
  readonly baseP2pPort: number
  /** Seconds since 1970 of the genesis block. */
  readonly timestamp: number
  /** Encrypts the node keys with this password (keystore V3); plain keys of mode 0600 without. */
  readonly password?: string
  /** Who leads, who weighs what, how the sealers change; what is left out is as genesis files have it by default. */
  readonly consensus?: NonNullable<GenesisFile['consensus']>
  /** Modules with the policies and schedules that genesis names beside the built-in ones. */
  readonly extensions?: readonly string[]
}

/** A node before its folder is written. */
export interface PlannedNode {
  readonly name: string
  readonly host: string
  readonly key: Uint8Array
  readonly address: Address
  readonly p2pPort: number
  readonly rpcPort: number
  readonly metricsPort: number
  readonly multiaddr: string
  /** Where other machines can reach it: the secret of which it takes tokens. */
  readonly rpcSecret: Uint8Array | undefined
  readonly department:
    | (DepartmentPlan & { readonly encryptionKey: ReturnType<typeof generateEncryptionKey> })
    | undefined
}

/** Writes the network into `plan.out`, which must be empty or absent. */
export async function createNetwork(plan: NetworkPlan): Promise<NetworkFile> {
  if (existsSync(plan.out) && readdirSync(plan.out).length > 0) {
    throw new CommandError(`${plan.out} is not empty; choose another folder with --out, or delete it first`)
  }
  if (plan.hosts.length > 1 && plan.hosts.length !== plan.nodes) {
    throw new UsageError(
      `${plan.nodes} nodes need one --host for all or ${plan.nodes} of them, got ${plan.hosts.length}`,
    )
  }
  const nodes = Array.from({ length: plan.nodes }, (_, index) => planNode(plan, index))
  const offices = { operator: randomBytes(32), regulator: randomBytes(32), auditor: randomBytes(32) }
  const genesis = planGenesis(plan, nodes, offices)
  mkdirSync(plan.out, { recursive: true, mode: 0o700 })
  writeFileSync(join(plan.out, 'genesis.json'), `${JSON.stringify(genesis, null, 2)}\n`)
  for (const node of nodes) {
    const peers = nodes.filter((peer) => peer !== node)
    const { password, extensions = [] } = plan
    await writeNode(join(plan.out, node.name), node, { genesis: '../genesis.json', peers, password, extensions })
  }
  const network: NetworkFile = {
    chainId: plan.chainId,
    genesisHash: genesisHash(parseGenesis(genesis)),
    nodes: await Promise.all(nodes.map(networkNode)),
    contracts: CONTRACT_ADDRESSES,
    accounts: {
      ...Object.fromEntries(Object.entries(offices).map(([name, key]) => [name, account(key)])),
      ...Object.fromEntries(nodes.map((node) => [node.department?.id ?? node.name, account(node.key)])),
    },
  }
  writeNetwork(plan.out, network)
  return network
}

function planNode(plan: NetworkPlan, index: number): PlannedNode {
  const host = plan.hosts[plan.hosts.length > 1 ? index : 0] ?? '127.0.0.1'
  const ports = { p2pPort: plan.baseP2pPort + index, rpcPort: plan.basePort + index }
  const department = DEPARTMENTS[index]
  return {
    ...newNode(`node${index + 1}`, host, { ...ports, metricsPort: plan.basePort + 1_000 + index }),
    department: department === undefined ? undefined : { ...department, encryptionKey: generateEncryptionKey() },
  }
}

/** A node with a new key, of no department. */
export function newNode(
  name: string,
  host: string,
  ports: Pick<PlannedNode, 'p2pPort' | 'rpcPort' | 'metricsPort'>,
): PlannedNode {
  const key = randomBytes(32)
  const multiaddr = nodeMultiaddr(host, ports.p2pPort, key)
  const rpcSecret = isLoopbackHost(host) ? undefined : randomBytes(32)
  return { name, host, key, address: privateKeyToAddress(key), ...ports, multiaddr, rpcSecret, department: undefined }
}

/** How long the tokens of a new network are good; docs/access.md says how to replace them. */
const TOKEN_SECONDS = 365 * 86_400

const tokenOf = (secret: Uint8Array, role: Role, subject: string): Promise<string> =>
  issueToken(secretKey(secret), { role, validSeconds: TOKEN_SECONDS, subject })

/** The node's entry in network.json. */
export async function networkNode(node: PlannedNode): Promise<NetworkNode> {
  const { name, address, host, rpcPort, metricsPort, multiaddr, rpcSecret, department } = node
  return {
    name,
    address,
    rpc: `http://${host}:${rpcPort}`,
    ws: `ws://${host}:${rpcPort}`,
    ...(rpcSecret && { rpcToken: await tokenOf(rpcSecret, 'admin', 'operator') }),
    p2p: multiaddr,
    metrics: `http://${host}:${metricsPort}/metrics`,
    dataDir: `${name}/data`,
    ...(department === undefined ? {} : { department: department.id }),
  }
}

/** Members that run no node: the key of each. */
type Offices = Readonly<Record<'operator' | 'regulator' | 'auditor', Uint8Array>>

const OFFICE_NAMES = { operator: 'Operations centre', regulator: 'Regulator', auditor: 'Audit office' } as const

function planGenesis(plan: NetworkPlan, nodes: readonly PlannedNode[], offices: Offices): GenesisFile {
  const supervisor = (id: string) => (nodes.find((node) => node.department?.id === id) ?? nodes[0]!).address
  return {
    chainId: plan.chainId,
    timestamp: plan.timestamp,
    gasLimit: 1_000_000_000,
    sealers: nodes.map((node) => ({ address: node.address, weight: 1 })),
    members: [
      ...(['operator', 'regulator', 'auditor'] as const).map((role) => {
        return { address: privateKeyToAddress(offices[role]), role, name: OFFICE_NAMES[role], id: role }
      }),
      ...nodes.map((node) =>
        node.department === undefined
          ? ({ address: node.address, role: 'sealer', name: node.name, id: node.name } as const)
          : ({
              address: node.address,
              role: 'department',
              name: node.department.name,
              id: node.department.id,
              encryptionKey: toHash(node.department.encryptionKey.publicKey),
            } as const),
      ),
    ],
    attributes: table2Attributes(supervisor),
    alloc: [],
    ...(plan.consensus && { consensus: plan.consensus }),
  }
}

export interface NodeFolder {
  /** From the node's folder. */
  readonly genesis: string
  readonly peers: readonly Pick<PlannedNode, 'name' | 'address' | 'multiaddr'>[]
  readonly password: string | undefined
  readonly extensions: readonly string[]
}

/** Writes key, configuration and, for a department, the agent's part of a node's folder. */
export async function writeNode(dir: string, node: PlannedNode, folder: NodeFolder): Promise<void> {
  const { genesis, peers, password, extensions } = folder
  mkdirSync(join(dir, 'logs'), { recursive: true, mode: 0o700 })
  const secret = password === undefined ? toHex(node.key) : JSON.stringify(await encryptKeystore(node.key, password))
  writePrivate(join(dir, 'node.key'), secret)
  const config = {
    name: node.name,
    genesis,
    dataDir: 'data',
    journalDir: 'journal',
    keyFile: 'node.key',
    p2p: {
      host: node.host,
      port: node.p2pPort,
      peers: peers.map(({ name, address, multiaddr }) => ({ name, address, multiaddr })),
    },
    rpc: {
      host: node.host,
      port: node.rpcPort,
      ...(node.rpcSecret && { auth: { secretFile: RPC_SECRET_FILE } }),
    },
    metrics: { host: node.host, port: node.metricsPort },
    ...(extensions.length === 0 ? {} : { consensus: { extensions: extensions.map((file) => resolve(file)) } }),
  }
  writeFileSync(join(dir, 'config.yaml'), stringify(config))
  if (node.rpcSecret) writePrivate(join(dir, RPC_SECRET_FILE), Buffer.from(node.rpcSecret).toString('hex'))
  if (node.department === undefined) return
  writePrivate(join(dir, 'encryption.key'), toHex(node.department.encryptionKey.privateKey))
  if (node.rpcSecret) {
    writePrivate(join(dir, RPC_TOKEN_FILE), await tokenOf(node.rpcSecret, 'submit', node.department.id))
  }
  const agent = {
    department: node.department.id,
    rpc: `http://${node.host}:${node.rpcPort}`,
    ...(node.rpcSecret && { rpcTokenFile: RPC_TOKEN_FILE }),
    keyFile: 'node.key',
    encryptionKeyFile: 'encryption.key',
    database: { dir: 'department' },
  }
  writeFileSync(join(dir, 'department.yaml'), stringify(agent))
}

const RPC_SECRET_FILE = 'rpc.secret'
const RPC_TOKEN_FILE = 'rpc.token'

const writePrivate = (file: string, text: string): void => writeFileSync(file, `${text}\n`, { mode: 0o600 })

/** A development account of network.json. */
export function account(key: Uint8Array): { address: Address; privateKey: Hex } {
  return { address: privateKeyToAddress(key), privateKey: toHex(key) }
}

/** Makes the folder of a client/server system with the departments, keys and rules of a network. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { stringify } from 'yaml'
import { openDepartmentDatabase } from '../../src/agent/database/open.js'
import { DATASET_DEPARTMENTS } from '../../src/agent/dataset/departments.js'
import type { DatasetOptions } from '../../src/agent/dataset/generate.js'
import { loadDataset } from '../../src/agent/dataset/load.js'
import { CommandError } from '../../src/cli/errors.js'
import { type NetworkNode, readNetwork } from '../../src/cli/network/file.js'
import { type Address, fromHex, toHash } from '../../src/core/bytes.js'
import { encryptionKeyFromPrivate } from '../../src/crypto/encryptionKey.js'
import { readKeyFile, writeKeyFile } from '../../src/crypto/keyFile.js'
import { loadGenesis } from '../../src/node/genesisFile.js'
import { type BaselineService, GENESIS_FILE, type ServiceConfig, servicePath, systemPath } from './files.js'

export interface BaselinePlan {
  /** Folder with network.json and the nodes' folders. */
  readonly network: string
  readonly out: string
  /** Port of the first department; the others follow. */
  readonly basePort: number
  /** Loaded into the departments' databases; undefined: they stay empty. */
  readonly dataset?: DatasetOptions
}

const CERTIFICATE_DAYS = 3_650

/** Writes the system into `plan.out`, which must be empty or absent. Throws CommandError. */
export async function createBaseline(plan: BaselinePlan): Promise<readonly BaselineService[]> {
  if (existsSync(plan.out) && readdirSync(plan.out).length > 0) {
    throw new CommandError(`${plan.out} is not empty; choose another folder, or delete it first`)
  }
  const genesisFile = join(plan.network, GENESIS_FILE)
  const { attributes } = loadGenesis(genesisFile)
  if (attributes.some(({ supervisors }) => supervisors.length !== 1)) {
    throw new CommandError('the client/server system knows one supervisor for each attribute; this network has several')
  }
  const supervisors = new Set<Address>(attributes.flatMap((attribute) => attribute.supervisors))
  const network = readNetwork(plan.network)
  const nodes = network.nodes.filter(({ address, department }) => department !== undefined && supervisors.has(address))
  mkdirSync(plan.out, { recursive: true, mode: 0o700 })
  copyFileSync(genesisFile, join(plan.out, GENESIS_FILE))
  const services: BaselineService[] = []
  for (const [index, node] of nodes.entries()) {
    const { privateKey } = network.accounts[node.department!]!
    services.push(await writeService(plan, node, fromHex(privateKey), plan.basePort + index))
  }
  writeFileSync(systemPath(plan.out), `${JSON.stringify({ services }, null, 2)}\n`)
  return services
}

async function writeService(
  plan: BaselinePlan,
  node: NetworkNode,
  key: Uint8Array,
  port: number,
): Promise<BaselineService> {
  const department = node.department!
  const host = new URL(node.rpc).hostname
  const dir = join(plan.out, department)
  mkdirSync(join(dir, 'logs'), { recursive: true, mode: 0o700 })
  const certificate = await writeCertificate(dir, host)
  writeKeyFile(join(dir, 'signing.key'), key)
  const encryptionKey = await readKeyFile(join(plan.network, node.name, 'encryption.key'))
  writeKeyFile(join(dir, 'encryption.key'), encryptionKey)
  const config: ServiceConfig = {
    department,
    genesis: `../${GENESIS_FILE}`,
    host,
    port,
    tlsKeyFile: 'tls.key',
    tlsCertificateFile: 'tls.crt',
    keyFile: 'signing.key',
    encryptionKeyFile: 'encryption.key',
    databaseDir: 'database',
    logFile: 'requests.log',
  }
  writeFileSync(servicePath(plan.out, department), stringify(config))
  if (plan.dataset !== undefined) await fill(join(dir, config.databaseDir), department, plan.dataset)
  const publicKey = toHash(encryptionKeyFromPrivate(encryptionKey).publicKey)
  return { department, address: node.address, host, port, certificate, encryptionKey: publicKey }
}

/** A certificate that its department signs itself: clients know it from baseline.json and trust no other. */
async function writeCertificate(dir: string, host: string): Promise<string> {
  const notAfterDate = new Date(Date.now() + CERTIFICATE_DAYS * 86_400_000)
  const options = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256', notAfterDate } as const
  const { cert, private: key } = await generate([{ name: 'commonName', value: host }], options)
  writeFileSync(join(dir, 'tls.key'), key, { mode: 0o600, flag: 'wx' })
  writeFileSync(join(dir, 'tls.crt'), cert)
  return cert
}

async function fill(databaseDir: string, department: string, dataset: DatasetOptions): Promise<void> {
  const known = DATASET_DEPARTMENTS.find(({ id }) => id === department)
  if (known === undefined) return
  const database = await openDepartmentDatabase(databaseDir)
  try {
    await loadDataset(database, known.id, dataset)
  } finally {
    await database.close()
  }
}

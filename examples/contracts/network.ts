/** What the examples need of a network: connections of its development accounts, and enterprises that join. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { privateKeyToAccount } from 'viem/accounts'
import {
  type Address,
  type Connection,
  connect,
  contracts,
  type Hash,
  ROLE,
  textId,
  transact,
} from '../../src/index.js'

/** Where the accounts of an example sit. */
export interface Desk {
  /** The operator or a department of the network. */
  member(name: string): Promise<Connection>
  /** An enterprise that joins now, with a new key. */
  enterprise(name: string, id: string): Promise<Connection>
}

interface NetworkFile {
  readonly nodes: readonly { readonly rpc: string }[]
  readonly accounts: Readonly<Record<string, { readonly privateKey: `0x${string}` }>>
}

/** Runs an example on the network in the folder that the command line names; its nodes must run. */
export async function onNetwork(example: (desk: Desk, say: (line: string) => void) => Promise<void>): Promise<void> {
  const dir = process.argv[2]
  if (dir === undefined) throw new Error('name the folder of a running network')
  const { nodes, accounts } = JSON.parse(readFileSync(join(dir, 'network.json'), 'utf8')) as NetworkFile
  const open: Connection[] = []
  const signIn = async (key: Uint8Array) => {
    const connection = await connect({ rpc: { url: nodes[0]!.rpc }, privateKey: key })
    open.push(connection)
    return connection
  }
  const member = (name: string) => signIn(Buffer.from(accounts[name]!.privateKey.slice(2), 'hex'))
  try {
    const enterprise = async (name: string, id: string) => {
      const key = randomBytes(32)
      await register(await member('operator'), key, name, id)
      return signIn(key)
    }
    await example({ member, enterprise }, (line) => process.stdout.write(`${line}\n`))
  } finally {
    for (const connection of open) connection.close()
  }
}

/** The operator puts an enterprise into the register. */
export async function register(operator: Connection, key: Uint8Array, name: string, id: string): Promise<void> {
  const { address } = privateKeyToAccount(`0x${Buffer.from(key).toString('hex')}`)
  const account = address.toLowerCase() as Address
  const encryptionKey = `0x${'00'.repeat(32)}` as Hash
  const member = { account, role: ROLE.enterprise, id: textId(id), name, encryptionKey }
  await transact(operator, contracts.members, 'registerMember', { member })
}

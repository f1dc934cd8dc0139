/** Registers the enterprises of a bulk submission by the operator; who is registered already is left alone. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { ROLE } from '../../contracts/codes.js'
import { type Address, type Hash, ZERO_HASH } from '../../core/bytes.js'
import { agentTransactionsInFlightMax } from '../../core/limits.js'
import { readKeyFile, writeKeyFile } from '../../crypto/keyFile.js'
import { privateKeyToAddress } from '../../crypto/secp256k1.js'
import { AgentError } from '../agentError.js'
import type { Connection } from '../connection.js'
import { members } from '../contractClient.js'
import type { Declaration } from '../declaration.js'
import { transact } from '../transact.js'

export interface NewEnterprise {
  readonly id: Hash
  readonly name: string
  readonly account: Address
}

/** The key in `file`; with `make` it is made when there is none. `passwordFile`: of keystores. Throws KeyFileError or KeystoreError. */
export async function enterpriseKey(file: string, make: boolean, passwordFile?: string): Promise<Uint8Array> {
  if (make && !existsSync(file)) {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    writeKeyFile(file, new Uint8Array(randomBytes(32)))
  }
  return readKeyFile(file, passwordFile)
}

/** Throws AgentError when the declaration has no company name. */
export function newEnterprise({ enterpriseId, values, file }: Declaration, privateKey: Uint8Array): NewEnterprise {
  const name = values.get('companyName')
  if (name === undefined) {
    throw new AgentError(
      'INVALID_VALUES',
      `${file} has no companyName, by which the enterprise is registered: declare it`,
    )
  }
  return { id: enterpriseId, name, account: privateKeyToAddress(privateKey) }
}

/** `connection` is the operator's. True when it was not a member before. Throws as `transact` does, and AgentError for another's key. */
export async function registerEnterprise(connection: Connection, enterprise: NewEnterprise): Promise<boolean> {
  const { account, id, name } = enterprise
  const known = await connection.directory.memberById(id)
  if (known) {
    if (known.account === account) return false
    throw new AgentError('OTHER_ENTERPRISE', `is registered with another key (${known.account}): sign with that one`)
  }
  const member = { account, role: ROLE.enterprise, id, name, encryptionKey: ZERO_HASH }
  await transact(connection, members, 'registerMember', { member })
  return true
}

/** Registrations under way at a time: they share one account. */
export const registrationsMax = agentTransactionsInFlightMax

/** Three departments with the databases of Table 2, one that only asks, enterprises that declare; on a TestChain. */
import { type Connection, connectionOn } from '../../../src/agent/connection.js'
import type { DepartmentDatabase } from '../../../src/agent/database/departmentDatabase.js'
import { openMemoryDatabase } from '../../../src/agent/database/open.js'
import { DATASET_DEPARTMENTS } from '../../../src/agent/dataset/departments.js'
import type { DatasetCompany } from '../../../src/agent/dataset/generate.js'
import { recordOfRow } from '../../../src/agent/dataset/load.js'
import { parseDeclaration } from '../../../src/agent/declaration.js'
import type { DirectDeliveryOptions } from '../../../src/agent/delivery/direct.js'
import { startOn } from '../../../src/agent/department/service.js'
import type { AgentLog } from '../../../src/agent/log.js'
import { CASE_RULE, CHECKSUM, ROLE, VALUE_TYPE } from '../../../src/contracts/codes.js'
import type { DataProfile, GenesisConfig, MembersConfig, Schema } from '../../../src/contracts/genesisTypes.js'
import { attributeId } from '../../../src/contracts/textId.js'
import { type Address, toHash, utf8, ZERO_HASH } from '../../../src/core/bytes.js'
import { type EncryptionKeyPair, encryptionKeyFromPrivate } from '../../../src/crypto/encryptionKey.js'
import { privateKeyToAddress } from '../../../src/crypto/secp256k1.js'
import { TestChain } from './testChain.js'

export interface Account {
  readonly id: string
  readonly privateKey: Uint8Array
  readonly address: Address
  readonly encryption: EncryptionKeyPair
}

/** What a department's agent signs with and opens envelopes with. */
export interface ServingKeys extends Pick<Account, 'privateKey' | 'encryption'> {
  readonly earlier?: readonly EncryptionKeyPair[]
}

const keyOf = (kind: number, number: number) =>
  Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? kind : i === 1 ? number & 255 : i === 2 ? number >> 8 : 7))

let accounts = 0
export function account(id: string): Account {
  accounts++
  const privateKey = keyOf(1, accounts)
  const encryption = encryptionKeyFromPrivate(keyOf(2, accounts))
  return { id, privateKey, address: privateKeyToAddress(privateKey), encryption }
}

const text: Schema = {
  valueType: VALUE_TYPE.text,
  checksum: CHECKSUM.none,
  caseRule: CASE_RULE.keep,
  scale: 0,
  lengthMax: 256,
  min: 0n,
  max: 0n,
}
const SCHEMAS: Record<string, Schema> = {
  unifiedSocialCreditCode: { ...text, valueType: VALUE_TYPE.code, checksum: CHECKSUM.gb32100, lengthMax: 18 },
  legalRepresentativeId: { ...text, valueType: VALUE_TYPE.code, checksum: CHECKSUM.gb11643, lengthMax: 18 },
  registeredCapital: { ...text, valueType: VALUE_TYPE.decimal, scale: 2, min: 0n, max: 10n ** 15n },
  employees: { ...text, valueType: VALUE_TYPE.integer, min: 0n, max: 10_000_000n },
  inventionPatents: { ...text, valueType: VALUE_TYPE.integer, min: 0n, max: 10_000_000n },
  registrationDate: { ...text, valueType: VALUE_TYPE.date },
}

export interface WorldOptions {
  readonly companies: readonly DatasetCompany[]
  /** Attributes with more supervisors than their own department: attribute -> department ids. */
  readonly joint?: Readonly<Record<string, readonly string[]>>
  readonly quorum?: number
  readonly deadlineBlocks?: bigint
  /** Attributes whose rule wants a basis: attribute -> BASIS. */
  readonly bases?: Readonly<Record<string, number>>
  /** Of the register of members; what is left out is as usual. */
  readonly membership?: Partial<MembersConfig>
  /** DELIVERY of every attribute, or of some: attribute -> DELIVERY; default ledger. */
  readonly delivery?: number | Readonly<Record<string, number>>
}

export class World {
  readonly departments = new Map(DATASET_DEPARTMENTS.map(({ id }) => [id as string, account(id)]))
  readonly asker = account('government-service')
  readonly operator = account('operator')
  readonly enterprises: ReadonlyMap<DatasetCompany, Account>
  readonly chain: TestChain
  readonly databases = new Map<string, DepartmentDatabase>()
  /** Everything that the agents log. */
  readonly logged: string[] = []
  readonly log: AgentLog = { info: this.#note('info'), warn: this.#note('warn'), error: this.#note('error') }
  readonly #closers: (() => void)[] = []

  constructor(options: WorldOptions) {
    this.enterprises = new Map(options.companies.map((c) => [c, account(c.truth.unifiedSocialCreditCode)]))
    this.chain = new TestChain(this.#genesis(options))
  }

  department(id: string): Account {
    const found = this.departments.get(id)
    if (!found) throw new Error(`no department ${id}`)
    return found
  }

  /** A member's connection; all are closed by `close`. */
  connect(
    member: Pick<Account, 'privateKey'>,
    client = this.chain.client(),
    delivery: DirectDeliveryOptions = {},
  ): Connection {
    const connection = connectionOn(client, this.chain.chainId, {
      privateKey: member.privateKey,
      finalTimeoutMs: 5_000,
      delivery,
    })
    this.#closers.push(() => connection.close())
    return connection
  }

  /** The department's database, filled with the companies' rows. */
  async database(id: string): Promise<DepartmentDatabase> {
    const kept = this.databases.get(id)
    if (kept) return kept
    const database = await openMemoryDatabase()
    const rows = [...this.enterprises.keys()].flatMap(({ rows }) => rows).filter((row) => row.department === id)
    await database.bulkLoad(rows.map(recordOfRow))
    this.databases.set(id, database)
    return database
  }

  async serve(
    id: string,
    database?: DepartmentDatabase,
    keys: ServingKeys = this.department(id),
    client = this.chain.client(),
    questionWaitMs = 30_000,
  ) {
    const { encryption, earlier = [] } = keys
    const encryptionKeys = [encryption, ...earlier].map(({ privateKey }) => privateKey)
    const needs = { database: database ?? (await this.database(id)), log: this.log }
    return startOn(this.connect(keys, client), { encryptionKeys, questionWaitMs }, needs)
  }

  serveAll() {
    return Promise.all([...this.departments.keys()].map((id) => this.serve(id)))
  }

  close(): void {
    for (const close of this.#closers) close()
  }

  #note(level: string) {
    return (data: object, message: string) => void this.logged.push(`${level} ${message} ${JSON.stringify(data)}`)
  }

  #genesis(options: WorldOptions): GenesisConfig {
    const { joint = {}, quorum = 0, deadlineBlocks = 0n, bases = {}, delivery = 0, membership } = options
    const attributes: DataProfile[] = []
    for (const { id, locators, attributes: own } of DATASET_DEPARTMENTS) {
      for (const name of [...locators, ...own]) {
        if (attributes.some(({ attribute }) => attribute === attributeId(name))) continue
        const supervisors = (joint[name] ?? [id]).map((department) => this.department(department).address)
        attributes.push({
          attribute: attributeId(name),
          schemaVersion: 1,
          schema: SCHEMAS[name] ?? text,
          supervisors,
          encryptionKey: ZERO_HASH,
          keyEpoch: 0n,
          rule: {
            quorum,
            askerRoles: 1 << ROLE.department,
            basis: bases[name] ?? 0,
            delivery: typeof delivery === 'number' ? delivery : (delivery[name] ?? 0),
            validityBlocks: 0n,
            deadlineBlocks,
            digestBudget: 5,
          },
        })
      }
    }
    const member = ({ id, address, encryption }: Account, role: number, name = id) => {
      return { address, role, name, id, encryptionKey: toHash(encryption.publicKey) }
    }
    return {
      chainId: 20261,
      timestamp: 1,
      gasLimit: 100_000_000n,
      sealers: [{ address: this.operator.address, weight: 1 }],
      members: [
        { address: this.operator.address, role: ROLE.operator, name: 'operator', id: 'operator' },
        ...[...this.departments.values(), this.asker].map((department) => member(department, ROLE.department)),
        ...[...this.enterprises].map(([company, enterprise]) => {
          return member(enterprise, ROLE.enterprise, company.truth.companyName)
        }),
      ],
      attributes,
      alloc: [],
      ...(membership && { membership }),
    }
  }
}

/** A declaration of the company's true values, but for `changes`. */
export function declarationOf(company: DatasetCompany, changes: Readonly<Record<string, string>> = {}) {
  return parseDeclaration(utf8(declarationText(company, changes)), 'declaration.json')
}

/** The same as JSON. */
export function declarationText({ truth }: DatasetCompany, changes: Readonly<Record<string, string>> = {}): string {
  return JSON.stringify({ enterprise: truth.unifiedSocialCreditCode, values: { ...truth, ...changes } })
}

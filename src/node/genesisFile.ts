/** genesis.json: the agreement on which a chain starts. Everyone with the same file gets the same genesis hash. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { toleratesHeaviest } from '../consensus/quorum.js'
import { ROLE, type RoleName } from '../contracts/codes.js'
import { CREDIT_REASONS, creditScoreMax } from '../contracts/creditRules.js'
import { consensusConfigOf, portraitConfigOf } from '../contracts/genesisDefaults.js'
import type { GenesisAttribute, GenesisConfig, MembersConfig } from '../contracts/genesisTypes.js'
import type { Address, Hash } from '../core/bytes.js'
import { approversMax, sealersMax } from '../core/limits.js'
import { address, attributeSchema, bigint, keyOf, toAttribute, unknownMembers } from './attributeFile.js'
import { ConfigError } from './configSchema.js'

export const GENESIS_BYTES_MAX = 64 * 1024 * 1024

const key = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, 'must be 0x followed by 64 hex digits')
  .transform((text) => text.toLowerCase() as Hash)
const extensionName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be the name of a policy or schedule, like equal or round-robin')

/** Who leads, who weighs what, and how the sealer set changes; what is left out is as in `consensusConfigOf`. */
const consensusSchema = z
  .strictObject({
    weightPolicy: extensionName,
    leaderSchedule: extensionName,
    /** Weights are recomputed in blocks whose height is a multiple; 0: only when the sealer set changes. */
    epochBlocks: z.int().min(0).max(10_000_000),
    sealersMin: z.int().min(1).max(sealersMax),
    changeThreshold: z.strictObject({
      numerator: z.int().min(1).max(1_000_000),
      denominator: z.int().min(1).max(1_000_000),
    }),
    changeBlocksMax: z.int().min(10).max(1_000_000_000),
  })
  .partial()

const admissionSchema = z.strictObject({
  /** 'operator' or 'department' for every active one of them, else the id of a member of genesis. */
  by: z.array(z.string().min(1).max(32)).min(1).max(approversMax),
  threshold: z.int().min(1).max(approversMax).default(1),
})

/** How the register of members is kept; what is left out is as in `membersConfigOf`. */
const membershipSchema = z
  .strictObject({
    /** Blocks for which envelopes to a replaced encryption key are still taken; 0: none. */
    encryptionGraceBlocks: z.int().min(0).max(10_000_000),
    recoveryDelayBlocks: z.int().min(1).max(10_000_000),
    decisionBlocksMax: z.int().min(10).max(1_000_000_000),
    /** Role -> who decides on its members, and how many of them it takes; one operator where a role is left out. */
    admission: z.partialRecord(keyOf(ROLE), admissionSchema),
  })
  .partial()

/** Scores of members; what is left out is as in `defaultCreditParameters`. */
const creditSchema = z
  .strictObject({
    start: z.int().min(0).max(creditScoreMax),
    points: z.partialRecord(z.enum(CREDIT_REASONS), z.int().min(-creditScoreMax).max(creditScoreMax)),
  })
  .partial()

/** How the data portrait changes; what is left out is as in `portraitConfigOf`. */
const portraitSchema = z
  .strictObject({
    /** Blocks between the last approval and the block in which a change is in force. */
    noticeBlocks: z.int().min(0).max(1_000_000),
    changeBlocksMax: z.int().min(1).max(1_000_000_000),
    /** Share of the active departments, of which more have to approve what opens data up. */
    changeThreshold: z.strictObject({
      numerator: z.int().min(1).max(1_000_000),
      denominator: z.int().min(2).max(1_000_000),
    }),
  })
  .partial()

export const genesisSchema = z.strictObject({
  chainId: z
    .int()
    .min(1)
    .max(2 ** 31),
  timestamp: z.int().min(0),
  gasLimit: z
    .int()
    .min(30_000_000)
    .max(2 ** 40),
  sealers: z
    .array(z.strictObject({ address, weight: z.int().min(1).max(1_000_000) }))
    .min(1)
    .max(sealersMax),
  members: z
    .array(
      z.strictObject({
        address,
        role: keyOf(ROLE),
        name: z.string().min(1).max(128),
        id: z.string().min(1).max(32),
        encryptionKey: key.optional(),
      }),
    )
    .max(100_000),
  attributes: z.array(attributeSchema).max(1_000),
  alloc: z
    .array(z.strictObject({ address, balance: bigint.refine((value) => value >= 0n, 'must not be negative') }))
    .max(100_000)
    .default([]),
  consensus: consensusSchema.optional(),
  membership: membershipSchema.optional(),
  credit: creditSchema.optional(),
  portrait: portraitSchema.optional(),
})

export type GenesisFile = z.input<typeof genesisSchema>

/** Reads and checks a genesis file. Throws ConfigError naming the field. */
export function loadGenesis(file: string): GenesisConfig {
  return parseGenesisText(readGenesisText(file), file)
}

/** The text of a genesis file, unchecked. Throws ConfigError UNREADABLE. */
export function readGenesisText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError('UNREADABLE', `cannot read the genesis file ${file}: ${(error as Error).message}`)
  }
}

/** Checks the text of a genesis file; `title` names its origin in errors. */
export function parseGenesisText(text: string, title: string): GenesisConfig {
  if (text.length > GENESIS_BYTES_MAX)
    throw new ConfigError('TOO_LARGE', `${title} is larger than 64 MiB; is it the right file?`)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new ConfigError('SYNTAX', `${title} is not valid JSON: ${(error as Error).message}`)
  }
  return parseGenesis(json, title)
}

/** Checks a genesis object; `title` names its origin in errors. */
export function parseGenesis(json: unknown, title = 'genesis'): GenesisConfig {
  const result = genesisSchema.safeParse(json)
  if (!result.success) {
    const issue = result.error.issues[0]!
    throw new ConfigError('INVALID', `${title}: '${issue.path.join('.')}': ${issue.message}`)
  }
  const file = result.data
  const fail: Fail = (field, problem) => {
    throw new ConfigError('INVALID', `${title}: '${field}': ${problem}`)
  }
  checkAgreement(file, fail)
  const config = toConfig(file, attributesOf(file, fail))
  checkChanges(config, fail)
  checkPortrait(config, fail)
  return config
}

function toConfig(file: z.output<typeof genesisSchema>, attributes: readonly GenesisAttribute[]): GenesisConfig {
  return {
    chainId: file.chainId,
    timestamp: file.timestamp,
    gasLimit: BigInt(file.gasLimit),
    sealers: file.sealers,
    members: file.members.map(({ encryptionKey, ...member }) => ({
      ...member,
      role: ROLE[member.role],
      ...(encryptionKey === undefined ? {} : { encryptionKey }),
    })),
    attributes,
    alloc: file.alloc,
    ...(file.consensus === undefined ? {} : { consensus: given(file.consensus) }),
    ...(file.membership === undefined ? {} : { membership: toMembership(file) }),
    ...(file.credit === undefined ? {} : { credit: given(file.credit) }),
    ...(file.portrait === undefined ? {} : { portrait: given(file.portrait) }),
  }
}

function toMembership({ membership, members }: z.output<typeof genesisSchema>): Partial<MembersConfig> {
  const { admission, ...rest } = given(membership ?? {})
  if (admission === undefined) return rest
  const accounts = new Map(members.map(({ id, address }) => [id, address]))
  const rules = Object.entries(admission).map(([role, { by, threshold }]) => ({
    role: ROLE[role as RoleName],
    threshold,
    roles: by.reduce((mask, name) => mask | (isDecidingRole(name) ? 1 << ROLE[name] : 0), 0),
    approvers: by.flatMap((name) => (isDecidingRole(name) ? [] : (accounts.get(name) ?? []))),
  }))
  return { ...rest, admission: rules }
}

const isDecidingRole = (name: string): name is 'operator' | 'department' => name === 'operator' || name === 'department'

type Fail = (field: string, problem: string) => never

/** Without the keys that the file leaves out. */
function given<T extends object>(section: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(section).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> }
}

/** What no single field shows. Throws ConfigError. */
function checkAgreement({ sealers, members, membership }: z.output<typeof genesisSchema>, fail: Fail): void {
  const addresses = new Set(sealers.map((sealer) => sealer.address))
  if (addresses.size !== sealers.length) fail('sealers', 'names an address twice; give each sealer one entry')
  if (sealers.length >= 4 && !toleratesHeaviest(sealers.map((sealer) => sealer.weight))) {
    fail(
      'sealers',
      'gives one sealer a third of the weight or more: the chain would stop when it fails; even the weights out',
    )
  }
  if (!members.some((member) => member.role === 'operator')) {
    fail('members', "has no member with role 'operator', so nobody could ever be registered; add one")
  }
  const ids = new Set(members.map(({ id }) => id))
  for (const [role, { by }] of Object.entries(membership?.admission ?? {})) {
    const unknown = by.find((name) => !isDecidingRole(name) && !ids.has(name))
    if (unknown === undefined) continue
    fail(`membership.admission.${role}.by`, `'${unknown}' is neither operator, department nor the id of a member`)
  }
}

/** Members that attributes name by their ids are those of the file. */
function attributesOf({ members, attributes }: z.output<typeof genesisSchema>, fail: Fail): GenesisAttribute[] {
  const addresses = new Map(members.map((member) => [member.id, member.address]))
  const lookup = (id: string): Address | undefined => addresses.get(id)
  return attributes.map((entry, i) => {
    const [unknown] = unknownMembers(entry, lookup)
    if (unknown !== undefined) {
      fail(`attributes.${i}.${unknown.field}`, `'${unknown.name}' is no address, and no member has this id`)
    }
    return toAttribute(entry, lookup)
  })
}

/** Whether the data portrait could ever change as the file says, and never by half of the departments or fewer. */
function checkPortrait(config: GenesisConfig, fail: Fail): void {
  const { numerator, denominator } = portraitConfigOf(config).changeThreshold
  if (numerator >= denominator) {
    fail('portrait.changeThreshold', 'asks for more approvals than there are departments; it must be below 1')
  }
  if (2 * numerator < denominator) {
    fail('portrait.changeThreshold', `is ${numerator}/${denominator}: it must be at least 1/2`)
  }
}

/** Whether the sealer set could ever change as the file says, and never by less than two thirds of the voters. */
function checkChanges(config: GenesisConfig, fail: Fail): void {
  const { sealersMin, changeThreshold } = consensusConfigOf(config)
  const { numerator, denominator } = changeThreshold
  if (numerator > denominator) fail('consensus.changeThreshold', 'asks for more votes than there are; at most 1/1')
  if (3 * numerator < 2 * denominator) {
    fail(
      'consensus.changeThreshold',
      `is ${numerator}/${denominator}: at least two thirds of the voters have to approve a change of the sealers`,
    )
  }
  const count = config.sealers.length
  if (sealersMin > count) fail('consensus.sealersMin', `is ${sealersMin}, but there are ${count} sealers to begin with`)
}

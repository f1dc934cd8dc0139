import type { Address, Hash } from '../core/bytes.js'
import type { CreditParameters } from './creditRules.js'
import type { Terms } from './sharingTerms.js'

/** How one attribute's values look; see codes.ts for the numbers. */
export interface Schema {
  readonly valueType: number
  readonly checksum: number
  readonly caseRule: number
  /** Digits after the point of a decimal, 0..18; 0 for other types. */
  readonly scale: number
  /** Unicode characters of the canonical text, 1..1024. */
  readonly lengthMax: number
  /** Bounds of integers and decimals (in units of 10^-scale) and of dates (days since 1970-01-01); min = max = 0: none. */
  readonly min: bigint
  readonly max: bigint
}

/** Who may ask for one attribute, and how it is answered; see codes.ts. */
export interface Rule {
  /** 0 all, 1 any, 255 by credit, else k = quorum - 1 of the supervisors. */
  readonly quorum: number
  /** Bit mask of 1 << role. */
  readonly askerRoles: number
  readonly basis: number
  readonly delivery: number
  /** Blocks for which a user portrait entry is valid; 0: until it is dropped. */
  readonly validityBlocks: bigint
  /** Blocks within which the supervisors should answer; 0: no deadline. */
  readonly deadlineBlocks: bigint
  /** Distinct declared values that one requester may try for one enterprise; 0: no limit. */
  readonly digestBudget: number
}

/** An entry of the data portrait library. */
export interface DataProfile {
  /** Name as right-padded ASCII (see attributeId). */
  readonly attribute: Hash
  /** From 1; grows when the schema changes. */
  readonly schemaVersion: number
  readonly schema: Schema
  /** Departments, the first one leads; no duplicates. */
  readonly supervisors: readonly Address[]
  /** X25519 public key; zero when it is to be taken from KeyAgreement, and when no group key is agreed. */
  readonly encryptionKey: Hash
  readonly keyEpoch: bigint
  readonly rule: Rule
}

/** What an attribute means, beside its schema. */
export interface Details {
  /** For people, up to 512 bytes of UTF-8. */
  readonly description: string
  /** Canonical values of an attribute of type code that are allowed (textId); empty: any. */
  readonly codes: readonly Hash[]
}

/** An attribute of block 0; no terms and no details where they are left out. */
export interface GenesisAttribute extends DataProfile {
  readonly terms?: Terms
  readonly details?: Details
}

/** How the data portrait changes. */
export interface PortraitConfig {
  /** Blocks between the last approval that others gave and the block in which a change is in force. */
  readonly noticeBlocks: number
  /** Blocks after which an open change lapses. */
  readonly changeBlocksMax: number
  /** A change that opens data up needs approvals of more than this share of the active departments. */
  readonly changeThreshold: { readonly numerator: number; readonly denominator: number }
}

export interface GenesisMember {
  readonly address: Address
  /** 1 enterprise, 2 department, 3 auditor, 4 operator, 5 sealer-only node. */
  readonly role: number
  /** 1..128 bytes of UTF-8. */
  readonly name: string
  /** 1..32 ASCII characters: the unified social credit code of an enterprise, the short name of a department. */
  readonly id: string
  /** X25519 public key. */
  readonly encryptionKey?: Hash
}

/** Who leads, who weighs what, and how the sealer set changes. */
export interface ConsensusConfig {
  /** Name of a policy and of a schedule that every node has (src/consensus/extensions.ts). */
  readonly weightPolicy: string
  readonly leaderSchedule: string
  /** Weights are recomputed in blocks whose height is a multiple; 0: only when the sealer set changes. */
  readonly epochBlocks: number
  /** Sealers below which no change goes. */
  readonly sealersMin: number
  /** Share of the voters that a change needs, beside more than two thirds of them. */
  readonly changeThreshold: { readonly numerator: number; readonly denominator: number }
  /** Blocks after which an open change lapses, and a volunteer has to come forward again. */
  readonly changeBlocksMax: number
}

/** Who decides on members of one role, and how many of them it takes. */
export interface AdmissionConfig {
  readonly role: number
  readonly threshold: number
  /** Bit mask of 1 << role: all active members of these; operators and departments only, which are counted. */
  readonly roles: number
  /** Members that decide beside them. */
  readonly approvers: readonly Address[]
}

/** How the register of members is kept. */
export interface MembersConfig {
  /** Blocks for which envelopes to an encryption key that was replaced are still taken. */
  readonly encryptionGraceBlocks: number
  /** Blocks between the guardians' agreement on a new signing key and the first block in which it may take effect. */
  readonly recoveryDelayBlocks: number
  /** Blocks after which an open decision on a member lapses. */
  readonly decisionBlocksMax: number
  /** Of the roles on which not just one operator decides. */
  readonly admission: readonly AdmissionConfig[]
}

/** What the state of block 0 is made of. */
export interface GenesisConfig {
  readonly chainId: number
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly gasLimit: bigint
  readonly sealers: readonly { readonly address: Address; readonly weight: number }[]
  readonly members: readonly GenesisMember[]
  readonly attributes: readonly GenesisAttribute[]
  readonly alloc: readonly { readonly address: Address; readonly balance: bigint }[]
  /** What is left out is as in `consensusConfigOf`. */
  readonly consensus?: Partial<ConsensusConfig>
  /** What is left out is as in `membersConfigOf`. */
  readonly membership?: Partial<MembersConfig>
  /** What is left out is as in `portraitConfigOf`. */
  readonly portrait?: Partial<PortraitConfig>
  /** What is left out is as in `defaultCreditParameters`. */
  readonly credit?: { readonly start?: number; readonly points?: Partial<CreditParameters['points']> }
}

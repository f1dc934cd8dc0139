/** What a genesis that leaves out consensus, credit and portrait means. */
import { type CreditParameters, defaultCreditParameters } from './creditRules.js'
import type { ConsensusConfig, GenesisConfig, MembersConfig, PortraitConfig } from './genesisTypes.js'

/** Fewer sealers than this cannot spare one. */
const TOLERANT_MIN = 4

/** Consensus parameters with the defaults filled in. */
export function consensusConfigOf({ sealers, consensus }: GenesisConfig): ConsensusConfig {
  return {
    weightPolicy: 'equal',
    leaderSchedule: 'round-robin',
    epochBlocks: 0,
    sealersMin: Math.min(TOLERANT_MIN, sealers.length),
    changeThreshold: { numerator: 2, denominator: 3 },
    changeBlocksMax: 100_000,
    ...consensus,
  }
}

/** Parameters of the register with the defaults filled in. */
export function membersConfigOf({ membership }: GenesisConfig): MembersConfig {
  return {
    encryptionGraceBlocks: 1_000,
    recoveryDelayBlocks: 10_000,
    decisionBlocksMax: 100_000,
    admission: [],
    ...membership,
  }
}

/** Parameters of the data portrait with the defaults filled in. */
export function portraitConfigOf({ portrait }: GenesisConfig): PortraitConfig {
  return { noticeBlocks: 0, changeBlocksMax: 100_000, changeThreshold: { numerator: 1, denominator: 2 }, ...portrait }
}

/** Credit parameters with the defaults filled in. */
export function creditParametersOf({ credit }: GenesisConfig): CreditParameters {
  const { start, points } = defaultCreditParameters
  return { start: credit?.start ?? start, points: { ...points, ...credit?.points } }
}

/** Changes of the data portrait for contract tests. */
import { CHANGE_STATUS } from '../../src/contracts/codes.js'
import { NO_DETAILS } from '../../src/contracts/dataPortraitContent.js'
import type { DataProfile, Details } from '../../src/contracts/genesisTypes.js'
import { NO_TERMS, type Terms } from '../../src/contracts/sharingTerms.js'
import type { Address, Hash } from '../../src/core/bytes.js'
import { FINANCE, MARKET, PATENTS, type World } from './world.js'

export const DEPARTMENTS = [MARKET, FINANCE, PATENTS] as const

export interface Wish {
  readonly terms?: Partial<Terms>
  readonly details?: Partial<Details>
  readonly reason?: string
  readonly effectiveAt?: bigint
}

export const proposalOf = (dataProfile: DataProfile, { terms, details, reason = '', effectiveAt = 0n }: Wish = {}) => {
  return { dataProfile, terms: { ...NO_TERMS, ...terms }, details: { ...NO_DETAILS, ...details }, reason, effectiveAt }
}

/** Proposes a change; returns its id. */
export function propose(world: World, by: Address, dataProfile: DataProfile, wish: Wish = {}): bigint {
  const logs = world.must('dataPortrait', by, 'proposeChange', proposalOf(dataProfile, wish))
  return logs[0]![1].id as bigint
}

export const refusesProposal = (world: World, by: Address, dataProfile: DataProfile, wish: Wish = {}): string =>
  world.refusal('dataPortrait', by, 'proposeChange', proposalOf(dataProfile, wish))

export const approve = (world: World, by: Address, id: bigint) =>
  world.must('dataPortrait', by, 'approveChange', { id })

export const changeOf = (world: World, id: bigint) => world.view('dataPortrait', 'changeOf', { id })
export const statusOf = (world: World, id: bigint): number => changeOf(world, id).status
export const profileOf = (world: World, attribute: Hash) => world.view('dataPortrait', 'dataProfileOf', { attribute })

/** All active departments approve, until it is not open any more. Returns the id. */
export function agree(world: World, by: Address, dataProfile: DataProfile, wish: Wish = {}): bigint {
  const id = propose(world, by, dataProfile, wish)
  for (const department of DEPARTMENTS) {
    if (statusOf(world, id) !== CHANGE_STATUS.open) break
    world.send('dataPortrait', department, 'approveChange', { id })
  }
  return id
}

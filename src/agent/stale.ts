/** What was read from the chain before a change on it, a rotated key say: the contract refuses it, and it is done again on fresh reading. */
import { AgentError } from './agentError.js'
import { ContractRevert } from './contractClient.js'
import type { Directory } from './directory.js'
import { WaitError } from './heads.js'

/** Refusals that fresh reading may avert. */
const STALE = new Set([
  'StaleKeyEpoch',
  'PortraitVersionMismatch',
  'EnvelopeMissing',
  'EnvelopeNotWanted',
  'NoActiveSupervisor',
  'NotSupervisor',
  'NotActiveDepartment',
  'NotActiveMember',
  'UnknownAttribute',
  'MixedDelivery',
  'EnvelopeInClear',
  'ReferenceNotWanted',
])

/** Several members may change their keys one after the other, hardly ever more while one transaction is made. */
const TRIES = 4

/**
 * Runs `act`, and again with a directory that has forgotten everything where the chain refuses what it rests on. A transaction that
 * the node has let pass and the block refused had no effect, nor has one whose nonce another one took: they are done again too. Throws what the last try throws.
 */
export async function untilFresh<T>(
  directory: Pick<Directory, 'clear'>,
  act: () => Promise<T>,
  forget?: () => void,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await act()
    } catch (error) {
      if (tries === TRIES || !isStale(error)) throw error
      directory.clear()
      forget?.()
    }
  }
}

function isStale(error: unknown): boolean {
  if (error instanceof ContractRevert) return STALE.has(error.error)
  if (error instanceof WaitError) return error.code === 'OVERTAKEN'
  return error instanceof AgentError && error.code === 'TRANSACTION_FAILED'
}

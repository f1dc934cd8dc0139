/** What `concordat sealer` reads of the chain. */
import { ContractRevert, credit, members, sealers, view } from '../../agent/contractClient.js'
import { CHANGE_KIND, CHANGE_STATUS, nameOf } from '../../contracts/codes.js'
import { idText } from '../../contracts/textId.js'
import { type Address, ZERO_ADDRESS } from '../../core/bytes.js'
import type { RpcClient } from '../../rpc/client.js'
import { type ConnectionFlags, reading } from '../connection.js'
import { CommandError } from '../errors.js'
import type { ActorFlags } from '../transact.js'

export interface SealersReport {
  readonly epoch: number
  readonly weightPolicy: string
  readonly leaderSchedule: string
  readonly sealers: readonly SealerRow[]
}

export interface SealerRow {
  readonly address: Address
  /** Id of the member. */
  readonly id: string
  readonly weight: number
  readonly score: number
  readonly turnSealed: number
  readonly turnMissed: number
  readonly missedInRow: number
  readonly equivocations: number
  /** Empty where it gave none. */
  readonly multiaddr: string
}

export interface ChangeRow {
  readonly id: number
  readonly kind: string
  readonly status: string
  readonly sealer: Address
  readonly replacement: Address | null
  readonly proposer: Address
  readonly reason: string
  readonly proposedAt: number
  readonly settledAt: number | null
  readonly approvals: readonly Address[]
  readonly needed: number
  /** Error with which it was refused when it was due. */
  readonly refusal: string | null
}

/** Changes that `changes --all` shows at most: the latest. */
const SHOWN_MAX = 100

export function readSealers(flags: ConnectionFlags): Promise<SealersReport> {
  return reading(flags, async (client) => {
    const { addresses, weights, epoch } = await view(client, sealers, 'sealers', {})
    const weightPolicy = await view(client, sealers, 'weightPolicy', {})
    const leaderSchedule = await view(client, sealers, 'leaderSchedule', {})
    const rows = await Promise.all(addresses.map((address, i) => sealerRow(client, address, Number(weights[i]))))
    return { epoch: Number(epoch), weightPolicy, leaderSchedule, sealers: rows }
  })
}

async function sealerRow(client: RpcClient, address: Address, weight: number): Promise<SealerRow> {
  const record = await view(client, credit, 'recordOf', { member: address })
  const { score, turnSealed, turnMissed, missedInRow, equivocation: equivocations } = record
  const multiaddr = await view(client, sealers, 'p2pAddressOf', { account: address })
  const { id } = await view(client, members, 'IdentityAuth', { userID: address })
  return { address, id: idText(id), weight, score, turnSealed, turnMissed, missedInRow, equivocations, multiaddr }
}

/** One change, as the node of whoever acts sees it. Throws ContractRevert UnknownChange. */
export function readChange(flags: ActorFlags, id: bigint): Promise<ChangeRow> {
  return reading(flags, (client) => changeRow(client, id), flags.as)
}

/** Open changes, or all of them, in the order of their numbers. */
export function readChanges(flags: ConnectionFlags, all: boolean): Promise<readonly ChangeRow[]> {
  return reading(flags, async (client) => {
    const open = await view(client, sealers, 'openChanges', {})
    if (!all) return Promise.all(open.map((id) => changeRow(client, id)))
    const rows: ChangeRow[] = []
    for (let id = 1n; ; id++) {
      const row = await knownChange(client, id)
      if (row === undefined) return rows
      rows.push(row)
      if (rows.length > SHOWN_MAX) rows.shift()
    }
  })
}

async function knownChange(client: RpcClient, id: bigint): Promise<ChangeRow | undefined> {
  try {
    return await changeRow(client, id)
  } catch (error) {
    if (error instanceof ContractRevert && error.error === 'UnknownChange') return undefined
    throw error
  }
}

async function changeRow(client: RpcClient, id: bigint): Promise<ChangeRow> {
  const change = await view(client, sealers, 'changeOf', { id })
  const { sealer, proposer, reason, approvals, needed } = change
  return {
    id: Number(id),
    kind: named(CHANGE_KIND, change.kind),
    status: named(CHANGE_STATUS, change.status),
    sealer,
    replacement: change.replacement === ZERO_ADDRESS ? null : change.replacement,
    proposer,
    reason,
    proposedAt: Number(change.proposedAt),
    settledAt: change.settledAt === 0n ? null : Number(change.settledAt),
    approvals,
    needed,
    refusal: change.refusal === '' ? null : change.refusal,
  }
}

function named<T extends Record<string, number>>(names: T, code: number): string {
  const name = nameOf(names, code)
  if (name === undefined)
    throw new CommandError(`the chain answers with code ${code}, which this version does not know; update it`)
  return String(name)
}

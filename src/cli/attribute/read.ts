/** What `concordat attribute` reads of the chain. */
import { ContractRevert, dataPortrait, view } from '../../agent/contractClient.js'
import { createDirectory } from '../../agent/directory.js'
import { CHANGE_STATUS, nameOf } from '../../contracts/codes.js'
import type { dataPortraitAbi } from '../../contracts/dataPortrait.abi.js'
import { idText } from '../../contracts/textId.js'
import { type Address, type Hash, ZERO_ADDRESS } from '../../core/bytes.js'
import type { RpcClient } from '../../rpc/client.js'
import type { FunctionResult } from '../../vm/abiTypes.js'
import { type Content, describeContent, differences, type Names, namesOf } from './describe.js'

export interface ChangeRow {
  readonly id: number
  readonly attribute: string
  readonly status: string
  readonly proposer: string
  readonly proposedAt: number
  /** Block that was asked for, 0: as soon as may be; of an approved change the one from which it is in force. */
  readonly effectiveAt: number
  readonly reason: string
  readonly approvals: readonly string[]
  readonly refusals: readonly string[]
  readonly refusal: string
  /** Supervisors whose approval is missing. */
  readonly missing: readonly string[]
  /** Approvals of departments, and how many are needed where the change opens data up. */
  readonly votes: number
  readonly votesNeeded: number
  readonly opens: readonly string[]
  readonly content: Content
  /** Against the version in force; the whole entry where there is none. */
  readonly differences: readonly string[]
}

export interface VersionRow {
  readonly number: number
  readonly from: number
  readonly changeId: number
  /** `genesis` for the version of block 0. */
  readonly proposer: string
  readonly approvals: readonly string[]
  readonly reason: string
  readonly content: Content
  readonly differences: readonly string[]
}

/** Versions and changes that a command shows at most: the latest. */
export const SHOWN_MAX = 100

export async function readContent(client: RpcClient, attribute: Hash): Promise<Content> {
  const names = namesOf(createDirectory(client))
  const [profile, terms, details] = await Promise.all([
    view(client, dataPortrait, 'dataProfileOf', { attribute }),
    view(client, dataPortrait, 'termsOf', { attribute }),
    view(client, dataPortrait, 'detailsOf', { attribute }),
  ])
  return describeContent(profile, terms, details, names)
}

/** Open and scheduled changes, newest first. */
export async function readOpenChanges(client: RpcClient): Promise<ChangeRow[]> {
  const names = namesOf(createDirectory(client))
  const rows: ChangeRow[] = []
  let before = 0n
  do {
    const page = await view(client, dataPortrait, 'openChanges', { before })
    for (const id of page.ids) rows.push(await readChange(client, id, names))
    before = page.next
  } while (before !== 0n && rows.length < SHOWN_MAX)
  return rows
}

/** Throws ContractRevert UnknownChange. */
export async function readChange(
  client: RpcClient,
  id: bigint,
  names: Names = namesOf(createDirectory(client)),
): Promise<ChangeRow> {
  const change = await view(client, dataPortrait, 'changeOf', { id })
  const content = await describeContent(change.profile, change.terms, change.details, names)
  const all = (accounts: readonly Address[]) => Promise.all(accounts.map(names))
  return {
    id: Number(id),
    attribute: idText(change.attribute),
    status: String(nameOf(CHANGE_STATUS, change.status) ?? change.status),
    proposer: change.proposer === ZERO_ADDRESS ? 'genesis' : await names(change.proposer),
    proposedAt: Number(change.proposedAt),
    effectiveAt: Number(change.effectiveAt),
    reason: change.reason,
    approvals: await all(change.approvals),
    refusals: await all(change.refusals),
    refusal: change.refusal,
    missing: await all(change.missing),
    votes: change.votes,
    votesNeeded: change.votesNeeded,
    opens: change.opens,
    content,
    differences: differences(await readBefore(client, change.attribute, content), content),
  }
}

/** An attribute that is new has nothing before it: then nothing differs. */
async function readBefore(client: RpcClient, attribute: Hash, content: Content): Promise<Content> {
  const count = await view(client, dataPortrait, 'versionCount', { attribute })
  return count === 0 ? content : readContent(client, attribute)
}

/** Versions of an attribute, oldest first. Throws ContractRevert UnknownAttribute. */
export async function readHistory(client: RpcClient, attribute: Hash): Promise<VersionRow[]> {
  const names = namesOf(createDirectory(client))
  await view(client, dataPortrait, 'dataProfileOf', { attribute })
  const count = await view(client, dataPortrait, 'versionCount', { attribute })
  const rows: VersionRow[] = []
  for (let number = Math.max(1, count - SHOWN_MAX + 1); number <= count; number++) {
    const version = await view(client, dataPortrait, 'versionOf', { attribute, number })
    rows.push(await versionRow(version, names, rows.at(-1)?.content))
  }
  return rows
}

/** The version in force at a block; undefined where there was none yet. Throws ContractRevert UnknownAttribute. */
export async function readVersionAt(
  client: RpcClient,
  attribute: Hash,
  height: bigint,
): Promise<VersionRow | undefined> {
  await view(client, dataPortrait, 'dataProfileOf', { attribute })
  const version = await view(client, dataPortrait, 'profileAt', { attribute, height }).catch((error: unknown) => {
    if (error instanceof ContractRevert && error.error === 'UnknownVersion') return undefined
    throw error
  })
  return version && versionRow(version, namesOf(createDirectory(client)), undefined)
}

type RawVersion = FunctionResult<typeof dataPortraitAbi, 'versionOf'>

async function versionRow(raw: RawVersion, names: Names, before: Content | undefined): Promise<VersionRow> {
  const { number, from, changeId, proposer, approvals, reason, profile, terms, details } = raw
  const content = await describeContent(profile, terms, details, names)
  return {
    number,
    from: Number(from),
    changeId: Number(changeId),
    proposer: proposer === ZERO_ADDRESS ? 'genesis' : await names(proposer),
    approvals: await Promise.all(approvals.map(names)),
    reason,
    content,
    differences: before === undefined ? [] : differences(before, content),
  }
}

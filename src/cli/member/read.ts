/** What `concordat member` reads of the register. */
import { members, view } from '../../agent/contractClient.js'
import { nameOf, ROLE, SIGNER_KIND, STATUS } from '../../contracts/codes.js'
import { idText } from '../../contracts/textId.js'
import { type Address, ZERO_ADDRESS, ZERO_HASH } from '../../core/bytes.js'
import { statusEntriesMax } from '../../core/limits.js'
import type { RpcClient } from '../../rpc/client.js'
import { CommandError } from '../errors.js'

export const statusText = (status: number): string => nameOf(STATUS, status) ?? String(status)
export const roleText = (role: number): string => nameOf(ROLE, role) ?? String(role)

export async function readMember(client: RpcClient, address: Address) {
  const member = await view(client, members, 'getMember', { account: address })
  const { account, id, name, role, status, keyEpoch, since } = member
  return {
    id: idText(id),
    name,
    role: roleText(role),
    status: statusText(status),
    account,
    keyEpoch: Number(keyEpoch),
    since: Number(since),
    encryptionKey: member.encryptionKey === ZERO_HASH ? null : member.encryptionKey,
  }
}

export interface MemberDetails {
  readonly accountKey: Address
  readonly delegates: readonly { readonly signer: Address; readonly kind: string; readonly from: number }[]
  /** Last block in which envelopes to the former encryption key are taken. */
  readonly formerEncryptionKeyUntil: number | null
  readonly guardians: readonly Address[]
  readonly guardiansNeeded: number
  readonly recovery: {
    readonly newSigner: Address
    /** 0: the guardians have not agreed. */
    readonly readyAt: number
    readonly approvals: readonly Address[]
    readonly needed: number
  } | null
  readonly decidedBy: {
    readonly roles: readonly string[]
    readonly approvers: readonly Address[]
    readonly threshold: number
  }
}

/** Its keys, who decides on it and who may recover it. */
export async function readDetails(client: RpcClient, account: Address, role: number): Promise<MemberDetails> {
  const height = BigInt(await client.call('eth_blockNumber'))
  const [accountKey, signers, grace, guardianship, recovery, admission] = await Promise.all([
    view(client, members, 'signerAt', { account, height }),
    view(client, members, 'signersOf', { account }),
    view(client, members, 'encryptionGraceUntil', { account }),
    view(client, members, 'guardiansOf', { account }),
    view(client, members, 'recoveryOf', { account }),
    view(client, members, 'admissionOf', { role }),
  ])
  return {
    accountKey,
    delegates: signers
      .filter(({ kind }) => kind !== SIGNER_KIND.account)
      .map(({ signer, kind, from }) => ({
        signer,
        kind: nameOf(SIGNER_KIND, kind) ?? String(kind),
        from: Number(from),
      })),
    formerEncryptionKeyUntil: grace === 0n ? null : Number(grace),
    guardians: guardianship.guardians,
    guardiansNeeded: guardianship.threshold,
    recovery: recovery.newSigner === ZERO_ADDRESS ? null : { ...recovery, readyAt: Number(recovery.readyAt) },
    decidedBy: {
      roles: Object.values(ROLE)
        .filter((one) => (admission.roles >>> one) & 1)
        .map(roleText),
      approvers: admission.approvers,
      threshold: admission.threshold,
    },
  }
}

export type OpenDecision = Awaited<ReturnType<typeof readPending>>[number]

/** Decisions that wait for approvers. */
export async function readPending(client: RpcClient) {
  const open = await view(client, members, 'pendingDecisions', {})
  return Promise.all(
    open.map(
      async ({ account, status, role, proposer, proposedAt, reason, approvals, declines, needed, ...applied }) => {
        const { role: known } = await view(client, members, 'getMember', { account }).catch(() => ({ role: 0 }))
        const member = known === 0 ? undefined : await readMember(client, account)
        const what = member === undefined ? 'register' : status === STATUS.active ? 'reinstate' : 'revoke'
        const { id = idText(applied.id), name = applied.name } = member ?? {}
        const by = { proposer, proposedAt: Number(proposedAt), reason, approvals, declines, needed }
        return { what, account, id, name, role: roleText(role), status, ...by }
      },
    ),
  )
}

/** The open decision on a member, which `text` names by account or id. Throws CommandError. */
export async function findPending(client: RpcClient, text: string, what: string | undefined): Promise<OpenDecision> {
  const about = (await readPending(client)).filter((one) => one.account === text.toLowerCase() || one.id === text)
  const [found, ...more] = about.filter((one) => what === undefined || one.what === what)
  if (found === undefined)
    throw new CommandError(
      `nothing${what === undefined ? '' : ` to ${what}`} is open about ${text}; see: concordat member pending`,
    )
  if (more.length === 0) return found
  throw new CommandError(`${text} may be reinstated or revoked: say which with --what reinstate or --what revoke`)
}

export interface StatusRow {
  readonly block: number
  readonly status: string
  readonly by: Address
  readonly reason: string
}

/** Every change of a member's status. */
export async function readHistory(client: RpcClient, account: Address): Promise<StatusRow[]> {
  const all: StatusRow[] = []
  for (;;) {
    const page = await view(client, members, 'statusHistory', { account, from: BigInt(all.length) })
    all.push(
      ...page.map(({ status, height, by, reason }) => ({
        block: Number(height),
        status: statusText(status),
        by,
        reason,
      })),
    )
    if (page.length < statusEntriesMax) return all
  }
}

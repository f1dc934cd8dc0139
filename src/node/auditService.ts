/** concordat_auditTrail: trails of final blocks and of this node's read log, for members that may see them (docs/audit.md). */
import type { z } from 'zod'
import {
  type AuditAnswer,
  type AuditQuery,
  auditQuerySchema,
  authorizationSchema,
  chainQuery,
} from '../audit/auditQuery.js'
import { AuditRefusal, type Authorization, authorizationSigner, queryHash } from '../audit/authorization.js'
import type { TraceEntry } from '../audit/entry.js'
import type { TraceSource } from '../audit/source.js'
import { Trail } from '../audit/trail.js'
import type { Address } from '../core/bytes.js'
import type { AuditApi } from '../rpc/auditApi.js'
import { RPC_CODES, RpcError } from '../rpc/errors.js'
import type { CallContext } from '../rpc/method.js'
import { Slices } from '../rpc/slices.js'
import { memberOfKey, type Right, type RightsNeeds, rightOf } from './auditRights.js'
import type { ReadLog } from './readLog.js'
import { searchReads } from './readLogSearch.js'
import type { PortraitReads } from './readObserver.js'

export interface AuditServiceNeeds extends RightsNeeds {
  readonly chainId: number
  readonly self: Address
  readonly head: () => number
  readonly source: (slices: Slices) => TraceSource
  readonly log: ReadLog
  readonly reads: PortraitReads
  /** Seconds since 1970. */
  readonly nowS: () => number
}

/** What is put on record of a query, before it is answered or refused. */
type Judged = { readonly note: string } & ({ readonly right: Right } | { readonly refusal: AuditRefusal })

/** An authorization may count for so long, in seconds: its nonce is remembered until then. */
export const AUTHORIZATION_SECONDS_MAX = 300
/** Nonces that are remembered; only members spend them. */
const NONCES_MAX = 10_000
/** Entries of one answer, of the chain and of the read log each. */
const PAGE_ENTRIES = 1_000

export class AuditService implements AuditApi {
  readonly #needs: AuditServiceNeeds
  /** Signer and nonce -> expiry. */
  readonly #nonces = new Map<string, number>()
  #busy = false

  constructor(needs: AuditServiceNeeds) {
    this.#needs = needs
  }

  async trail(query: unknown, authorization: unknown, context: CallContext): Promise<AuditAnswer> {
    try {
      return await this.#trail(parsed(auditQuerySchema, query, 'query'), authorization, context)
    } catch (error) {
      if (!(error instanceof AuditRefusal)) throw error
      throw new RpcError(RPC_CODES.auditRefused, error.message, { reason: error.code })
    }
  }

  async #trail(query: AuditQuery, given: unknown, context: CallContext): Promise<AuditAnswer> {
    const authorization = parsed(authorizationSchema, given, 'authorization')
    this.#checkTerms(authorization, query)
    const who = memberOfKey(this.#needs, authorizationSigner(queryHash(query), authorization))
    this.#spend(who.member, authorization)
    if (this.#busy) throw new AuditRefusal('BUSY', 'another query of the records is being answered: try again')
    this.#busy = true
    try {
      const right = await this.#recorded(who, query, context)
      return await this.#answer(query, right, context)
    } finally {
      this.#busy = false
    }
  }

  #checkTerms({ chainId, node, expires }: Authorization, { fromBlock, toBlock }: AuditQuery): void {
    const { chainId: own, self, nowS, head } = this.#needs
    if (chainId !== own) throw new AuditRefusal('WRONG_CHAIN', `signed for chain ${chainId}, this is ${own}`)
    if (node !== self) throw new AuditRefusal('WRONG_NODE', `signed for the node ${node}, this is ${self}`)
    if (expires < nowS()) throw new AuditRefusal('EXPIRED', `the authorization ended at ${expires}: sign again`)
    if (expires > nowS() + AUTHORIZATION_SECONDS_MAX) {
      throw new AuditRefusal('EXPIRES_TOO_LATE', `an authorization counts for ${AUTHORIZATION_SECONDS_MAX} s at most`)
    }
    if (fromBlock > toBlock || toBlock > head()) {
      throw new AuditRefusal('MALFORMED', `blocks ${fromBlock} to ${toBlock} are no range up to the head ${head()}`)
    }
  }

  #spend(member: Address, { nonce, expires }: Authorization): void {
    const now = this.#needs.nowS()
    for (const [key, until] of this.#nonces) if (until < now) this.#nonces.delete(key)
    const key = `${member}/${nonce}`
    if (this.#nonces.has(key)) throw new AuditRefusal('NONCE_USED', 'this authorization was used before: sign again')
    if (this.#nonces.size >= NONCES_MAX)
      throw new AuditRefusal('BUSY', 'too many queries lately: try again in a minute')
    this.#nonces.set(key, expires)
  }

  /** The query is on record, and durable, before it is answered; so is one that is refused to a member. */
  async #recorded(who: ReturnType<typeof memberOfKey>, query: AuditQuery, { remote }: CallContext): Promise<Right> {
    const { reads, log } = this.#needs
    const { enterprise } = chainQuery(query)
    if (!log.hasRoom) throw new AuditRefusal('BUSY', 'the record of reads is behind: try again')
    const judged = this.#judged(who, query)
    reads.noteAudit(who.member, remote, enterprise, judged.note)
    await log.flush()
    if (log.failed) throw new AuditRefusal('BUSY', 'the record of reads cannot be written: ask another node')
    if ('refusal' in judged) throw judged.refusal
    return judged.right
  }

  #judged(who: ReturnType<typeof memberOfKey>, query: AuditQuery): Judged {
    try {
      const right = rightOf(this.#needs, who, query)
      return { note: right.ground, right }
    } catch (error) {
      if (!(error instanceof AuditRefusal)) throw error
      return { note: `refused: ${error.code}`, refusal: error }
    }
  }

  async #answer(query: AuditQuery, { toTimeS }: Right, { line, deadlineMs }: CallContext): Promise<AuditAnswer> {
    const slices = new Slices(line, deadlineMs)
    const { fromBlock, toBlock, nextBlock = fromBlock, nextRead = 0 } = query
    const asked = chainQuery(query)
    const entries: TraceEntry[] = []
    let block = nextBlock
    if (block <= toBlock) {
      const trail = new Trail(this.#needs.source(slices))
      for await (const page of trail.pages({ ...asked, fromBlock: block })) {
        entries.push(...page.entries)
        block = page.toBlock + 1
        if (entries.length >= PAGE_ENTRIES) break
      }
    }
    const found = await searchReads(this.#needs.log.files, asked, nextRead, PAGE_ENTRIES, slices)
    entries.push(...found.entries.filter(({ timeMs }) => timeMs < (toTimeS + 1) * 1_000))
    const done = block > toBlock && found.next === null
    return { entries, next: done ? null : { nextBlock: block, nextRead: found.next ?? Number.MAX_SAFE_INTEGER } }
  }
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, title: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  throw new AuditRefusal('MALFORMED', `${[title, ...issue.path].join('.')}: ${issue.message}`)
}

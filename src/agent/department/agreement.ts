/**
 * A department's part in key agreements (paper 3.2 (2)). Each round that the chain opens is answered with one message; the
 * secret that it rests on becomes durable in the same change as the message, so before anything leaves. Whatever is decided
 * is decided once: a restart sends the same again, or finds it on the chain.
 */
import { randomBytes } from 'node:crypto'
import { AGREEMENT_PHASE } from '../../contracts/codes.js'
import { type Address, equalBytes, fromHex, type Hash, toHash, ZERO_HASH } from '../../core/bytes.js'
import {
  type Contribution,
  type GroupContext,
  GroupKeyError,
  groupExponent,
  groupLink,
  groupSecret,
  groupShare,
} from '../../crypto/groupKey.js'
import { groupKeyPair } from '../../crypto/groupKeyPair.js'
import type { RpcClient } from '../../rpc/client.js'
import { keyAgreement, view } from '../contractClient.js'
import type { DepartmentDatabase, NamedSecret } from '../database/departmentDatabase.js'
import type { AgentLog } from '../log.js'
import { exponentName, groupKeyName } from './groupKeys.js'
import type { RunningRound } from './idleRounds.js'
import type { AgreementStep } from './outbox.js'

export interface AgreementNeeds {
  readonly client: RpcClient
  readonly database: Pick<DepartmentDatabase, 'secret'>
  readonly log: AgentLog
}

/** What a round makes the department keep and say. */
export interface RoundOutcome {
  readonly secrets: readonly NamedSecret[]
  readonly step?: AgreementStep
}

/** One attempt as the chain shows it, and this department's exponent. */
interface Round {
  readonly group: Address
  readonly context: GroupContext
  readonly phase: number
  readonly shares: readonly Hash[]
  readonly links: readonly Hash[]
  /** Own confirmation; ZERO_HASH before it is there. */
  readonly confirmed: Hash
  readonly ownShare: Hash
  readonly exponent: Uint8Array | null
}

const NOTHING: RoundOutcome = { secrets: [] }

export class Agreement {
  readonly #chainId: number
  readonly #self: Address
  readonly #needs: AgreementNeeds
  /** Groups that this department is in; undefined until the chain was asked. */
  #groups: Set<Address> | undefined
  /** Running attempts, with the last block of their round. */
  readonly #deadlines = new Map<Address, { readonly attempt: number; readonly deadline: number }>()

  constructor(chainId: number, self: Address, needs: AgreementNeeds) {
    this.#chainId = chainId
    this.#self = self
    this.#needs = needs
  }

  /** Envelopes to these open with keys of this department, too. Empty before `open`. */
  get groups(): readonly Address[] {
    return [...(this.#groups ?? [])]
  }

  /** Asks the chain, once, for groups and running attempts. Rejects with RpcClientError or RpcError; then it can be called again. */
  async open(): Promise<void> {
    if (this.#groups !== undefined) return
    const { client } = this.#needs
    const groups = await view(client, keyAgreement, 'groupsOf', { department: this.#self })
    for (const group of groups) {
      const { attempt } = await view(client, keyAgreement, 'groupOf', { group })
      const { phase, deadline } = await view(client, keyAgreement, 'attemptOf', { group, attempt })
      if (phase <= AGREEMENT_PHASE.dispute) this.#deadlines.set(group, { attempt, deadline: Number(deadline) })
    }
    this.#groups = new Set(groups)
  }

  /** Rounds that wait for somebody's word. */
  get running(): readonly RunningRound[] {
    return [...this.#deadlines].map(([group, { attempt, deadline }]) => ({ group, attempt, deadline }))
  }

  /** Attempts whose round has outlived its deadline at this height; each is told once. */
  overdue(height: number): AgreementStep[] {
    const late = [...this.#deadlines].filter(([, { deadline }]) => deadline < height)
    return late.map(([group, { attempt }]) => {
      this.#deadlines.delete(group)
      return { kind: 'agreementStep', group, attempt, step: 'abort', words: [] }
    })
  }

  /** A round has begun. The answer is nothing where the chain is further already or the exponent is not here. */
  async round(group: Address, attempt: number, phase: number, deadline: bigint): Promise<RoundOutcome> {
    this.#groups?.add(group)
    this.#deadlines.set(group, { attempt, deadline: Number(deadline) })
    const round = await this.#read(group, attempt)
    if (round.phase !== phase) return NOTHING
    try {
      return this.#answer(round)
    } catch (error) {
      if (!(error instanceof GroupKeyError)) throw error
      this.#needs.log.error({ group, attempt, reason: error.message }, 'cannot take part in a key agreement')
      return NOTHING
    }
  }

  /** An attempt is over: its exponent goes, and where nothing was agreed the key that it would have given. */
  async ended(group: Address, attempt: number, agreed: boolean): Promise<RoundOutcome> {
    if (this.#deadlines.get(group)?.attempt === attempt) this.#deadlines.delete(group)
    const secrets: NamedSecret[] = [{ name: exponentName(group, attempt), value: null }]
    const { keyEpoch } = await view(this.#needs.client, keyAgreement, 'attemptOf', { group, attempt })
    if (!agreed) secrets.push({ name: groupKeyName(group, keyEpoch), value: null })
    this.#needs.log.info({ group, attempt, epoch: keyEpoch.toString(), agreed }, 'a key agreement has ended')
    return { secrets }
  }

  async #read(group: Address, attempt: number): Promise<Round> {
    const { client, database } = this.#needs
    const [{ roster }, state, exponent] = await Promise.all([
      view(client, keyAgreement, 'groupOf', { group }),
      view(client, keyAgreement, 'attemptOf', { group, attempt }),
      database.secret(exponentName(group, attempt)),
    ])
    const place = roster.indexOf(this.#self)
    const { phase, shares, links, confirmations, keyEpoch: epoch } = state
    const context = { chainId: BigInt(this.#chainId), contract: keyAgreement.address, roster, epoch, attempt }
    const own = { ownShare: shares[place] ?? ZERO_HASH, confirmed: confirmations[place] ?? ZERO_HASH }
    return { group, context, phase, shares, links, exponent, ...own }
  }

  #answer(round: Round): RoundOutcome {
    if (round.phase === AGREEMENT_PHASE.shares) return this.#share(round)
    const { exponent, group, context } = round
    if (exponent === null) {
      const about = { group, attempt: context.attempt }
      this.#needs.log.error(
        about,
        'the exponent of a running key agreement is not in this database: the attempt will fail',
      )
      return NOTHING
    }
    if (round.phase === AGREEMENT_PHASE.links) return this.#link(round, exponent)
    return round.phase === AGREEMENT_PHASE.confirmations ? this.#confirm(round, exponent) : this.#prove(round, exponent)
  }

  /** One exponent for an attempt, whatever happens: a kept one is used again, and a share on chain without one is left alone. */
  #share(round: Round): RoundOutcome {
    if (round.ownShare !== ZERO_HASH) return NOTHING
    const exponent = round.exponent ?? groupExponent(new Uint8Array(randomBytes(64)))
    const name = exponentName(round.group, round.context.attempt)
    const share = groupShare(round.context, this.#self, exponent)
    return { secrets: [{ name, value: exponent }], step: this.#step(round, 'share', wordsOf(share)) }
  }

  #link(round: Round, exponent: Uint8Array): RoundOutcome {
    const link = groupLink(round.context, this.#self, exponent, round.shares)
    return { secrets: [], step: this.#step(round, 'link', wordsOf(link)) }
  }

  /** The private key is durable before its public key is confirmed: nothing is sealed to a key that could be lost. */
  #confirm(round: Round, exponent: Uint8Array): RoundOutcome {
    const { publicKey, privateKey } = this.#derive(round, exponent)
    const name = groupKeyName(round.group, round.context.epoch)
    return { secrets: [{ name, value: privateKey }], step: this.#step(round, 'confirmation', [toHash(publicKey)]) }
  }

  /** Shows the exponent of an attempt whose key will never be used. */
  #prove(round: Round, exponent: Uint8Array): RoundOutcome {
    const { publicKey } = this.#derive(round, exponent)
    const { group, context, confirmed } = round
    if (!equalBytes(fromHex(confirmed), publicKey)) {
      this.#needs.log.error(
        { group, attempt: context.attempt },
        'another key than the derived one was confirmed under this account',
      )
    }
    this.#needs.log.warn(
      { group, attempt: context.attempt },
      'members have confirmed different keys: proving the right one',
    )
    return { secrets: [], step: this.#step(round, 'proof', [toHash(exponent)]) }
  }

  #derive({ context, shares, links }: Round, exponent: Uint8Array) {
    return groupKeyPair(context, shares, links, groupSecret(context, this.#self, exponent, shares, links))
  }

  #step({ group, context }: Round, step: AgreementStep['step'], words: readonly Hash[]): AgreementStep {
    return { kind: 'agreementStep', group, attempt: context.attempt, step, words }
  }
}

const wordsOf = ({ element, challenge, response }: Contribution): readonly Hash[] => [element, challenge, response]

/** A department's query (paper 4.3, Fig. 7): from the user portrait where it has the answers, else from the supervisors. */
import { BASIS, DELIVERY, EXISTENCE, type ExistenceName, nameOf } from '../contracts/codes.js'
import { recipientsOf } from '../contracts/dataFunctions.js'
import type { DataProfile } from '../contracts/genesisTypes.js'
import { idText, textId } from '../contracts/textId.js'
import { assert } from '../core/assert.js'
import { type Address, fromHex, type Hash, toHash, uintToWord, ZERO_HASH } from '../core/bytes.js'
import { attributeDigest, portraitKeyBytes } from '../crypto/digest.js'
import { AgentError, validated } from './agentError.js'
import { readAttestations } from './attestations.js'
import type { Connection } from './connection.js'
import { ContractRevert, dataSharing, view } from './contractClient.js'
import { WaitError } from './heads.js'
import {
  createPortraitKeyring,
  type JointKeys,
  type KnownPortraitKey,
  type PortraitKeyring,
} from './portraitKeyring.js'
import { usePortrait } from './portraitUse.js'
import { refusalIn } from './questionRefused.js'
import { itemsFor, recipientOf } from './recipients.js'
import { activeIdentity } from './replacedKey.js'
import { sealValues } from './sealedValues.js'
import { untilFresh } from './stale.js'

export interface RequesterOptions {
  /** X25519 private keys of the asking department, the current one first. */
  readonly encryptionKeys: readonly Uint8Array[]
  /** Its groups, whose envelopes may hold a portrait key, too. */
  readonly joint?: JointKeys
  /** How long answers are waited for after the request is final; default 30,000. */
  readonly answerTimeoutMs?: number
}

export interface Question {
  readonly enterpriseId: Hash
  /** Attribute -> declared value. */
  readonly values: ReadonlyMap<string, string>
  /** Why it is asked, as an id; default 'verification'. */
  readonly purpose?: Hash
  /** Id of a consent on chain, or a statute's code (textId), where a rule wants one. */
  readonly basis?: Hash
}

export interface Attester {
  readonly address: Address
  readonly name: string
}

/**
 * The answer on one attribute. unanswered: the supervisors have not answered in time. withdrawn: the consent was revoked or expired
 * before they did.
 */
export interface VerifiedAttribute {
  readonly attribute: string
  readonly status: ExistenceName | 'unanswered' | 'withdrawn'
  /** The supervisors' record holds a value. */
  readonly exists: boolean
  /** It is the declared value. */
  readonly confirmed: boolean
  readonly attesters: readonly Attester[]
  /** Block of the (last) answer; null when unanswered. */
  readonly height: number | null
  readonly fromPortrait: boolean
  /** From the start of the query to this answer. */
  readonly ms: number
}

/** Where the time of a query went, in milliseconds. What the portrait answers alone has only a look-up. */
export interface QueryPhases {
  /** Portrait key, digests, the portrait's answer. */
  readonly lookupMs: number
  /** Envelopes, the node's estimate, handing the request to it. */
  readonly sendMs: number
  /** From there until the request is final. */
  readonly finalMs: number
  /** From there until the supervisors' answers are read. */
  readonly answersMs: number
}

export interface VerificationReport {
  readonly enterpriseId: Hash
  /** Unified social credit code. */
  readonly creditCode: string
  /** In the order of the question's values. */
  readonly attributes: readonly VerifiedAttribute[]
  /** null: everything came from the portrait. */
  readonly requestId: bigint | null
  readonly requestTransaction: Hash | null
  /** In which the portrait's use is on record, where a rule wants a basis. */
  readonly portraitTransaction: Hash | null
  readonly ms: number
  readonly phases: QueryPhases
}

interface AskedItem {
  readonly name: string
  readonly attribute: Hash
  readonly digest: Hash
  /** null: asked by a predicate, of which `digest` is the id. */
  readonly value: string | null
  readonly profile: DataProfile
}

/** Questions that are answered yes or no without a value; each attribute once. */
export interface PredicateQuestion {
  readonly enterpriseId: Hash
  readonly purpose: Hash
  readonly basis?: Hash
  readonly predicates: readonly { readonly attribute: string; readonly predicateId: Hash }[]
}

/** Purpose of a question that names none. */
const DEFAULT_PURPOSE = textId('verification')

export class Requester {
  readonly #options: RequesterOptions
  readonly #connection: Connection
  readonly #keyring: PortraitKeyring

  constructor(options: RequesterOptions, connection: Connection) {
    const { chainId, client } = connection
    const { encryptionKeys, joint } = options
    this.#options = options
    this.#connection = connection
    const { deliveries } = connection
    this.#keyring = createPortraitKeyring(
      { chainId, self: () => connection.account(), encryptionKeys, ...(joint && { joint }) },
      { client, deliveries },
    )
  }

  /** Step (a): the asking account as the chain knows it. Throws AgentError NOT_A_MEMBER or KEY_REPLACED. */
  async authenticate(): Promise<{ readonly role: number; readonly id: Hash }> {
    const { client, sender } = this.#connection
    return activeIdentity(client, sender.address)
  }

  /**
   * Asks whether the enterprise has these attributes with these values. With everything in the portrait it is one
   * eth_call. Throws AgentError, QuestionRefused (on record on chain), ContractRevert, RpcError, RpcClientError.
   */
  async verify(question: Question): Promise<VerificationReport> {
    const { directory } = this.#connection
    const forgetKey = () => this.#keyring.drop(question.enterpriseId)
    return untilFresh(directory, () => this.#verifyOnce(question), forgetKey)
  }

  /**
   * Has the supervisors answer those predicates for which the user portrait has no answer; the answers are then there. Throws as
   * `verify` does.
   */
  async askPredicates(question: PredicateQuestion): Promise<void> {
    return untilFresh(this.#connection.directory, () => this.#askPredicatesOnce(question))
  }

  async #askPredicatesOnce({ predicates, ...question }: PredicateQuestion): Promise<void> {
    const started = performance.now()
    const { client, directory } = this.#connection
    const { enterpriseId } = question
    const profiles = await directory.profiles()
    const items = predicates.map(({ attribute: name, predicateId: digest }) => {
      const profile = profiles.get(name)
      if (profile === undefined) throw new AgentError('INVALID_VALUES', `${name} is not in the data portrait`)
      return { name, attribute: profile.attribute, digest, value: null, profile }
    })
    const asked = items.map(({ attribute, digest }) => ({ attribute, digest }))
    const held = await view(client, dataSharing, 'portraitHeld', { enterpriseId, items: asked })
    const open = items.filter((_, i) => !held[i])
    if (open.length === 0) return
    const version = await view(client, dataSharing, 'portraitVersionOf', { enterpriseId })
    // A predicate is public: there is no value whose digest would need the enterprise's key.
    const key = new Uint8Array(portraitKeyBytes)
    await this.#ask({ ...question, values: new Map() }, open, { version, key }, () => performance.now() - started)
  }

  async #verifyOnce(question: Question): Promise<VerificationReport> {
    const started = performance.now()
    const elapsed = () => performance.now() - started
    const { enterpriseId } = question
    const portraitKey = await this.#keyring.get(enterpriseId)
    const items = await this.#items(question, portraitKey.key)
    const lookUp = { enterpriseId, items: items.map(({ attribute, digest }) => ({ attribute, digest })) }
    const { client, sender } = this.#connection
    // The node keeps a record of who reads the portrait.
    const entries = await view(client, dataSharing, 'portraitEntries', lookUp, sender.address)
    const found = new Map<string, VerifiedAttribute>()
    for (const [index, { name }] of items.entries()) {
      const entry = entries[index]
      if (!entry?.hit) continue
      const at = { height: Number(entry.height), fromPortrait: true, ms: elapsed() }
      found.set(name, await this.#verified(name, entry.existence, entry.confirmed, entry.attesters, at))
    }
    const lookupMs = elapsed()
    const portraitTransaction = await this.#usePortrait(question, items, found, elapsed)
    const missing = items.filter(({ name }) => !found.has(name))
    const asked = missing.length === 0 ? null : await this.#ask(question, missing, portraitKey, elapsed)
    for (const attribute of asked?.attributes ?? []) found.set(attribute.attribute, attribute)
    return {
      enterpriseId,
      creditCode: idText(enterpriseId),
      attributes: items.map(({ name }) => found.get(name)!),
      requestId: asked?.requestId ?? null,
      requestTransaction: asked?.transaction ?? null,
      portraitTransaction,
      ms: elapsed(),
      phases: { sendMs: 0, finalMs: 0, answersMs: 0, ...asked?.phases, lookupMs },
    }
  }

  /** Finds what needs a basis in the portrait, if it holds all of it; its transaction. */
  async #usePortrait(
    { enterpriseId, purpose = DEFAULT_PURPOSE, basis = ZERO_HASH }: Question,
    items: readonly AskedItem[],
    found: Map<string, VerifiedAttribute>,
    elapsed: () => number,
  ): Promise<Hash | null> {
    if (basis === ZERO_HASH) return null
    const bound = items.filter(({ profile }) => profile.rule.basis !== BASIS.none)
    const asked = bound.map(({ attribute, digest }) => ({ attribute, digest }))
    const used = await usePortrait(this.#connection, { enterpriseId, purpose, basis, items: asked })
    for (const [index, { name }] of bound.entries()) {
      const entry = used?.entries[index]
      if (!entry?.hit) continue
      const at = { height: Number(entry.height), fromPortrait: true, ms: elapsed() }
      found.set(name, await this.#verified(name, entry.existence, entry.confirmed, entry.attesters, at))
    }
    return used?.transaction ?? null
  }

  async #items(question: Question, portraitKey: Uint8Array): Promise<AskedItem[]> {
    const profiles = await this.#connection.directory.profiles()
    const { chainId } = this.#connection
    const { enterpriseId } = question
    return [...validated(profiles, question.values)].map(([name, value]) => {
      const profile = profiles.get(name)
      assert(profile, 'validated values have a profile')
      const { attribute, schemaVersion } = profile
      const digest = attributeDigest({ portraitKey, chainId, enterpriseId, attribute, schemaVersion, value })
      return { name, attribute, digest, value, profile }
    })
  }

  async #ask(question: Question, items: readonly AskedItem[], portraitKey: KnownPortraitKey, elapsed: () => number) {
    const { sender } = this.#connection
    const { enterpriseId } = question
    const startMs = elapsed()
    const transaction = await sender.send(dataSharing, 'requestVerification', {
      enterpriseId,
      portraitVersion: portraitKey.version,
      purpose: question.purpose ?? DEFAULT_PURPOSE,
      basis: question.basis ?? ZERO_HASH,
      items: items.map(({ attribute, digest }) => ({ attribute, digest })),
      sealed: await this.#seal(enterpriseId, items, portraitKey),
    })
    const sentMs = elapsed()
    const receipt = await sender.final(transaction)
    const finalMs = elapsed()
    const refusal = refusalIn(receipt)
    if (refusal !== undefined) throw refusal
    const events = receipt.logs.map((log) =>
      dataSharing.abi.decodeEvent('VerificationRequested', { topics: log.topics, data: fromHex(log.data) }),
    )
    const requestId = events.find((event) => event !== undefined)?.requestId
    if (receipt.status !== '0x1' || requestId === undefined) {
      const message = `request ${transaction} had no effect: the chain's rules changed meanwhile, ask again`
      throw new AgentError('TRANSACTION_FAILED', message)
    }
    const onConsent = receipt.logs.some(
      ({ topics, data }) => dataSharing.abi.decodeEvent('BasisUsed', { topics, data: fromHex(data) })?.consent,
    )
    const attributes = await this.#answers(requestId, Number(receipt.blockNumber), items, elapsed, onConsent)
    const phases = { sendMs: sentMs - startMs, finalMs: finalMs - sentMs, answersMs: elapsed() - finalMs }
    return { requestId, transaction, attributes, phases }
  }

  /** One envelope for each active supervisor or group of supervisors, with the values that it supervises. */
  async #seal(enterpriseId: Hash, items: readonly AskedItem[], { key, version }: KnownPortraitKey) {
    const { chainId, deliveries, directory, sender } = this.#connection
    const supervisors = [...new Set(items.flatMap(({ profile }) => recipientsOf(profile)))]
    const sealed = await Promise.all(
      supervisors.map(async (supervisor) => {
        const own = itemsFor(items, supervisor)
        const recipient = await recipientOf(directory, supervisor, own[0]!.profile)
        if (!recipient) return null
        if (!recipient.encryptionKey) throw noEncryptionKey(recipient.name)
        const context = {
          kind: 'question',
          chainId,
          contract: dataSharing.address,
          sender: sender.address,
          enterpriseId,
          portraitVersion: version,
          recipient: supervisor,
          keyEpoch: recipient.keyEpoch,
          attributes: own.map(({ attribute }) => attribute),
          digests: own.map(({ digest }) => digest),
        } as const
        const values = new Map(
          own.flatMap(({ name, value, profile: { schemaVersion } }) => {
            return value === null ? [] : [[name, { schemaVersion, value }] as const]
          }),
        )
        const sealed = sealValues({ portraitKey: key, values }, recipient.encryptionKey, context)
        const direct = own.some(({ profile }) => profile.rule.delivery === DELIVERY.direct)
        const delivery = deliveries.of(direct ? DELIVERY.direct : DELIVERY.ledger)
        const envelope = await delivery.send(sealed, supervisor)
        return { supervisor, keyEpoch: recipient.keyEpoch, envelope }
      }),
    )
    return sealed.filter((entry) => entry !== null)
  }

  /** Waits until the request is complete or withdrawn, its deadline has passed or the time is up; what is unanswered then stays so. */
  async #answers(
    requestId: bigint,
    fromHeight: number,
    items: readonly AskedItem[],
    elapsed: () => number,
    onConsent: boolean,
  ): Promise<VerifiedAttribute[]> {
    const { client, heads } = this.#connection
    const requestTopic = toHash(uintToWord(requestId))
    const read = () => view(client, dataSharing, 'requestOf', { requestId })
    const mayExpire = items.every(({ profile }) => profile.rule.deadlineBlocks !== 0n)
    let seenTo = fromHeight
    const mayBeSettled = () => {
      const from = seenTo + 1
      seenTo = heads.height
      if (mayExpire) return true
      for (let height = from; height <= seenTo; height++) {
        if (heads.mayHold(height, dataSharing.abi.topic('VerificationCompleted'), requestTopic)) return true
      }
      return false
    }
    const isWithdrawn = async () =>
      onConsent && (await view(client, dataSharing, 'consentOfRequest', { requestId })).withdrawn
    const settled = async () => {
      if (await isWithdrawn()) return read()
      if (!mayBeSettled()) return undefined
      const request = await read()
      const { completed, deadline } = request
      return completed || (deadline !== 0n && BigInt(heads.height) > deadline) ? request : undefined
    }
    const timeoutMs = this.#options.answerTimeoutMs ?? 30_000
    const waiting = heads.until(settled, timeoutMs, `the answers to request ${requestId}`, fromHeight)
    const request = await waiting.catch((error: unknown) => {
      if (error instanceof WaitError && error.code === 'TIMEOUT') return read()
      throw error
    })
    const { completed, deadline } = request
    const withdrawn = !completed && (await isWithdrawn())
    if (!completed && !withdrawn && deadline !== 0n && BigInt(heads.height) > deadline) await this.#close(requestId)
    // Every answer that the request counts has its log by now.
    const attestations = await readAttestations(client, requestId, fromHeight, Math.max(fromHeight, heads.height))
    const decided = new Map(request.items.map((item) => [item.attribute, item]))
    return Promise.all(
      items.map(({ name, attribute }) => {
        const own = attestations.filter((attestation) => attestation.attribute === attribute)
        const item = decided.get(attribute)
        const height = item && item.existence !== 0 ? Math.max(...own.map((attestation) => attestation.height)) : null
        const attesters = own.map(({ supervisor }) => supervisor)
        const at = { height, fromPortrait: false, ms: elapsed() }
        const open = withdrawn ? 'withdrawn' : 'unanswered'
        return this.#verified(name, item?.existence ?? 0, item?.confirmed ?? false, attesters, at, open)
      }),
    )
  }

  /** Puts on record who owes an answer; the chain refuses it where that is known, or nobody is at fault. */
  async #close(requestId: bigint): Promise<void> {
    try {
      await this.#connection.sender.send(dataSharing, 'closeRequest', { requestId })
    } catch (error) {
      if (!(error instanceof ContractRevert)) throw error
    }
  }

  async #verified(
    attribute: string,
    existence: number,
    confirmed: boolean,
    attesters: readonly Address[],
    at: Pick<VerifiedAttribute, 'height' | 'fromPortrait' | 'ms'>,
    open: 'unanswered' | 'withdrawn' = 'unanswered',
  ): Promise<VerifiedAttribute> {
    const { directory } = this.#connection
    const named = await Promise.all(
      attesters.map(async (address) => ({ address, name: (await directory.member(address))?.name ?? address })),
    )
    const status = nameOf(EXISTENCE, existence) ?? open
    return { attribute, status, exists: existence === EXISTENCE.exists, confirmed, attesters: named, ...at }
  }
}

function noEncryptionKey(name: string): AgentError {
  return new AgentError('NO_ENCRYPTION_KEY', `${name} has published no encryption key: it has to rotate to one first`)
}

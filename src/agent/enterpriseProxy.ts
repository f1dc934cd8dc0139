/** An enterprise's submission (paper 4.3, Fig. 6): declaration -> values -> validate -> split -> seal -> StoreData. */

import { DELIVERY, ROLE } from '../contracts/codes.js'
import {
  DataDistribution,
  DataSplit,
  type Profiles,
  type SealedPart,
  type SplitPart,
  type Values,
} from '../contracts/dataFunctions.js'
import { idText } from '../contracts/textId.js'
import { assert } from '../core/assert.js'
import { type Address, fromHex, type Hash } from '../core/bytes.js'
import { attributeDigest } from '../crypto/digest.js'
import type { RpcReceipt } from '../rpc/wire.js'
import { AgentError, validated } from './agentError.js'
import type { Connection } from './connection.js'
import { dataSharing, view } from './contractClient.js'
import { type Declaration, documentHashOf } from './declaration/declared.js'
import type { Member } from './directory.js'
import { WaitError } from './heads.js'
import { type PartReport, partReports } from './partReports.js'
import type { PortraitKey, PortraitKeys } from './portraitKeys.js'
import { type Recipient, recipientOf } from './recipients.js'
import { activeIdentity } from './replacedKey.js'
import { type SealedContext, type SealedValues, sealValues } from './sealedValues.js'
import type { BeforeHandOver } from './sender.js'
import { untilFresh } from './stale.js'

export interface ProxyOptions {
  /** The enterprise's portrait keys: `portraitKeysIn(file)`. */
  readonly portraitKeys: PortraitKeys
  /** How long the departments' acknowledgements are waited for; 0: not at all. Default 30,000. */
  readonly acknowledgeTimeoutMs?: number
}

/** A StoreData that is final. */
export interface StoredSubmission {
  readonly submissionId: bigint
  readonly transaction: Hash
  readonly height: number
}

export interface SubmissionReport extends StoredSubmission {
  readonly creditCode: string
  /** By which the chain knows the declaration. */
  readonly documentHash: Hash
  readonly portraitVersion: number
  readonly parts: readonly PartReport[]
  /** Departments that received the portrait key now. */
  readonly sharedWith: readonly string[]
  /** From the start until StoreData was final. */
  readonly finalMs: number
  /** From the start until every department had acknowledged; null when some has not. */
  readonly acknowledgedMs: number | null
}

/** A part before it is sealed, with its recipient. */
interface DraftPart extends SplitPart {
  readonly department: Recipient
}

/** Recipients of one sharePortraitKey transaction. */
const SHARES_PER_TRANSACTION = 64

export class EnterpriseProxy {
  readonly #options: ProxyOptions
  readonly #connection: Connection

  constructor(options: ProxyOptions, connection: Connection) {
    this.#options = options
    this.#connection = connection
  }

  /** Throws AgentError, PortraitKeyFileError, ContractRevert, WaitError, RpcError or RpcClientError. */
  async submit(declaration: Declaration): Promise<SubmissionReport> {
    const started = performance.now()
    const { draft, portraitKey, ...stored } = await this.#store(declaration)
    const finalMs = performance.now() - started
    const [sharedWith, acknowledged] = await Promise.all([
      this.#share(declaration.enterpriseId, portraitKey, draft),
      this.#acknowledged(stored.submissionId, draft.length),
    ])
    const complete = acknowledged.every((part) => part.status !== 'pending')
    return {
      ...stored,
      creditCode: declaration.creditCode,
      portraitVersion: portraitKey.version,
      parts: acknowledged,
      sharedWith,
      finalMs,
      acknowledgedMs: complete ? performance.now() - started : null,
    }
  }

  /** The hash by which the chain will know the declaration, under the portrait key that a submission would have now. */
  async documentHash(declaration: Declaration): Promise<Hash> {
    return documentHashOf(declaration, (await this.#portraitKey(declaration.enterpriseId)).key)
  }

  /** The first half of `submit`: until StoreData is final. `beforeHandOver` as in TransactionSender. Throws as `submit` does. */
  async store(declaration: Declaration, beforeHandOver?: BeforeHandOver): Promise<StoredSubmission> {
    const { submissionId, transaction, height } = await this.#store(declaration, beforeHandOver)
    return { submissionId, transaction, height }
  }

  /**
   * What `submit` does beside waiting for the departments: gives the portrait key to those who may ask. For submissions of block `height`
   * whose sender stopped: who was given it since then is left out. Throws as `submit` does.
   */
  async shareKey(declaration: Declaration, height: number): Promise<readonly string[]> {
    const { enterpriseId } = declaration
    const profiles = await this.#connection.directory.profiles()
    const draft = await this.#split(profiles, validated(profiles, declaration.values, declaration.places))
    return this.#share(enterpriseId, await this.#portraitKey(enterpriseId), draft, height)
  }

  /** A department may change its key, or an attribute its supervisors, between sealing and sending: then it is sealed again. */
  #store(declaration: Declaration, beforeHandOver?: BeforeHandOver) {
    return untilFresh(this.#connection.directory, () => this.#storeOnce(declaration, beforeHandOver))
  }

  async #storeOnce(declaration: Declaration, beforeHandOver?: BeforeHandOver) {
    const { enterpriseId } = declaration
    const { sender, directory } = this.#connection
    await this.#authenticate(declaration)
    const profiles = await directory.profiles()
    const values = validated(profiles, declaration.values, declaration.places)
    const draft = await this.#split(profiles, values)
    const portraitKey = await this.#portraitKey(enterpriseId)
    const parts = await this.#handOver(this.#distribute(enterpriseId, portraitKey, draft), draft)
    const documentHash = documentHashOf(declaration, portraitKey.key)
    const submission = { enterpriseId, documentHash, portraitVersion: portraitKey.version, parts }
    const transaction = await sender.send(dataSharing, 'StoreData', submission, undefined, beforeHandOver)
    const receipt = await sender.final(transaction)
    return { ...storedIn(receipt), documentHash, draft, portraitKey }
  }

  /** Step (a). */
  async #authenticate({ enterpriseId, creditCode }: Declaration): Promise<void> {
    const { client, sender } = this.#connection
    const { role, id } = await activeIdentity(client, sender.address)
    if (role !== ROLE.enterprise) throw new AgentError('WRONG_ROLE', `${sender.address} is not an enterprise`)
    if (id === enterpriseId) return
    const message = `the declaration is of ${creditCode}, the key belongs to ${idText(id)}: sign with the enterprise's own key`
    throw new AgentError('OTHER_ENTERPRISE', message)
  }

  /** Step (d): every active supervisor of an attribute gets its value, alone or with its group. */
  async #split(profiles: Profiles, values: Values): Promise<DraftPart[]> {
    const { directory } = this.#connection
    const draft = await Promise.all(
      DataSplit(profiles, values).map(async (part) => ({
        ...part,
        department: await recipientOf(directory, part.recipient, part.items[0]!.profile),
      })),
    )
    return draft.flatMap(({ department, ...part }) => (department ? [{ ...part, department }] : []))
  }

  async #portraitKey(enterpriseId: Hash): Promise<PortraitKey> {
    const version = await view(this.#connection.client, dataSharing, 'portraitVersionOf', { enterpriseId })
    return this.#options.portraitKeys.current(enterpriseId, version)
  }

  /** Step (e). */
  #distribute(enterpriseId: Hash, { key: portraitKey, version }: PortraitKey, draft: readonly DraftPart[]) {
    const { chainId } = this.#connection
    const departments = new Map(draft.map(({ department }) => [department.account, department]))
    const departmentOf = (recipient: Address): Recipient => {
      const department = departments.get(recipient)
      assert(department, 'each part has its department')
      return department
    }
    return DataDistribution(draft, {
      keyEpoch: (recipient) => departmentOf(recipient).keyEpoch,
      digest({ profile: { attribute, schemaVersion }, value }) {
        return attributeDigest({ portraitKey, chainId, enterpriseId, attribute, schemaVersion, value })
      },
      seal: ({ recipient, items }, attributes, digests) => {
        const department = departmentOf(recipient)
        const context = this.#context('part', enterpriseId, version, department, attributes, digests)
        const values = items.map(({ attribute, profile: { schemaVersion }, value }) => {
          return [attribute, { schemaVersion, value }] as const
        })
        return sealFor(department, { portraitKey, values: new Map(values) }, context)
      },
    })
  }

  /** What travels directly goes to the node before the transaction that refers to it. */
  #handOver(parts: readonly SealedPart[], draft: readonly DraftPart[]): Promise<SealedPart[]> {
    const { deliveries } = this.#connection
    return Promise.all(
      parts.map(async (part, index) => {
        const delivery = draft[index]?.items[0]?.profile.rule.delivery ?? DELIVERY.ledger
        return { ...part, envelope: await deliveries.of(delivery).send(part.envelope, part.recipient) }
      }),
    )
  }

  #context(
    kind: SealedContext['kind'],
    enterpriseId: Hash,
    portraitVersion: number,
    { account, keyEpoch }: Recipient,
    attributes: readonly Hash[],
    digests: readonly Hash[],
  ): SealedContext {
    const { chainId, sender } = this.#connection
    const own = { kind, chainId, contract: dataSharing.address, sender: sender.address }
    return { ...own, enterpriseId, portraitVersion, recipient: account, keyEpoch, attributes, digests }
  }

  /**
   * Gives the portrait key to the members that may ask about one of these attributes at least and do not have it. There is
   * one key for the whole portrait, so this cannot be exact: who may ask about one attribute can also test guesses against the
   * digests of the others, on its own machine and without a budget. It gets no value, and the chain takes no question from it
   * about those others; but values that can be guessed are safe only from members that may ask about none of the attributes.
   */
  async #share(
    enterpriseId: Hash,
    portraitKey: PortraitKey,
    draft: readonly DraftPart[],
    sinceHeight?: number,
  ): Promise<string[]> {
    const { directory } = this.#connection
    const self = await this.#connection.account()
    const rules = draft.flatMap(({ items }) => items.map(({ profile }) => profile.rule))
    const askers = rules.reduce((mask, rule) => mask | rule.askerRoles, 0)
    const wanting = (await directory.members()).filter((member) => {
      const mayAsk = member.active && ((askers >>> member.role) & 1) === 1 && member.account !== self
      return mayAsk && member.encryptionKey !== null && !portraitKey.sharedWith.includes(member.account)
    })
    const recipients = sinceHeight === undefined ? wanting : await this.#notSince(sinceHeight, enterpriseId, wanting)
    for (let from = 0; from < recipients.length; from += SHARES_PER_TRANSACTION) {
      const some = recipients.slice(from, from + SHARES_PER_TRANSACTION)
      const accounts = await untilFresh(directory, () => this.#shareWith(enterpriseId, portraitKey, some))
      await this.#options.portraitKeys.noteShared(enterpriseId, portraitKey.version, accounts)
    }
    return recipients.map(({ name }) => name)
  }

  /** One transaction; who was given the key. The members are looked up: a former try may have met an old key, or one who is suspended now. */
  async #shareWith(enterpriseId: Hash, portraitKey: PortraitKey, known: readonly Member[]): Promise<Address[]> {
    const { directory, sender } = this.#connection
    const found = await Promise.all(known.map(({ account }) => directory.member(account)))
    const shares = found.flatMap((member) => {
      if (!member?.active) return []
      const context = this.#context('portraitKey', enterpriseId, portraitKey.version, member, [], [])
      const envelope = sealFor(member, { portraitKey: portraitKey.key, values: new Map() }, context)
      return [{ recipient: member.account, keyEpoch: member.keyEpoch, envelope }]
    })
    if (shares.length === 0) return []
    const share = { enterpriseId, portraitVersion: portraitKey.version, shares }
    const receipt = await sender.final(await sender.send(dataSharing, 'sharePortraitKey', share))
    if (receipt.status === '0x1') return shares.map(({ recipient }) => recipient)
    const message = `sharing the portrait key failed (${receipt.transactionHash}): submit again`
    throw new AgentError('TRANSACTION_FAILED', message)
  }

  async #notSince(height: number, enterpriseId: Hash, recipients: readonly Member[]): Promise<readonly Member[]> {
    const { client } = this.#connection
    const known = recipients.map(({ account }) =>
      view(client, dataSharing, 'portraitKeySharedAt', { enterpriseId, recipient: account }),
    )
    const heights = await Promise.all(known)
    return recipients.filter((_, i) => (heights[i] ?? 0n) < BigInt(height))
  }

  async #acknowledged(submissionId: bigint, parts: number): Promise<PartReport[]> {
    const { client, heads } = this.#connection
    const timeoutMs = this.#options.acknowledgeTimeoutMs ?? 30_000
    const all = async () => {
      const { ackedCount, partCount } = await view(client, dataSharing, 'submissionOf', { submissionId })
      return ackedCount === partCount ? true : undefined
    }
    if (timeoutMs > 0) {
      await heads.until(all, timeoutMs, `acknowledgements of submission ${submissionId}`).catch((error: unknown) => {
        if (!(error instanceof WaitError && error.code === 'TIMEOUT')) throw error
      })
    }
    return partReports(this.#connection, submissionId, parts)
  }
}

/** The submission that a StoreData transaction made. Throws AgentError when it had no effect. */
export function storedIn(receipt: RpcReceipt): StoredSubmission {
  const { logs, status, transactionHash: transaction, blockNumber } = receipt
  for (const log of status === '0x1' ? logs : []) {
    const event = dataSharing.abi.decodeEvent('DataStored', { topics: log.topics, data: fromHex(log.data) })
    if (event) return { submissionId: event.submissionId, transaction, height: Number(blockNumber) }
  }
  const message = `submission ${transaction} had no effect: the chain's rules changed meanwhile, submit again`
  throw new AgentError('TRANSACTION_FAILED', message)
}

function sealFor({ name, encryptionKey }: Recipient, sealed: SealedValues, context: SealedContext): Uint8Array {
  if (encryptionKey) return sealValues(sealed, encryptionKey, context)
  throw new AgentError('NO_ENCRYPTION_KEY', `${name} has published no encryption key: it has to rotate to one first`)
}

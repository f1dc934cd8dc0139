/** An enterprise's submission (paper 4.3, Fig. 6): declaration -> values -> validate -> split -> seal -> StoreData. */
import { ACK_CODE, type AckCodeName, nameOf, ROLE } from '../contracts/codes.js'
import { DataDistribution, DataSplit, type Profiles, type SplitPart, type Values } from '../contracts/dataFunctions.js'
import { idText } from '../contracts/textId.js'
import { assert } from '../core/assert.js'
import { type Address, fromHex, type Hash } from '../core/bytes.js'
import { attributeDigest } from '../crypto/digest.js'
import type { RpcLog } from '../rpc/wire.js'
import { AgentError, validated } from './agentError.js'
import type { Connection } from './connection.js'
import { dataSharing, members, view } from './contractClient.js'
import type { Declaration } from './declaration.js'
import type { Member } from './directory.js'
import { WaitError } from './heads.js'
import { notePortraitKeyShared, type PortraitKey, portraitKeyOf } from './portraitKeyFile.js'
import { type SealedContext, type SealedValues, sealValues } from './sealedValues.js'

export interface ProxyOptions {
  /** The enterprise's portrait keys; made at the first submission, mode 0600. */
  readonly portraitKeyFile: string
  /** How long the departments' acknowledgements are waited for; 0: not at all. Default 30,000. */
  readonly acknowledgeTimeoutMs?: number
}

/** One department's part of a submission. */
export interface PartReport {
  readonly department: string
  readonly address: Address
  readonly attributes: readonly string[]
  readonly status: 'accepted' | 'rejected' | 'pending'
  /** Why it was rejected. */
  readonly code: AckCodeName | number
}

export interface SubmissionReport {
  readonly submissionId: bigint
  readonly transaction: Hash
  readonly height: number
  readonly creditCode: string
  /** SHA-256 of the declaration file. */
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
  readonly department: Member
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
    const { enterpriseId } = declaration
    await this.#authenticate(declaration)
    const profiles = await this.#connection.directory.profiles()
    const values = validated(profiles, declaration.values, declaration.places)
    const draft = await this.#split(profiles, values)
    const portraitKey = await this.#portraitKey(enterpriseId)
    const parts = this.#distribute(enterpriseId, portraitKey, draft)
    const { documentHash } = declaration
    const portraitVersion = portraitKey.version
    const submission = { enterpriseId, documentHash, portraitVersion, parts }
    const transaction = await this.#connection.sender.send(dataSharing, 'StoreData', submission)
    const receipt = await this.#connection.sender.final(transaction)
    const finalMs = performance.now() - started
    const submissionId = this.#submissionId(receipt.logs, transaction, receipt.status === '0x1')
    const [sharedWith, acknowledged] = await Promise.all([
      this.#share(enterpriseId, portraitKey, draft),
      this.#acknowledged(submissionId, draft),
    ])
    const complete = acknowledged.every((part) => part.status !== 'pending')
    return {
      submissionId,
      transaction,
      height: Number(receipt.blockNumber),
      creditCode: declaration.creditCode,
      documentHash,
      portraitVersion,
      parts: acknowledged,
      sharedWith,
      finalMs,
      acknowledgedMs: complete ? performance.now() - started : null,
    }
  }

  /** Step (a). */
  async #authenticate({ enterpriseId, creditCode }: Declaration): Promise<void> {
    const { client, sender } = this.#connection
    const { active, role, id } = await view(client, members, 'IdentityAuth', { userID: sender.address })
    if (!active) throw new AgentError('NOT_A_MEMBER', `${sender.address} is no active member: register it first`)
    if (role !== ROLE.enterprise) throw new AgentError('WRONG_ROLE', `${sender.address} is not an enterprise`)
    if (id === enterpriseId) return
    const message = `the declaration is of ${creditCode}, the key belongs to ${idText(id)}: sign with the enterprise's own key`
    throw new AgentError('OTHER_ENTERPRISE', message)
  }

  /** Step (d): every active supervisor of an attribute gets its value. */
  async #split(profiles: Profiles, values: Values): Promise<DraftPart[]> {
    const { directory } = this.#connection
    const draft = await Promise.all(
      DataSplit(profiles, values).map(async (part) => ({
        ...part,
        department: await directory.member(part.recipient),
      })),
    )
    return draft.flatMap(({ department, ...part }) => (department?.active ? [{ ...part, department }] : []))
  }

  async #portraitKey(enterpriseId: Hash): Promise<PortraitKey> {
    const version = await view(this.#connection.client, dataSharing, 'portraitVersionOf', { enterpriseId })
    return portraitKeyOf(this.#options.portraitKeyFile, enterpriseId, version)
  }

  /** Step (e). */
  #distribute(enterpriseId: Hash, { key: portraitKey, version }: PortraitKey, draft: readonly DraftPart[]) {
    const { chainId } = this.#connection
    const departments = new Map(draft.map(({ department }) => [department.account, department]))
    const departmentOf = (recipient: Address): Member => {
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

  #context(
    kind: SealedContext['kind'],
    enterpriseId: Hash,
    portraitVersion: number,
    { account, keyEpoch }: Member,
    attributes: readonly Hash[],
    digests: readonly Hash[],
  ): SealedContext {
    const { chainId, sender } = this.#connection
    const own = { kind, chainId, contract: dataSharing.address, sender: sender.address }
    return { ...own, enterpriseId, portraitVersion, recipient: account, keyEpoch, attributes, digests }
  }

  #submissionId(logs: readonly RpcLog[], transaction: Hash, ok: boolean): bigint {
    for (const log of ok ? logs : []) {
      const event = dataSharing.abi.decodeEvent('DataStored', { topics: log.topics, data: fromHex(log.data) })
      if (event) return event.submissionId
    }
    const message = `submission ${transaction} had no effect: the chain's rules changed meanwhile, submit again`
    throw new AgentError('TRANSACTION_FAILED', message)
  }

  /**
   * Gives the portrait key to the members that may ask about one of these attributes at least and do not have it. There is
   * one key for the whole portrait, so this cannot be exact: who may ask about one attribute can also test guesses against the
   * digests of the others, on its own machine and without a budget. It gets no value, and the chain takes no question from it
   * about those others; but values that can be guessed are safe only from members that may ask about none of the attributes.
   */
  async #share(enterpriseId: Hash, portraitKey: PortraitKey, draft: readonly DraftPart[]): Promise<string[]> {
    const { directory, sender } = this.#connection
    const rules = draft.flatMap(({ items }) => items.map(({ profile }) => profile.rule))
    const askers = rules.reduce((mask, rule) => mask | rule.askerRoles, 0)
    const recipients = (await directory.members()).filter((member) => {
      const mayAsk = member.active && ((askers >>> member.role) & 1) === 1 && member.account !== sender.address
      return mayAsk && member.encryptionKey !== null && !portraitKey.sharedWith.includes(member.account)
    })
    for (let from = 0; from < recipients.length; from += SHARES_PER_TRANSACTION) {
      const some = recipients.slice(from, from + SHARES_PER_TRANSACTION)
      const shares = some.map((member) => {
        const context = this.#context('portraitKey', enterpriseId, portraitKey.version, member, [], [])
        const envelope = sealFor(member, { portraitKey: portraitKey.key, values: new Map() }, context)
        return { recipient: member.account, keyEpoch: member.keyEpoch, envelope }
      })
      const share = { enterpriseId, portraitVersion: portraitKey.version, shares }
      const receipt = await sender.final(await sender.send(dataSharing, 'sharePortraitKey', share))
      if (receipt.status !== '0x1') {
        throw new AgentError(
          'TRANSACTION_FAILED',
          `sharing the portrait key failed (${receipt.transactionHash}): submit again`,
        )
      }
      const accounts = some.map(({ account }) => account)
      await notePortraitKeyShared(this.#options.portraitKeyFile, enterpriseId, portraitKey.version, accounts)
    }
    return recipients.map(({ name }) => name)
  }

  async #acknowledged(submissionId: bigint, draft: readonly DraftPart[]): Promise<PartReport[]> {
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
    return Promise.all(draft.map((part, index) => this.#partReport(submissionId, index, part)))
  }

  async #partReport(submissionId: bigint, part: number, { department, items }: DraftPart): Promise<PartReport> {
    const state = await view(this.#connection.client, dataSharing, 'partOf', { submissionId, part })
    return {
      department: department.name,
      address: department.account,
      attributes: items.map(({ attribute }) => attribute),
      status: state.acknowledged ? (state.accepted ? 'accepted' : 'rejected') : 'pending',
      code: nameOf(ACK_CODE, state.code) ?? state.code,
    }
  }
}

function sealFor({ name, encryptionKey }: Member, sealed: SealedValues, context: SealedContext): Uint8Array {
  if (encryptionKey) return sealValues(sealed, encryptionKey, context)
  throw new AgentError('NO_ENCRYPTION_KEY', `${name} has published no encryption key: it has to rotate to one first`)
}

/**
 * Begins key agreements again by itself: after a member's own key has changed, after an attempt that has failed, and where an
 * attribute that travelled jointly has other supervisors now. Every member's agent sees the same need; they take turns in the
 * order of the roster, so that one begins and the next only where that one does not. What is wanted is read from the chain
 * each time: nothing of it has to be durable.
 */
import { AGREEMENT_PHASE, STATUS } from '../../contracts/codes.js'
import type { DataProfile } from '../../contracts/genesisTypes.js'
import { groupIdOf, rosterOf } from '../../contracts/groupId.js'
import { idText } from '../../contracts/textId.js'
import type { Address, Hash } from '../../core/bytes.js'
import type { RpcClient, Subscription } from '../../rpc/client.js'
import { AgentError } from '../agentError.js'
import { ContractRevert, dataPortrait, keyAgreement, members, view } from '../contractClient.js'
import type { Directory } from '../directory.js'
import { WaitError } from '../heads.js'
import type { AgentLog } from '../log.js'
import type { TransactionSender } from '../sender.js'

export interface RenewalOptions {
  /** Account of the department. */
  readonly self: Address
  /** How long the next member of the roster waits for the one before it; also the pause after a start. */
  readonly turnMs: number
}

export interface RenewalNeeds {
  readonly client: RpcClient
  readonly directory: Pick<Directory, 'profiles'>
  readonly sender: TransactionSender
  readonly log: AgentLog
  /** Asks for another `look` soon. */
  readonly wake: () => void
}

/** Blocks for each round: time to start an agent again, also where blocks come by the second. */
const ROUND_BLOCKS = 120

/** Attempts in vain that are begun by themselves until members, their keys or the supervisors change or the agent is started anew. */
const RESTARTS_MAX = 6

/** Versions of an attribute in which joint supervisors are looked for. */
const VERSIONS_BACK = 8

/** An agreement that should begin. */
interface Wanted {
  readonly group: Address
  readonly roster: readonly Address[]
  readonly attribute: Hash
  /** Latest attempt; 0: there was none. */
  readonly attempt: number
  /** First block in which the chain takes a start. */
  readonly notBefore: number
}

/** From where failures of a group are counted. */
interface Tries {
  /** Keys and statuses of its members then. */
  readonly members: string
  readonly failures: number
  /** It was said that it is given up. */
  told: boolean
}

export class Renewal {
  readonly #self: Address
  readonly #turnMs: number
  readonly #needs: RenewalNeeds
  readonly #changes: Subscription
  #due = true
  /** Block from which on there is something to look at again. */
  #dueHeight = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  /** When an attempt after this one was first seen to be wanted. */
  readonly #since = new Map<Address, { readonly attempt: number; readonly ms: number }>()
  readonly #tries = new Map<Address, Tries>()
  readonly #starting = new Map<Address, Promise<void>>()
  /** The key acts for the department no more. */
  #replaced: AgentError | undefined

  constructor({ self, turnMs }: RenewalOptions, needs: RenewalNeeds) {
    this.#self = self
    this.#turnMs = turnMs
    this.#needs = needs
    const topics = [
      members.abi.topic('EncryptionKeyRotated'),
      members.abi.topic('MemberStatusChanged'),
      dataPortrait.abi.topic('DataProfileSet'),
      dataPortrait.abi.topic('ChangeScheduled'),
    ]
    const filter = { address: [members.address, dataPortrait.address], topics: [topics] }
    const notice = () => {
      this.notice()
      needs.wake()
    }
    this.#changes = needs.client.subscribe('logs', [filter], { onValue: notice, onConnected: notice })
  }

  /** Something has happened after which an agreement may be wanted. */
  notice(): void {
    this.#due = true
  }

  /** Begins what is wanted and whose turn is this member's. Rejects with RpcClientError, RpcError or AgentError KEY_REPLACED. */
  async look(height: number): Promise<void> {
    if (this.#replaced) throw this.#replaced
    if (!this.#due && height < this.#dueHeight) return
    this.#due = false
    clearTimeout(this.#timer)
    try {
      const wanted = await this.#wanted()
      const changeAt = Number(await view(this.#needs.client, dataPortrait, 'nextChangeAt', {}))
      const later = wanted.filter((one) => one.notBefore > height + 1).map(({ notBefore }) => notBefore - 1)
      this.#dueHeight = Math.min(...later, changeAt > height ? changeAt : Number.POSITIVE_INFINITY)
      for (const one of wanted) if (one.notBefore <= height + 1) this.#takeTurn(one)
    } catch (error) {
      this.#due = true
      throw error
    }
  }

  /** Ends; resolves when nothing is being sent. */
  async stop(): Promise<void> {
    this.#changes.close()
    clearTimeout(this.#timer)
    await Promise.all(this.#starting.values())
  }

  async #wanted(): Promise<Wanted[]> {
    const profiles = [...(await this.#needs.directory.profiles()).values()]
    const joint = new Map<Address, DataProfile>()
    for (const profile of profiles) {
      const { supervisors } = profile
      if (supervisors.length > 1 && supervisors.includes(this.#self)) joint.set(groupIdOf(supervisors), profile)
    }
    for (const group of this.#since.keys()) if (!joint.has(group)) this.#since.delete(group)
    const wanted = await Promise.all([...joint].map(([group, profile]) => this.#wantedOf(group, profile)))
    return wanted.filter((one) => one !== undefined)
  }

  async #wantedOf(group: Address, profile: DataProfile): Promise<Wanted | undefined> {
    const { attribute, supervisors } = profile
    const state = await this.#groupOf(group)
    const roster = rosterOf(supervisors)
    const wanted = state === undefined ? this.#wasJoint(profile) : this.#isWanting(group, state)
    if (!(await wanted) || !(await this.#mayTry(group, roster, state?.failures ?? 0))) {
      this.#since.delete(group)
      return undefined
    }
    const { attempt, notBefore } = state ?? { attempt: 0, notBefore: 0n }
    return { group, roster, attribute, attempt, notBefore: Number(notBefore) }
  }

  /** Undefined for a group that has never begun an agreement. */
  async #groupOf(group: Address) {
    try {
      return await view(this.#needs.client, keyAgreement, 'groupOf', { group })
    } catch (error) {
      if (error instanceof ContractRevert && error.error === 'UnknownGroup') return undefined
      throw error
    }
  }

  /** No attempt is running, and the latest has failed or its key is not in use any more. */
  async #isWanting(group: Address, { attempt, current }: { attempt: number; current: boolean }): Promise<boolean> {
    const { phase } = await view(this.#needs.client, keyAgreement, 'attemptOf', { group, attempt })
    return phase === AGREEMENT_PHASE.aborted || (phase === AGREEMENT_PHASE.agreed && !current)
  }

  /** Supervisors who come first decide themselves whether they want a key; those who follow on others with a key get one. */
  async #wasJoint({ attribute, supervisors }: DataProfile): Promise<boolean> {
    const { client } = this.#needs
    const count = await view(client, dataPortrait, 'versionCount', { attribute })
    const now = groupIdOf(supervisors)
    for (let number = count; number > Math.max(0, count - VERSIONS_BACK); number--) {
      const { profile } = await view(client, dataPortrait, 'versionOf', { attribute, number })
      const group = groupIdOf(profile.supervisors)
      if (profile.supervisors.length < 2 || group === now) continue
      if (((await this.#groupOf(group))?.keyEpoch ?? 0n) > 0n) return true
    }
    return false
  }

  /** All members are active, and not too many attempts have failed since they were last other than now. */
  async #mayTry(group: Address, roster: readonly Address[], failures: number): Promise<boolean> {
    const { client, log } = this.#needs
    const states = await Promise.all(roster.map((account) => view(client, members, 'getMember', { account })))
    if (!states.every(({ status }) => status === STATUS.active)) return false
    const known = states.map(({ status, keyEpoch }) => `${status}:${keyEpoch}`).join()
    const kept = this.#tries.get(group)
    const tries =
      kept?.members === known && kept.failures <= failures ? kept : { members: known, failures, told: false }
    this.#tries.set(group, tries)
    if (failures - tries.failures < RESTARTS_MAX) return true
    if (!tries.told) {
      log.error({ group, failures }, 'a key agreement fails again and again: it is not begun any more by itself')
    }
    tries.told = true
    return false
  }

  #takeTurn(wanted: Wanted): void {
    const { group, roster, attempt } = wanted
    if (this.#starting.has(group)) return
    const kept = this.#since.get(group)
    const since = kept?.attempt === attempt ? kept : { attempt, ms: Date.now() }
    this.#since.set(group, since)
    const waitMs = since.ms + roster.indexOf(this.#self) * this.#turnMs - Date.now()
    if (waitMs > 0) this.#lookIn(waitMs)
    else this.#starting.set(group, this.#start(wanted))
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.notice()
      this.#needs.wake()
    }, ms).unref()
  }

  async #start({ group, attribute }: Wanted): Promise<void> {
    const { sender, log } = this.#needs
    try {
      const hash = await sender.send(keyAgreement, 'startAgreement', { attribute, roundBlocks: ROUND_BLOCKS })
      await sender.final(hash)
      log.info({ group, attribute: idText(attribute) }, 'a key agreement is begun again')
    } catch (error) {
      if (error instanceof AgentError && error.code === 'KEY_REPLACED') this.#replaced = error
      else if (!isOvertaken(error)) log.warn({ group, reason: String(error) }, 'a key agreement could not be begun')
    } finally {
      this.#starting.delete(group)
      this.#lookIn(this.#turnMs)
    }
  }
}

/** Another member has begun meanwhile, or the agent stops. */
function isOvertaken(error: unknown): boolean {
  if (error instanceof WaitError) return error.code === 'STOPPED'
  return error instanceof ContractRevert && (error.error === 'AgreementRunning' || error.error === 'TooEarly')
}

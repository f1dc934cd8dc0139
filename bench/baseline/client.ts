/** The asking department of the client/server system: asks the supervisors over HTTPS and puts their answers together. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { validated } from '../../src/agent/agentError.js'
import type { KnownPortraitKey } from '../../src/agent/portraitKeyring.js'
import type { VerificationReport, VerifiedAttribute } from '../../src/agent/requester.js'
import { sealValues } from '../../src/agent/sealedValues.js'
import { idText } from '../../src/contracts/textId.js'
import { type Address, fromHex, type Hash, toHex, utf8 } from '../../src/core/bytes.js'
import { attributeDigest } from '../../src/crypto/digest.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import { loadGenesis } from '../../src/node/genesisFile.js'
import { questionContext } from './answering.js'
import { type BaselineService, GENESIS_FILE, readSystem } from './files.js'
import { Link, LinkError, type ReceivedAnswer } from './link.js'
import { Register } from './register.js'
import { RequestLog } from './requestLog.js'
import { bodyDigest, parseAnswer, signBody, type WireAnswer } from './wire.js'

export interface BaselineQuestion {
  readonly enterpriseId: Hash
  /** Name under which the enterprise is registered. */
  readonly companyName: string
  /** Attribute -> declared value. */
  readonly values: ReadonlyMap<string, string>
  /** Given to the asking department by the enterprise. */
  readonly portraitKey: KnownPortraitKey
}

/** As the report of a query on the chain, without what only a chain has. */
export interface BaselineReport extends Pick<VerificationReport, 'enterpriseId' | 'creditCode' | 'attributes' | 'ms'> {
  /** Opening and looking up at the supervisor that answered last. */
  readonly localMs: number
  /** Waiting for logs to be on disk: that supervisor's, then the own one. */
  readonly logMs: number
}

interface Item {
  readonly name: string
  readonly digest: Hash
  readonly schemaVersion: number
  readonly value: string
}

/** What was asked of one supervisor and what it said. */
interface Exchange extends ReceivedAnswer {
  readonly service: BaselineService
  readonly question: string
  readonly asked: string
  readonly answers: WireAnswer['answers']
  /** From the start of the query. */
  readonly ms: number
}

const PURPOSE = 'verification'

export class BaselineClient {
  readonly #register: Register
  readonly #services: ReadonlyMap<Address, { readonly service: BaselineService; readonly link: Link }>
  readonly #privateKey: Uint8Array
  readonly #self: Address
  readonly #log: RequestLog

  private constructor(dir: string, privateKey: Uint8Array, log: RequestLog, connectionsMax: number) {
    this.#register = new Register(loadGenesis(join(dir, GENESIS_FILE)))
    const links = readSystem(dir).services.map(
      (service) => [service.address, { service, link: new Link(service, connectionsMax) }] as const,
    )
    this.#services = new Map(links)
    this.#privateKey = privateKey
    this.#self = privateKeyToAddress(privateKey)
    this.#log = log
  }

  /** A client of the system in `dir` (baseline.json and genesis.json); `logFile` keeps what was asked and answered. */
  static async open(
    dir: string,
    privateKey: Uint8Array,
    logFile: string,
    connectionsMax: number,
  ): Promise<BaselineClient> {
    return new BaselineClient(dir, privateKey, await RequestLog.open(logFile), connectionsMax)
  }

  /** Asks all supervisors at once; resolves when their answers are in the own log on disk. Throws AgentError, LinkError. */
  async verify(question: BaselineQuestion): Promise<BaselineReport> {
    const started = performance.now()
    const elapsed = () => performance.now() - started
    const items = this.#items(question)
    const groups = [...this.#bySupervisor(items)]
    const exchanges = await Promise.all(groups.map(([address, own]) => this.#ask(question, address, own, elapsed)))
    const answered = elapsed()
    await this.#log.append(JSON.stringify(exchanges.map(evidence)))
    const last = exchanges.reduce((a, b) => (b.ms > a.ms ? b : a))
    return {
      enterpriseId: question.enterpriseId,
      creditCode: idText(question.enterpriseId),
      attributes: items.map(({ name }) => this.#verified(name, exchanges)),
      ms: elapsed(),
      localMs: last.localMs,
      logMs: last.logMs + elapsed() - answered,
    }
  }

  async close(): Promise<void> {
    for (const { link } of this.#services.values()) link.close()
    await this.#log.close()
  }

  #items({ enterpriseId, values, portraitKey }: BaselineQuestion): Item[] {
    const { chainId, profiles } = this.#register
    return [...validated(profiles, values)].map(([name, value]) => {
      const { attribute, schemaVersion } = profiles.get(name)!
      const input = { portraitKey: portraitKey.key, chainId, enterpriseId, attribute, schemaVersion, value }
      return { name, digest: attributeDigest(input), schemaVersion, value }
    })
  }

  #bySupervisor(items: readonly Item[]): Map<Address, Item[]> {
    const groups = new Map<Address, Item[]>()
    for (const item of items) {
      const supervisor = this.#register.profiles.get(item.name)!.supervisors[0]!
      groups.set(supervisor, [...(groups.get(supervisor) ?? []), item])
    }
    return groups
  }

  async #ask(
    question: BaselineQuestion,
    supervisor: Address,
    items: readonly Item[],
    elapsed: () => number,
  ): Promise<Exchange> {
    const known = this.#services.get(supervisor)
    if (known === undefined)
      throw new LinkError('UNREACHABLE', `baseline.json does not say where ${supervisor} answers`)
    const { service, link } = known
    const text = this.#question(question, service, items)
    const asked = signBody('question', utf8(text), this.#privateKey)
    const received = await link.ask(utf8(text), asked)
    const { question: digest, answers } = parseAnswer(received.body)
    const complete =
      answers.length === items.length && answers.every(({ attribute }, i) => attribute === items[i]!.name)
    if (digest !== bodyDigest('question', utf8(text)) || !complete) {
      throw new LinkError('BAD_ANSWER', `${service.department} answers another question than was asked`)
    }
    return { ...received, service, question: text, asked, answers, ms: elapsed() }
  }

  #question(question: BaselineQuestion, service: BaselineService, items: readonly Item[]): string {
    const { enterpriseId, companyName, portraitKey } = question
    const clear = {
      id: toHex(randomBytes(16)),
      askedAt: Date.now(),
      asker: this.#self,
      supervisor: service.address,
      creditCode: idText(enterpriseId),
      companyName,
      portraitVersion: portraitKey.version,
      purpose: PURPOSE,
      items: items.map(({ name: attribute, digest }) => ({ attribute, digest })),
    }
    const values = new Map(items.map(({ name, schemaVersion, value }) => [name, { schemaVersion, value }]))
    const context = questionContext(clear, this.#register.chainId)
    const envelope = sealValues({ portraitKey: portraitKey.key, values }, fromHex(service.encryptionKey), context)
    return JSON.stringify({ ...clear, envelope: Buffer.from(envelope).toString('base64') })
  }

  #verified(name: string, exchanges: readonly Exchange[]): VerifiedAttribute {
    const exchange = exchanges.find(({ answers }) => answers.some(({ attribute }) => attribute === name))!
    const { existence, confirmed } = exchange.answers.find(({ attribute }) => attribute === name)!
    const { address } = exchange.service
    return {
      attribute: name,
      status: existence,
      exists: existence === 'exists',
      confirmed,
      attesters: [{ address, name: this.#register.member(address)?.name ?? address }],
      height: null,
      fromPortrait: false,
      ms: exchange.ms,
    }
  }
}

/** What proves later who asked what and who answered. */
function evidence({ question, asked, body, signature }: Exchange) {
  return { question, asked, answer: Buffer.from(body).toString('utf8'), signature }
}

/** A supervisor's answer to one question: the checks, the look-ups by the department agent's own code, the signatures, the log. */
import type { DepartmentDatabase } from '../../src/agent/database/departmentDatabase.js'
import { handleQuestion } from '../../src/agent/department/handlers.js'
import type { Directory } from '../../src/agent/directory.js'
import type { SealedContext } from '../../src/agent/sealedValues.js'
import { EXISTENCE, type ExistenceName, nameOf, ROLE } from '../../src/contracts/codes.js'
import { attributeId, idText, textId } from '../../src/contracts/textId.js'
import { type Address, type Hex, utf8, ZERO_ADDRESS } from '../../src/core/bytes.js'
import { privateKeyToAddress } from '../../src/crypto/secp256k1.js'
import type { History } from './history.js'
import type { Register } from './register.js'
import type { RequestLog } from './requestLog.js'
import { bodyDigest, parseQuestion, Refusal, signBody, signerOf, type WireAnswer, type WireQuestion } from './wire.js'

export interface AnsweringNeeds {
  readonly register: Register
  readonly history: History
  readonly database: DepartmentDatabase
  readonly log: RequestLog
  /** secp256k1, of the department. */
  readonly privateKey: Uint8Array
  /** X25519. */
  readonly encryptionKey: Uint8Array
}

export interface SignedAnswer {
  readonly body: Uint8Array
  readonly signature: Hex
  /** Opening the envelope and looking up. */
  readonly localMs: number
  /** Until the log was on disk. */
  readonly logMs: number
}

/** What an envelope to a supervisor is bound to, on both sides. */
export function questionContext(question: Omit<WireQuestion, 'envelope'>, chainId: number): SealedContext {
  return {
    kind: 'question',
    chainId,
    // No contract stands between the two.
    contract: ZERO_ADDRESS,
    sender: question.asker,
    enterpriseId: textId(question.creditCode),
    portraitVersion: question.portraitVersion,
    recipient: question.supervisor,
    keyEpoch: 1n,
    attributes: question.items.map(({ attribute }) => attributeId(attribute)),
    digests: question.items.map(({ digest }) => digest),
  }
}

export class Answering {
  readonly self: Address
  readonly #needs: AnsweringNeeds

  constructor(needs: AnsweringNeeds) {
    this.#needs = needs
    this.self = privateKeyToAddress(needs.privateKey)
  }

  /** Resolves when the question and its answer are in the log on disk. Throws Refusal; anything else is a fault here. */
  async answer(body: Uint8Array, signature: string | undefined): Promise<SignedAnswer> {
    const { register, history, log, privateKey } = this.#needs
    const question = parseQuestion(body)
    if (signerOf('question', body, signature) !== question.asker) {
      throw new Refusal('BAD_SIGNATURE', `the question is not signed by ${question.asker}`)
    }
    if (question.supervisor !== this.self) throw new Refusal('NOT_SUPERVISOR', `this is ${this.self}`)
    register.check(question, this.self)
    history.admit(question)
    const started = performance.now()
    const answers = await this.#lookUp(question)
    const localMs = performance.now() - started
    const answer: WireAnswer = { question: bodyDigest('question', body), answers }
    const text = JSON.stringify(answer)
    const signed = { body: utf8(text), signature: signBody('answer', utf8(text), privateKey) }
    const logging = performance.now()
    const line = { question: Buffer.from(body).toString('utf8'), signature, answer: text, answered: signed.signature }
    await log.append(JSON.stringify(line))
    return { ...signed, localMs, logMs: performance.now() - logging }
  }

  async #lookUp(question: WireQuestion): Promise<WireAnswer['answers']> {
    const { register, database, encryptionKey } = this.#needs
    const carried = {
      context: questionContext(question, register.chainId),
      envelope: new Uint8Array(Buffer.from(question.envelope, 'base64')),
    }
    const needs = { database, encryptionKeys: [encryptionKey], directory: directoryOf(register, question) }
    const answers = await handleQuestion(0n, carried, needs)
    return answers.map(({ attribute, existence, confirmed }) => {
      return { attribute: idText(attribute), existence: nameOf(EXISTENCE, existence) as ExistenceName, confirmed }
    })
  }
}

/** The register in the shape that the agent's code reads; the enterprise is known by the name in the question. */
function directoryOf(
  register: Register,
  { companyName, asker }: WireQuestion,
): Pick<Directory, 'profiles' | 'memberById' | 'predicate'> {
  return {
    profiles: async () => register.profiles,
    predicate: async () => null,
    memberById: async (id) => {
      return {
        account: asker,
        active: true,
        role: ROLE.enterprise,
        id,
        name: companyName,
        encryptionKey: null,
        keyEpoch: 0n,
      }
    },
  }
}

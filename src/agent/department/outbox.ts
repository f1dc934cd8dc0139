/** Messages of a department to the chain that it has not confirmed yet: stored with the database, so none is lost or said twice. */
import { type Address, concatBytes, fromHex, type Hash, toAddress, toHash, uintToBytes } from '../../core/bytes.js'
import { bytesField, fixedField, hashField, listField, numberField, uintField } from '../../core/codec.js'
import { rlpDecode, rlpEncode } from '../../core/rlp.js'
import type { OutboxItem } from '../database/departmentDatabase.js'

/** Whether a submission's part was taken into the database. */
export interface Acknowledgement {
  readonly kind: 'acknowledgement'
  readonly submissionId: bigint
  readonly part: number
  readonly accepted: boolean
  /** ACK_CODE of contracts/codes.ts. */
  readonly code: number
}

/** The answer on one attribute of a verification request. */
export interface Answer {
  readonly kind: 'answer'
  readonly requestId: bigint
  readonly attribute: Hash
  /** EXISTENCE of contracts/codes.ts. */
  readonly existence: number
  readonly confirmed: boolean
}

/** This department's step in an attempt at a group key. */
export interface AgreementStep {
  readonly kind: 'agreementStep'
  readonly group: Address
  readonly attempt: number
  readonly step: AgreementStepName
  /** share, link: element, challenge, response. confirmation: public key. proof: exponent. */
  readonly words: readonly Hash[]
}

const STEP_BYTE = { share: 1, link: 2, confirmation: 3, proof: 4, abort: 5 } as const
export type AgreementStepName = keyof typeof STEP_BYTE
export const AGREEMENT_STEPS = Object.keys(STEP_BYTE) as readonly AgreementStepName[]

export type Message = Acknowledgement | Answer | AgreementStep

const KIND_BYTE = { acknowledgement: 1, answer: 2, agreementStep: 3 } as const
const STEP_WORDS_MAX = 3

export const acknowledgementKey = (submissionId: bigint, part: number): string => `part:${submissionId}:${part}`
export const answerKey = (requestId: bigint, attribute: Hash): string => `answer:${requestId}:${attribute}`

export const agreementKey = (group: Address, attempt: number, step: AgreementStepName): string =>
  `agreement:${group}:${attempt}:${step}`

export function messageKey(message: Message): string {
  if (message.kind === 'agreementStep') return agreementKey(message.group, message.attempt, message.step)
  return message.kind === 'answer'
    ? answerKey(message.requestId, message.attribute)
    : acknowledgementKey(message.submissionId, message.part)
}

export function encodeMessage(message: Message): OutboxItem {
  return {
    key: messageKey(message),
    payload: rlpEncode([Uint8Array.of(KIND_BYTE[message.kind]), ...fieldsOf(message)]),
  }
}

function fieldsOf(message: Message): Uint8Array[] {
  const flag = (value: boolean): Uint8Array => uintToBytes(value ? 1 : 0)
  switch (message.kind) {
    case 'answer': {
      const { requestId, attribute, existence, confirmed } = message
      return [uintToBytes(requestId), fromHex(attribute), uintToBytes(existence), flag(confirmed)]
    }
    case 'acknowledgement': {
      const { submissionId, part, accepted, code } = message
      return [uintToBytes(submissionId), uintToBytes(part), flag(accepted), uintToBytes(code)]
    }
    case 'agreementStep': {
      const { group, attempt, step, words } = message
      const bytes = concatBytes(...words.map((word) => fromHex(word)))
      return [fromHex(group), uintToBytes(attempt), uintToBytes(STEP_BYTE[step]), bytes]
    }
  }
}

/** Throws CodecError or RlpError: then the department database is damaged. */
export function decodeMessage({ payload }: OutboxItem): Message {
  const [kind, id, second, third, fourth] = listField(rlpDecode(payload, { depthMax: 1 }), 'message', 5)
  const kindByte = fixedField(kind, 'kind', 1)[0]
  if (kindByte === KIND_BYTE.agreementStep) {
    const words = bytesField(fourth, 'words', 32 * STEP_WORDS_MAX)
    return {
      kind: 'agreementStep',
      group: toAddress(fixedField(id, 'group', 20)),
      attempt: numberField(second, 'attempt'),
      step: AGREEMENT_STEPS[numberField(third, 'step', AGREEMENT_STEPS.length) - 1]!,
      words: Array.from({ length: words.length / 32 }, (_, i) => toHash(words.subarray(32 * i, 32 * i + 32))),
    }
  }
  if (kindByte === KIND_BYTE.answer) {
    return {
      kind: 'answer',
      requestId: uintField(id, 'requestId'),
      attribute: hashField(second, 'attribute'),
      existence: numberField(third, 'existence', 255),
      confirmed: numberField(fourth, 'confirmed', 1) === 1,
    }
  }
  return {
    kind: 'acknowledgement',
    submissionId: uintField(id, 'submissionId'),
    part: numberField(second, 'part'),
    accepted: numberField(third, 'accepted', 1) === 1,
    code: numberField(fourth, 'code', 65_535),
  }
}

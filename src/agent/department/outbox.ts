/** Messages of a department to the chain that it has not confirmed yet: stored with the database, so none is lost or said twice. */
import { fromHex, type Hash, uintToBytes } from '../../core/bytes.js'
import { fixedField, hashField, listField, numberField, uintField } from '../../core/codec.js'
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

export type Message = Acknowledgement | Answer

const KIND_BYTE = { acknowledgement: 1, answer: 2 } as const

export const acknowledgementKey = (submissionId: bigint, part: number): string => `part:${submissionId}:${part}`
export const answerKey = (requestId: bigint, attribute: Hash): string => `answer:${requestId}:${attribute}`

export function messageKey(message: Message): string {
  return message.kind === 'answer'
    ? answerKey(message.requestId, message.attribute)
    : acknowledgementKey(message.submissionId, message.part)
}

export function encodeMessage(message: Message): OutboxItem {
  const kind = Uint8Array.of(KIND_BYTE[message.kind])
  const flag = (value: boolean): Uint8Array => uintToBytes(value ? 1 : 0)
  const payload =
    message.kind === 'answer'
      ? rlpEncode([
          kind,
          uintToBytes(message.requestId),
          fromHex(message.attribute),
          uintToBytes(message.existence),
          flag(message.confirmed),
        ])
      : rlpEncode([
          kind,
          uintToBytes(message.submissionId),
          uintToBytes(message.part),
          flag(message.accepted),
          uintToBytes(message.code),
        ])
  return { key: messageKey(message), payload }
}

/** Throws CodecError or RlpError: then the department database is damaged. */
export function decodeMessage({ payload }: OutboxItem): Message {
  const [kind, id, second, third, fourth] = listField(rlpDecode(payload, { depthMax: 1 }), 'message', 5)
  if (fixedField(kind, 'kind', 1)[0] === KIND_BYTE.answer) {
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

/**
 * What the client/server system says over HTTPS: one signed question to one supervisor, its signed answer. Signatures stand in
 * the header SIGNATURE, over the bytes of the body.
 */
import { z } from 'zod'
import { EXISTENCE, type ExistenceName } from '../../src/contracts/codes.js'
import { type Address, concatBytes, fromHex, type Hash, type Hex, toHash, toHex, utf8 } from '../../src/core/bytes.js'
import { CodedError } from '../../src/core/codedError.js'
import { envelopeBytesMax, memberNameBytesMax, requestItemsMax } from '../../src/core/limits.js'
import { keccak256 } from '../../src/crypto/keccak.js'
import { recoverAddress, secp256k1 } from '../../src/crypto/secp256k1.js'

export const SIGNATURE = 'signature'
/** Header of an answer: where the supervisor's time went, as `Server-Timing` has it. */
export const TIMING = 'server-timing'
export const ASK_PATH = '/ask'

const ENVELOPE_TEXT_MAX = Math.ceil(envelopeBytesMax / 3) * 4
/** A question: one envelope and as many items as the contract takes, with room for their names. */
export const bodyBytesMax = ENVELOPE_TEXT_MAX + requestItemsMax * 256 + 4_096

const hex = (bytes: number) => z.string().regex(new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`))
const address = hex(20).transform((text) => text as Address)
const hash = hex(32).transform((text) => text as Hash)
const shortText = z.string().regex(/^[\x21-\x7e]{1,32}$/)

const questionSchema = z.strictObject({
  /** Random, 16 bytes: a question is taken once. */
  id: hex(16),
  /** Milliseconds since 1970. */
  askedAt: z.int().min(0),
  asker: address,
  supervisor: address,
  creditCode: z.string().regex(/^[0-9A-Z]{18}$/),
  /** By which a department that keeps no credit codes finds the enterprise; the chain's register of members says it there. */
  companyName: z.string().min(1).max(memberNameBytesMax),
  portraitVersion: z.int().min(1).max(0xffffffff),
  purpose: shortText,
  basis: shortText.optional(),
  items: z
    .array(z.strictObject({ attribute: shortText, digest: hash }))
    .min(1)
    .max(requestItemsMax),
  /** Base64. */
  envelope: z.base64().max(ENVELOPE_TEXT_MAX),
})
export type WireQuestion = z.infer<typeof questionSchema>

const existence = z.enum(Object.keys(EXISTENCE) as [ExistenceName])
const answerSchema = z.strictObject({
  /** Digest of the question's body. */
  question: hash,
  answers: z
    .array(z.strictObject({ attribute: shortText, existence, confirmed: z.boolean() }))
    .min(1)
    .max(requestItemsMax),
})
export type WireAnswer = z.infer<typeof answerSchema>

/** HTTP status of each refusal. */
const STATUS = {
  MALFORMED: 400,
  TOO_LARGE: 413,
  BAD_SIGNATURE: 401,
  NOT_A_MEMBER: 403,
  NOT_ALLOWED: 403,
  NOT_SUPERVISOR: 403,
  BASIS_REQUIRED: 403,
  BUDGET_SPENT: 403,
  STALE: 409,
  REPEATED: 409,
} as const
export type RefusalCode = keyof typeof STATUS

/** A question that is not answered; the message says why. */
export class Refusal extends CodedError<RefusalCode> {
  get status(): number {
    return STATUS[this.code]
  }
}

export const refusalSchema = z.object({ error: z.object({ code: z.string().max(32), message: z.string().max(1_024) }) })

/** Throws Refusal MALFORMED. */
export const parseQuestion = (body: Uint8Array): WireQuestion => parse(questionSchema, body, 'question')
/** Throws Refusal MALFORMED. */
export const parseAnswer = (body: Uint8Array): WireAnswer => parse(answerSchema, body, 'answer')

function parse<T>(schema: z.ZodType<T>, body: Uint8Array, what: string): T {
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    throw new Refusal('MALFORMED', `the ${what} is not JSON`)
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  throw new Refusal('MALFORMED', `the ${what} has a fault at '${path.join('.')}': ${message}`)
}

type Kind = 'question' | 'answer'

export function bodyDigest(kind: Kind, body: Uint8Array): Hash {
  return toHash(keccak256(concatBytes(utf8(`client/server ${kind} v1\n`), body)))
}

export function signBody(kind: Kind, body: Uint8Array, privateKey: Uint8Array): Hex {
  return toHex(secp256k1.sign(fromHex(bodyDigest(kind, body)), privateKey))
}

/** Who signed the body; null when the signature is malformed or fits no key. */
export function signerOf(kind: Kind, body: Uint8Array, signature: string | undefined): Address | null {
  if (signature === undefined || !/^0x[0-9a-f]{130}$/.test(signature)) return null
  return recoverAddress(fromHex(bodyDigest(kind, body)), fromHex(signature))
}

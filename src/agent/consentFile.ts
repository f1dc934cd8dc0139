/** Consents as departments keep them: a file. Format: schemas/consent.schema.json. */
import { open } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { attributeId, idText, textId } from '../contracts/textId.js'
import { asAddress, asHash, fromHex, toHex, ZERO_ADDRESS } from '../core/bytes.js'
import { consentAttributesMax, consentFileBytesMax } from '../core/limits.js'
import { ConsentFileError, type SignedConsent, timeText } from './consent.js'

const name = z.string().regex(/^[\x21-\x7e]{1,32}$/, 'must be 1 to 32 printable ASCII characters without spaces')

/** The JSON form. */
export const consentFileSchema = z
  .strictObject({
    $schema: z.string().optional(),
    chainId: z.int().min(1).describe('chain for which it was signed'),
    enterprise: name.describe('unified social credit code of the enterprise'),
    requester: z
      .string()
      .regex(/^(any|0x[0-9a-fA-F]{40})$/, "must be an address of 40 hex digits, or 'any'")
      .describe("account that may ask; 'any': every member that the rules let ask"),
    attributes: z.array(name).min(1).max(consentAttributesMax),
    purpose: name.describe('why it may be asked'),
    notAfter: z
      .string()
      .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/, 'must be a time such as 2027-03-31T23:59:59Z')
      .describe('last second at which it holds'),
    uses: z.int().min(0).max(0xffffffff).describe('questions that it covers; 0: as many as are asked in its time'),
    salt: z.string().regex(/^0x[0-9a-fA-F]{64}$/),
    signature: z
      .string()
      .regex(/^0x[0-9a-fA-F]{130}$/)
      .describe('EIP-712, by a key of the enterprise'),
  })
  .describe('What an enterprise lets a department ask about it')

/** Throws ConsentFileError. */
export async function readConsent(file: string): Promise<SignedConsent> {
  return parseConsent(await readBounded(file), path.basename(file))
}

/** `file` stands in messages. Throws ConsentFileError. */
export function parseConsent(text: string, file: string): SignedConsent {
  const parsed = consentFileSchema.safeParse(jsonOf(text, file))
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    throw new ConsentFileError('MALFORMED', `${file}, field ${issue.path.join('.') || '(all)'}: ${issue.message}`)
  }
  const { chainId, enterprise, requester, attributes, purpose, notAfter, uses, salt, signature } = parsed.data
  const seconds = Date.parse(notAfter) / 1_000
  if (Number.isNaN(seconds)) throw new ConsentFileError('MALFORMED', `${file}, field notAfter: is no time`)
  const consent = {
    requester: requester === 'any' ? ZERO_ADDRESS : asAddress(requester),
    enterpriseId: textId(enterprise),
    attributes: attributes.map(attributeId),
    purpose: textId(purpose),
    notAfter: BigInt(seconds),
    uses,
    salt: asHash(salt),
  }
  return { chainId, consent, signature: fromHex(signature) }
}

/** Text of the file; `notAfter` is at most the year 9999. */
export function formatConsent({ chainId, consent, signature }: SignedConsent): string {
  const { requester, enterpriseId, attributes, purpose, notAfter, uses, salt } = consent
  const file = {
    chainId,
    enterprise: idText(enterpriseId),
    requester: requester === ZERO_ADDRESS ? 'any' : requester,
    attributes: attributes.map((attribute) => idText(attribute)),
    purpose: idText(purpose),
    notAfter: timeText(notAfter),
    uses,
    salt,
    signature: toHex(signature),
  }
  return `${JSON.stringify(file, null, 2)}\n`
}

function jsonOf(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ConsentFileError('MALFORMED', `${file} is not valid JSON (${(error as Error).message})`)
  }
}

async function readBounded(file: string): Promise<string> {
  try {
    const handle = await open(file, 'r')
    try {
      const { size } = await handle.stat()
      if (size <= consentFileBytesMax) return await handle.readFile('utf8')
    } finally {
      await handle.close()
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new ConsentFileError('UNREADABLE', `${file} cannot be read (${code ?? message}): check the path`)
  }
  throw new ConsentFileError('MALFORMED', `${file} is over ${consentFileBytesMax} bytes: it is no consent`)
}

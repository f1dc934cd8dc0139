/** What an enterprise lets whom ask about it. */
import { readConsentsOf, type SignedConsent, signConsentWith } from '../agent/consent.js'
import { consents, members, view } from '../agent/contractClient.js'
import { transact } from '../agent/transact.js'
import { attributeId, idText, isTextId, textId } from '../contracts/textId.js'
import {
  type Address,
  asAddress,
  asHash,
  EMPTY_BYTES,
  type Hash,
  type Hex,
  toHash,
  ZERO_ADDRESS,
} from '../core/bytes.js'
import { randomBytes } from '../crypto/random.js'
import type { Member, Reader } from './connect.js'

export { ConsentFileError, consentIdOf, consentSigner, grantConsent, type SignedConsent } from '../agent/consent.js'

export interface ConsentTerms {
  /** Account of the member that may ask; `any`: every member that the rules let ask. */
  readonly requester: string
  /** What may be asked: names of attributes. */
  readonly attributes: readonly string[]
  /** Why it may be asked, 1 to 32 ASCII characters. */
  readonly purpose: string
  /** Last second at which it holds. */
  readonly until: Date
  /** Questions that it covers; default 0: as many as are asked in its time. */
  readonly uses?: number
}

/**
 * The enterprise signs a consent; nothing is sent. Whoever has it puts it on chain with `grantConsent`. Throws TextIdError,
 * ContractRevert, RpcError or RpcClientError.
 */
export async function signConsent(member: Member, terms: ConsentTerms): Promise<SignedConsent> {
  const { requester, attributes, purpose, until, uses = 0 } = terms
  const { id: enterpriseId } = await view(member.client, members, 'IdentityAuth', { userID: member.sender.address })
  const consent = {
    requester: requester === 'any' ? ZERO_ADDRESS : asAddress(requester, 'requester'),
    enterpriseId,
    attributes: attributes.map(attributeId),
    purpose: textId(purpose, 'purpose'),
    notAfter: BigInt(Math.floor(until.getTime() / 1_000)),
    uses,
    salt: toHash(randomBytes(32)),
  }
  return signConsentWith(member.sender, consent, member.chainId)
}

/** Takes a consent back; binds from the next block. Returns the block. Throws ContractRevert, AgentError, RpcError or RpcClientError. */
export async function revokeConsent(member: Member, id: Hex): Promise<number> {
  const { block } = await transact(member, consents, 'revoke', { id: asHash(id, 'consent'), signature: EMPTY_BYTES })
  return block
}

export interface GrantedConsent {
  readonly id: Hash
  /** null: every member that the rules let ask. */
  readonly requester: Address | null
  readonly attributes: readonly string[]
  readonly purpose: string
  readonly until: Date
  /** 0: without a limit. */
  readonly uses: number
  readonly used: number
  /** null: it is not. */
  readonly revokedInBlock: number | null
}

/** Consents of an enterprise, in the order in which they came on chain. Throws RpcError or RpcClientError. */
export async function listConsents({ client }: Reader, creditCode: string): Promise<GrantedConsent[]> {
  const found = await readConsentsOf(client, textId(creditCode, 'creditCode'))
  return found.map((one) => ({
    id: one.id,
    requester: one.requester === ZERO_ADDRESS ? null : one.requester,
    attributes: one.attributes.map(nameOf),
    purpose: nameOf(one.purpose),
    until: new Date(Number(one.notAfter) * 1_000),
    uses: one.uses,
    used: one.used,
    revokedInBlock: one.revokedAt === 0n ? null : Number(one.revokedAt),
  }))
}

const nameOf = (id: Hash): string => (isTextId(id) ? idText(id) : id)

/** How consents are shown. */
import { timeText } from '../../agent/consent.js'
import { ContractRevert, consents, view } from '../../agent/contractClient.js'
import type { Consent } from '../../contracts/consentHash.js'
import { idText } from '../../contracts/textId.js'
import { type Hash, ZERO_ADDRESS } from '../../core/bytes.js'
import type { RpcClient } from '../../rpc/client.js'

type Granted = Awaited<ReturnType<typeof readGranted>>

const readGranted = (client: RpcClient, id: Hash) => view(client, consents, 'consentOf', { id })

/** How a consent stands on chain; undefined when it was not granted there. */
export async function findGranted(client: RpcClient, id: Hash): Promise<Granted | undefined> {
  try {
    return await readGranted(client, id)
  } catch (error) {
    if (error instanceof ContractRevert && error.error === 'UnknownConsent') return undefined
    throw error
  }
}

/** What it says, in the words of a consent file. */
export function describeConsent(consent: Omit<Consent, 'salt'>) {
  const { requester, enterpriseId, attributes, purpose, notAfter, uses } = consent
  return {
    enterprise: idText(enterpriseId),
    requester: requester === ZERO_ADDRESS ? 'any' : requester,
    attributes: attributes.map((attribute) => readable(attribute)),
    purpose: readable(purpose),
    notAfter: timeText(notAfter),
    uses: uses === 0 ? 'any number' : String(uses),
  }
}

/** How it stands at the time `seconds`, of the newest final block. */
export function standingOf(granted: Granted, seconds: bigint): string {
  if (granted.revokedAt !== 0n) return `revoked in block ${granted.revokedAt}`
  if (seconds > granted.notAfter) return 'expired'
  return granted.uses !== 0 && granted.used >= granted.uses ? 'used up' : 'valid'
}

/** Seconds since 1970 of the newest final block. */
export async function chainTime(client: RpcClient): Promise<bigint> {
  const block = await client.call('eth_getBlockByNumber', 'latest', false)
  return BigInt(block?.timestamp ?? 0)
}

/** Names are text where they came from this program; others may use any word. */
function readable(word: Hash): string {
  try {
    return idText(word)
  } catch {
    return word
  }
}

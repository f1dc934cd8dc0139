/** What a key signs (EIP-712) to become one of a member's keys: so nobody adds a key that is not in its hands. */
import { type Address, concatBytes, fromHex, uintToWord, utf8 } from '../core/bytes.js'
import { keccak256 } from '../crypto/keccak.js'
import { CONTRACT_ADDRESSES } from './addresses.js'

export interface SignerConsent {
  readonly chainId: bigint
  /** Account of the member for which the key will act. */
  readonly member: Address
  /** Address of the key that signs. */
  readonly signer: Address
  /** See SIGNER_KIND. */
  readonly kind: number
}

export const SIGNER_CONSENT_DOMAIN = { name: 'concordat members', version: '1' } as const
export const SIGNER_CONSENT_TYPES = {
  SignerConsent: [
    { name: 'member', type: 'address' },
    { name: 'signer', type: 'address' },
    { name: 'kind', type: 'uint8' },
  ],
} as const

const hashText = (text: string): Uint8Array => keccak256(utf8(text))
const DOMAIN_TYPE = hashText('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')
const CONSENT_TYPE = hashText('SignerConsent(address member,address signer,uint8 kind)')
const NAME = hashText(SIGNER_CONSENT_DOMAIN.name)
const VERSION = hashText(SIGNER_CONSENT_DOMAIN.version)

const addressBytes = (address: Address): Uint8Array => concatBytes(new Uint8Array(12), fromHex(address))

/** The digest to sign, 32 bytes; `keccak` is the host's where gas is charged. */
export function signerConsentDigest(
  { chainId, member, signer, kind }: SignerConsent,
  keccak: (bytes: Uint8Array) => Uint8Array = keccak256,
): Uint8Array {
  const contract = addressBytes(CONTRACT_ADDRESSES.members)
  const domain = keccak(concatBytes(DOMAIN_TYPE, NAME, VERSION, uintToWord(chainId), contract))
  const consent = keccak(
    concatBytes(CONSENT_TYPE, addressBytes(member), addressBytes(signer), uintToWord(BigInt(kind))),
  )
  return keccak(concatBytes(Uint8Array.of(0x19, 0x01), domain, consent))
}

/** An enterprise lets a department ask, and takes that back. */
import {
  connect,
  consentSigner,
  grantConsent,
  listConsents,
  type MemberAccount,
  revokeConsent,
  signConsent,
} from 'concordat/client'
import type { Transport } from 'viem'

export async function consentAndRevoke(
  transport: Transport,
  account: MemberAccount,
  requester: { readonly account: MemberAccount; readonly address: string },
  creditCode: string,
  say: (line: string) => void,
) {
  const enterprise = await connect({ transport, account })
  // Signed by the enterprise, off chain; a wallet shows it field by field.
  const signed = await signConsent(enterprise, {
    requester: requester.address,
    attributes: ['employees'],
    purpose: 'policy-declaration',
    until: new Date('2099-12-31T23:59:59Z'),
  })
  // Whoever has it puts it on chain: here the department that was given it.
  const department = await connect({ transport, account: requester.account })
  say(`signed by ${consentSigner(signed)}`)
  const id = await grantConsent(department, signed)
  const standing = async () => {
    for (const consent of await listConsents(enterprise, creditCode)) {
      const state = consent.revokedInBlock === null ? 'holds' : `revoked in block ${consent.revokedInBlock}`
      say(`${consent.attributes.join(', ')} for ${consent.purpose}: ${state}, used ${consent.used} times`)
    }
  }
  await standing()
  await revokeConsent(enterprise, id)
  await standing()
  department.close()
  enterprise.close()
}

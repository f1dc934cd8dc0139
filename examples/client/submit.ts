/** An enterprise declares: each department gets its own part, sealed; the chain gets digests. */
import { connect, type MemberAccount, type PortraitKeys, submit } from 'concordat/client'
import type { Transport } from 'viem'

export async function declare(
  transport: Transport,
  account: MemberAccount,
  portraitKeys: PortraitKeys,
  declaration: { readonly creditCode: string; readonly values: Readonly<Record<string, string>> },
  say: (line: string) => void,
) {
  const enterprise = await connect({ transport, account })
  const submitted = await submit(enterprise, declaration, { portraitKeys })
  say(`submission ${submitted.submissionId} is final in block ${submitted.height}`)
  for (const { department, attributes, status } of submitted.parts) {
    say(`${department}: ${attributes.length} attributes ${status}`)
  }
  enterprise.close()
  return submitted.document
}

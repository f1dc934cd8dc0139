/** An enterprise asks for the erasure of what it had sent directly. What stands in blocks cannot be erased. */
import { ContractRevert, connect, type MemberAccount, requestErasure } from 'concordat/client'
import type { Transport } from 'viem'

export async function erase(
  transport: Transport,
  account: MemberAccount,
  submissionId: bigint,
  say: (line: string) => void,
) {
  const enterprise = await connect({ transport, account })
  try {
    const { deadline } = await requestErasure(enterprise, submissionId, 1_000)
    say(`the holders confirm until block ${deadline}`)
  } catch (error) {
    if (!(error instanceof ContractRevert)) throw error
    say(error.error === 'NothingToErase' ? 'all of it stands in blocks' : error.message)
  } finally {
    enterprise.close()
  }
}

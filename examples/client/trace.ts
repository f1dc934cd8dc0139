/** Who has asked about an enterprise: it may see that itself; auditors need a mandate. */
import { connect, type MemberAccount, RpcError, trace } from 'concordat/client'
import type { Transport } from 'viem'

export async function traceEnterprise(
  transport: Transport,
  account: MemberAccount,
  enterprise: string,
  say: (line: string) => void,
) {
  const member = await connect({ transport, account })
  try {
    for await (const { kind, block, says } of trace(member, { enterprise })) say(`block ${block}, ${kind}: ${says}`)
  } catch (error) {
    if (!(error instanceof RpcError)) throw error
    say(`refused: ${(error.data as { reason?: string }).reason}`)
  } finally {
    member.close()
  }
}

/** An enterprise contests what its portrait says; its supervisors decide. */
import {
  type ContestedEntry,
  connect,
  contestEntry,
  type Hash,
  type MemberAccount,
  readObjections,
} from 'concordat/client'
import type { Transport } from 'viem'

export async function contest(
  transport: Transport,
  account: MemberAccount,
  attribute: string,
  entry: ContestedEntry,
  reasonHash: Hash,
  say: (line: string) => void,
) {
  const enterprise = await connect({ transport, account })
  const { objectionId } = await contestEntry(enterprise, attribute, entry, reasonHash)
  const raised = await readObjections(enterprise.client)
  say(`objection ${objectionId} of ${raised.length}: supervisors decide`)
  enterprise.close()
}

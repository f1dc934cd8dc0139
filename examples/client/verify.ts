/** A department asks: the first time its colleagues answer, the second time the portrait does. */
import { connect, type MemberAccount, verify } from 'concordat/client'
import type { Transport } from 'viem'

export async function ask(
  transport: Transport,
  account: MemberAccount,
  encryptionKey: Uint8Array,
  question: { readonly creditCode: string; readonly values: Readonly<Record<string, string>> },
  say: (line: string) => void,
) {
  const department = await connect({ transport, account })
  const keys = { encryptionKeys: [encryptionKey] }
  for (const time of ['first', 'second']) {
    const { attributes } = await verify(department, question, keys)
    for (const { attribute, exists, confirmed, attesters, fromPortrait } of attributes) {
      const whence = fromPortrait ? 'the portrait' : attesters.map(({ name }) => name).join(', ')
      say(`${time}: ${attribute} ${exists ? 'exists' : 'is missing'}, ${confirmed ? 'right' : 'wrong'}, says ${whence}`)
    }
  }
  department.close()
}

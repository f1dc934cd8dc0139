/** Who is on the chain, what may be asked, what the portrait of an enterprise says: reading takes no key. */
import { connect, identityOf, listAttributes, listMembers, readPortrait } from 'concordat/client'
import type { Transport } from 'viem'

export async function connectAndRead(transport: Transport, creditCode: string, say: (line: string) => void) {
  const reader = await connect({ transport })
  for (const { name, role, account } of await listMembers(reader)) say(`${name} (${role}) acts with ${account}`)
  for (const { name, supervisors } of await listAttributes(reader)) say(`${name}: ask ${supervisors.join(', ')}`)
  for (const { attribute, existence, confirmed, height } of await readPortrait(reader, creditCode)) {
    say(`${attribute}: ${existence}, ${confirmed ? 'confirmed' : 'not confirmed'} in block ${height}`)
  }
  const nobody = await identityOf(reader, '0x000000000000000000000000000000000000dead')
  say(nobody.active ? 'a member' : 'no member')
  reader.close()
}

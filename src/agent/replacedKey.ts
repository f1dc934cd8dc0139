/** Keys that act for their member no more: said in words, where the chain only says that the sender is nobody. */
import { SIGNER_KIND } from '../contracts/codes.js'
import type { Address, Hash } from '../core/bytes.js'
import type { RpcClient } from '../rpc/client.js'
import { AgentError } from './agentError.js'
import { members, view } from './contractClient.js'

/** KEY_REPLACED when the key once acted for a member and does so no more; else undefined. Throws RpcError or RpcClientError. */
export async function replacedKey(client: RpcClient, signer: Address): Promise<AgentError | undefined> {
  const { account, kind, until } = await view(client, members, 'signerOf', { signer })
  if (until === 0n) return undefined
  const happened = kind === SIGNER_KIND.account ? 'was replaced' : `was removed from member ${account}`
  const message = `the key of ${signer} ${happened} in block ${until}: name the file of a key that acts (keyFile, --key-file)`
  return new AgentError('KEY_REPLACED', message)
}

/** For which role and id an active member's key acts. Throws AgentError NOT_A_MEMBER or KEY_REPLACED. */
export async function activeIdentity(client: RpcClient, signer: Address): Promise<{ role: number; id: Hash }> {
  const { active, role, id } = await view(client, members, 'IdentityAuth', { userID: signer })
  if (active) return { role, id }
  const replaced = await replacedKey(client, signer)
  throw replaced ?? new AgentError('NOT_A_MEMBER', `${signer} is no active member: register it first`)
}

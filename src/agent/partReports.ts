/** What the departments have said to a submission, as the chain has it. */
import { ACK_CODE, type AckCodeName, nameOf } from '../contracts/codes.js'
import { idText } from '../contracts/textId.js'
import type { Address } from '../core/bytes.js'
import type { RpcClient } from '../rpc/client.js'
import { dataSharing, view } from './contractClient.js'
import type { Directory } from './directory.js'
import { nameOfRecipient } from './recipients.js'

/** The part of one department, or of a group of departments: then all of them are named, and each acknowledges. */
export interface PartReport {
  readonly department: string
  readonly address: Address
  readonly attributes: readonly string[]
  readonly status: 'accepted' | 'rejected' | 'pending'
  /** Why it was rejected. */
  readonly code: AckCodeName | number
}

/** In the order of the submission's parts. */
export async function partReports(
  { client, directory }: { readonly client: RpcClient; readonly directory: Directory },
  submissionId: bigint,
  partCount: number,
): Promise<PartReport[]> {
  const parts = Array.from({ length: partCount }, async (_, part): Promise<PartReport> => {
    const state = await view(client, dataSharing, 'partOf', { submissionId, part })
    return {
      department: await nameOfRecipient(client, directory, state.recipient),
      address: state.recipient,
      attributes: state.attributes.map((attribute) => idText(attribute)),
      status: state.acknowledged ? (state.accepted ? 'accepted' : 'rejected') : 'pending',
      code: nameOf(ACK_CODE, state.code) ?? state.code,
    }
  })
  return Promise.all(parts)
}

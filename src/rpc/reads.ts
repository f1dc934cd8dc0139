/** What the RPC tells of reads that a node keeps a record of. */
import type { Address } from '../core/bytes.js'
import type { CallRequest } from './chainApi.js'
import { RPC_CODES, RpcError } from './errors.js'

/** Every method is called while a request is answered: it returns at once. */
export interface ReadObserver {
  /** Whether this call reads what is recorded. */
  watches(request: Pick<CallRequest, 'to' | 'data'>): boolean
  /** Whether raw storage of this account is. */
  watchesStorage(address: Address): boolean
  /** False: reads must be refused until what waits is on disk. */
  readonly hasRoom: boolean
  /** The call is answered, with its result or with what it failed for. `remote`: address of the client. */
  note(request: CallRequest, remote: string): void
  noteStorage(remote: string): void
}

/** -32005: clients try again. Throws RpcError when a read could not be recorded. */
export function requireRoom(reads: ReadObserver): void {
  if (reads.hasRoom) return
  throw new RpcError(RPC_CODES.limitExceeded, 'the record of reads is behind: try again')
}

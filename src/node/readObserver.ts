/** Which reads go into the read log, and what of them: never digests or values. */
import type { ReadRecord } from '../audit/readRecord.js'
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import { dataSharingInterface } from '../contracts/dataSharingStorage.js'
import { type Address, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../core/bytes.js'
import type { CallRequest } from '../rpc/chainApi.js'
import type { ReadObserver } from '../rpc/reads.js'
import type { ReadLog } from './readLog.js'

export interface ReadObserverNeeds {
  readonly log: ReadLog
  readonly height: () => number
  /** Since 1970, in ms. */
  readonly now: () => number
}

/** Calldata beyond this is read at once: a call of full size has about 2 KiB, and thousands of them may wait. */
const KEPT_BYTES_MAX = 4_096

type Read = Pick<ReadRecord, 'call' | 'enterprise' | 'attributes'>

/** What each watched function says of its caller's interest. */
const READS: Readonly<Record<string, (calldata: Uint8Array) => Omit<Read, 'call'>>> = {
  portraitEntries(calldata) {
    const { enterpriseId, items } = dataSharingInterface.decodeCall('portraitEntries', calldata)
    return { enterprise: enterpriseId, attributes: items.map(({ attribute }) => attribute) }
  },
  GetUserProfile(calldata) {
    return { enterprise: dataSharingInterface.decodeCall('GetUserProfile', calldata).enterpriseId, attributes: [] }
  },
  GetExistence(calldata) {
    const { userID, dataParam } = dataSharingInterface.decodeCall('GetExistence', calldata)
    return { enterprise: userID, attributes: [dataParam] }
  },
  GetConfirm(calldata) {
    const { userID, dataParam } = dataSharingInterface.decodeCall('GetConfirm', calldata)
    return { enterprise: userID, attributes: [dataParam] }
  },
}

export class PortraitReads implements ReadObserver {
  readonly #needs: ReadObserverNeeds

  constructor(needs: ReadObserverNeeds) {
    this.#needs = needs
  }

  get hasRoom(): boolean {
    return this.#needs.log.hasRoom
  }

  watches({ to, data }: Pick<CallRequest, 'to' | 'data'>): boolean {
    return to === CONTRACT_ADDRESSES.dataSharing && nameOf(data) !== undefined
  }

  watchesStorage(address: Address): boolean {
    return address === CONTRACT_ADDRESSES.dataSharing
  }

  note({ from, data }: CallRequest, remote: string): void {
    const early = data.length > KEPT_BYTES_MAX ? readOf(data) : undefined
    this.#push(from, remote, () => early ?? readOf(data))
  }

  noteStorage(remote: string): void {
    this.#push(ZERO_ADDRESS, remote, () => ({ call: 'storage', enterprise: ZERO_HASH, attributes: [] }))
  }

  /** A query of the records themselves, by a member that has proved to be it. */
  noteAudit(reader: Address, remote: string, enterprise: Hash | undefined, note: string): void {
    const attributes: readonly Hash[] = []
    this.#push(reader, remote, () => ({ call: 'auditTrail', enterprise: enterprise ?? ZERO_HASH, attributes }), note)
  }

  #push(reader: Address, remote: string, read: () => Read, note = ''): void {
    const { log, height, now } = this.#needs
    const at = { timeMs: now(), height: height(), reader, note }
    log.push(() => ({ ...at, ...read(), remote: remoteKind(remote) }))
  }
}

const nameOf = (data: Uint8Array): string | undefined => {
  const name = dataSharingInterface.select(data)?.name
  return name !== undefined && name in READS ? name : undefined
}

function readOf(data: Uint8Array): Read {
  const call = nameOf(data)!
  return { call, ...READS[call]!(data) }
}

const LOOPBACK = /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/
const REMOTE_CHARS_MAX = 64

const remoteKind = (remote: string): string => (LOOPBACK.test(remote) ? 'loopback' : remote.slice(0, REMOTE_CHARS_MAX))

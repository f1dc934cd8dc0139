/** Which reads go into the read log, and what of them: never digests or values. */
import type { ReadRecord } from '../audit/readRecord.js'
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import { dataSharingInterface as sharing } from '../contracts/dataSharingStorage.js'
import { eligibilityInterface as eligibility } from '../contracts/eligibilityStorage.js'
import { type Address, type Hash, ZERO_ADDRESS, ZERO_HASH } from '../core/bytes.js'
import { requestItemsMax } from '../core/limits.js'
import type { CallRequest } from '../rpc/chainApi.js'
import type { ReadObserver } from '../rpc/reads.js'
import { AbiError } from '../vm/abiReader.js'
import type { ReadLog } from './readLog.js'

export interface ReadObserverNeeds {
  readonly log: ReadLog
  readonly height: () => number
  /** Since 1970, in ms. */
  readonly now: () => number
}

/** Calldata beyond this is read at once: a call of full size has about 2 KiB, and thousands of them may wait. */
const KEPT_BYTES_MAX = 4_096

type Target = Pick<CallRequest, 'to' | 'data'>
type Read = Pick<ReadRecord, 'call' | 'enterprise' | 'attributes'>
/** What a call says of its caller's interest. Throws AbiError. */
type Interest = (calldata: Uint8Array) => Omit<Read, 'call'>

const ofItems = (name: 'portraitEntries' | 'portraitHeld' | 'usePortrait' | 'usePortraitFor'): Interest => {
  return (calldata) => {
    const { enterpriseId, items } = sharing.decodeCall(name, calldata)
    return { enterprise: enterpriseId, attributes: items.map(({ attribute }) => attribute) }
  }
}

const ofParam = (name: 'GetExistence' | 'GetConfirm'): Interest => {
  return (calldata) => {
    const { userID, dataParam } = sharing.decodeCall(name, calldata)
    return { enterprise: userID, attributes: [dataParam] }
  }
}

/** Answers to conditions of a service rule are entries of the portrait. */
const ofPolicy = (name: 'evaluate' | 'decide'): Interest => {
  return (calldata) => ({ enterprise: eligibility.decodeCall(name, calldata).enterpriseId, attributes: [] })
}

/** Everything whose result depends on entries of the portrait; what would be on record as a transaction is none as a mere call. */
const SHARING: Readonly<Record<string, Interest>> = {
  portraitEntries: ofItems('portraitEntries'),
  portraitHeld: ofItems('portraitHeld'),
  usePortrait: ofItems('usePortrait'),
  usePortraitFor: ofItems('usePortraitFor'),
  GetUserProfile(calldata) {
    return { enterprise: sharing.decodeCall('GetUserProfile', calldata).enterpriseId, attributes: [] }
  },
  GetExistence: ofParam('GetExistence'),
  GetConfirm: ofParam('GetConfirm'),
}

const ELIGIBILITY: Readonly<Record<string, Interest>> = { evaluate: ofPolicy('evaluate'), decide: ofPolicy('decide') }

export class PortraitReads implements ReadObserver {
  readonly #needs: ReadObserverNeeds

  constructor(needs: ReadObserverNeeds) {
    this.#needs = needs
  }

  get hasRoom(): boolean {
    return this.#needs.log.hasRoom
  }

  watches(target: Target): boolean {
    return watched(target) !== undefined
  }

  watchesStorage(address: Address): boolean {
    return address === CONTRACT_ADDRESSES.dataSharing
  }

  note(request: CallRequest, remote: string): void {
    const early = request.data.length > KEPT_BYTES_MAX ? readOf(request) : undefined
    this.#push(request.from, remote, () => early ?? readOf(request))
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

function watched({ to, data }: Target): { readonly call: string; readonly interest: Interest } | undefined {
  const [abi, table] = to === CONTRACT_ADDRESSES.eligibility ? [eligibility, ELIGIBILITY] : [sharing, SHARING]
  if (to !== CONTRACT_ADDRESSES.eligibility && to !== CONTRACT_ADDRESSES.dataSharing) return undefined
  const call = abi.select(data)?.name
  if (call === undefined || !Object.hasOwn(table, call)) return undefined
  return { call, interest: table[call]! }
}

/** Of a call that the contract refuses too: its arguments may be none, or more than it takes. */
function readOf(target: Target): Read {
  const { call, interest } = watched(target)!
  try {
    const { enterprise, attributes } = interest(target.data)
    return { call, enterprise, attributes: attributes.slice(0, requestItemsMax) }
  } catch (error) {
    if (!(error instanceof AbiError)) throw error
    return { call, enterprise: ZERO_HASH, attributes: [] }
  }
}

const LOOPBACK = /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/
const REMOTE_CHARS_MAX = 64

const remoteKind = (remote: string): string => (LOOPBACK.test(remote) ? 'loopback' : remote.slice(0, REMOTE_CHARS_MAX))

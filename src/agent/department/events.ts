/** What the chain's logs tell one department, in the order in which it happened. */

import { AGREEMENT_PHASE } from '../../contracts/codes.js'
import { type Address, concatBytes, fromHex, type Hash, toHash } from '../../core/bytes.js'
import { rpcLogAlternativesMax, rpcLogRangeBlocksMax } from '../../core/limits.js'
import type { RpcClient } from '../../rpc/client.js'
import type { LogFilter, RpcLog } from '../../rpc/wire.js'
import { dataSharing, keyAgreement } from '../contractClient.js'
import { isTooWide } from '../logRange.js'
import { AGREEMENT_STEPS, type AgreementStepName, acknowledgementKey, agreementKey, answerKey } from './outbox.js'

export interface EventPlace {
  readonly height: number
  readonly logIndex: number
  readonly transactionHash: Hash
}

export type DepartmentEvent = EventPlace &
  (
    | { readonly kind: 'stored'; readonly submissionId: bigint; readonly enterpriseId: Hash; readonly part: number }
    | { readonly kind: 'wanted'; readonly requestId: bigint; readonly attributes: readonly Hash[] }
    | { readonly kind: 'keyShared'; readonly enterpriseId: Hash; readonly portraitVersion: number }
    /** A round of a key agreement has begun. */
    | {
        readonly kind: 'agreementRound'
        readonly group: Address
        readonly attempt: number
        readonly phase: number
        readonly deadline: bigint
      }
    | {
        readonly kind: 'agreementEnded'
        readonly group: Address
        readonly attempt: number
        readonly agreed: boolean
        readonly messageKeys: readonly string[]
      }
    /** The chain has taken the message with this key, or will not take it any more. */
    | { readonly kind: 'settled'; readonly messageKey: string }
  )

const { abi } = dataSharing
const agreementAbi = keyAgreement.abi

/** An address as an indexed word; every event for a department has its address as a topic. */
export const topicOf = (address: Address): Hash => toHash(concatBytes(new Uint8Array(12), fromHex(address)))

/** Parts come to a department or to a group that it is in; all else names the department itself. */
function filters(self: Address, groups: readonly Address[], fromHeight: number, toHeight: number): LogFilter[] {
  const range = {
    address: [dataSharing.address, keyAgreement.address],
    fromBlock: `0x${fromHeight.toString(16)}`,
    toBlock: `0x${toHeight.toString(16)}`,
  } as const
  const recipients = [self, ...groups].slice(0, rpcLogAlternativesMax).map(topicOf)
  return [
    { ...range, topics: [LAST_TOPIC, null, null, recipients] },
    { ...range, topics: [MIDDLE_TOPIC, null, topicOf(self)] },
  ]
}

/** Events by the place of the department among their topics. */
const LAST_TOPIC = [abi.topic('DataStored'), abi.topic('Attested'), abi.topic('AnswerLate'), abi.topic('AnswerVoid')]
const MIDDLE_TOPIC = [
  abi.topic('AnswerWanted'),
  abi.topic('PortraitKeyShared'),
  abi.topic('DataAcknowledged'),
  agreementAbi.topic('AgreementRound'),
  agreementAbi.topic('ContributionPosted'),
  agreementAbi.topic('AgreementEnded'),
]

export interface EventPage {
  readonly events: readonly DepartmentEvent[]
  /** Last block that was searched; at or below the one asked for. */
  readonly toHeight: number
}

/** Events of blocks `fromHeight` up to `toHeight` or as far as one answer of the node reaches. */
export async function readEvents(
  client: RpcClient,
  self: Address,
  groups: readonly Address[],
  fromHeight: number,
  toHeight: number,
): Promise<EventPage> {
  const last = Math.min(toHeight, fromHeight + rpcLogRangeBlocksMax - 1)
  const calls = filters(self, groups, fromHeight, last).map((filter) => ({ method: 'eth_getLogs', params: [filter] }))
  const answers = await client.batch(calls)
  const logs: RpcLog[] = []
  for (const answer of answers) {
    if (answer.ok) logs.push(...(answer.result as readonly RpcLog[]))
    else if (isTooWide(answer.error, last - fromHeight + 1)) {
      return readEvents(client, self, groups, fromHeight, fromHeight + Math.floor((last - fromHeight) / 2))
    } else throw answer.error
  }
  const events = logs.map(eventOf).filter((event) => event !== null)
  return { events: events.sort((a, b) => a.height - b.height || a.logIndex - b.logIndex), toHeight: last }
}

/** Null for a log that means nothing to a department. */
export function eventOf(log: RpcLog): DepartmentEvent | null {
  const raw = { topics: log.topics, data: fromHex(log.data) }
  const place = {
    height: Number(log.blockNumber),
    logIndex: Number(log.logIndex),
    transactionHash: log.transactionHash,
  }
  if (log.address === keyAgreement.address) return agreementEventOf(raw, place)
  const stored = abi.decodeEvent('DataStored', raw)
  if (stored) return { ...place, kind: 'stored', ...stored }
  const wanted = abi.decodeEvent('AnswerWanted', raw)
  if (wanted) return { ...place, kind: 'wanted', ...wanted }
  const shared = abi.decodeEvent('PortraitKeyShared', raw)
  if (shared) return { ...place, kind: 'keyShared', ...shared }
  const done = abi.decodeEvent('DataAcknowledged', raw)
  if (done) return { ...place, kind: 'settled', messageKey: acknowledgementKey(done.submissionId, done.part) }
  const answered = answeredIn(raw)
  if (answered) return { ...place, kind: 'settled', messageKey: answerKey(answered.requestId, answered.attribute) }
  return null
}

/** An answer that counts, or one that came too late or after the consent was withdrawn: the chain wants none any more. */
const answeredIn = (raw: Parameters<typeof abi.decodeEvent>[1]) =>
  abi.decodeEvent('Attested', raw) ?? abi.decodeEvent('AnswerLate', raw) ?? abi.decodeEvent('AnswerVoid', raw)

/** The step that a round's contribution is. */
const STEP_OF: Readonly<Record<number, AgreementStepName>> = {
  [AGREEMENT_PHASE.shares]: 'share',
  [AGREEMENT_PHASE.links]: 'link',
  [AGREEMENT_PHASE.confirmations]: 'confirmation',
}

function agreementEventOf(
  raw: { topics: readonly Hash[]; data: Uint8Array },
  place: EventPlace,
): DepartmentEvent | null {
  const round = agreementAbi.decodeEvent('AgreementRound', raw)
  if (round) return { ...place, kind: 'agreementRound', ...round }
  const posted = agreementAbi.decodeEvent('ContributionPosted', raw)
  const step = posted && STEP_OF[posted.phase]
  if (step) return { ...place, kind: 'settled', messageKey: agreementKey(posted.group, posted.attempt, step) }
  const ended = agreementAbi.decodeEvent('AgreementEnded', raw)
  if (!ended) return null
  const { group, attempt, agreed } = ended
  const messageKeys = AGREEMENT_STEPS.map((name) => agreementKey(group, attempt, name))
  return { ...place, kind: 'agreementEnded', group, attempt, agreed, messageKeys }
}

/** requestVerification (paper 4.3 (b)-(d), Fig. 7): who asks, about what, on which basis, and who has to answer. */
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import { envelopeBytesMax, requestItemsMax, requestSupervisorsMax } from '../core/limits.js'
import type { FunctionArgs } from '../vm/abiTypes.js'
import { type ContractHost, emit, revert } from '../vm/contract.js'
import { GAS_STEP } from '../vm/gas.js'
import { slotAfter } from '../vm/storage.js'
import { admit, beginExamination, type Examination, examine } from './admission.js'
import type { Asking, Ground } from './askingRules.js'
import { DELIVERY, ENVELOPE_KIND, QUORUM } from './codes.js'
import { readEntryHead, readRule, readSupervisors, requiredAnswers } from './dataPortraitStorage.js'
import type { dataSharingAbi } from './dataSharing.abi.js'
import {
  dataSharingInterface as abi,
  attributeSetId,
  nextId,
  portraitVersionOf,
  REQUEST_COUNT_SLOT,
  requireActing,
  requireActiveDepartment,
  requireCount,
  requireCurrentKey,
} from './dataSharingStorage.js'
import { announce, checkEnvelope } from './directDelivery.js'
import type { Rule } from './genesisTypes.js'
import { type AskedSupervisor, askedAlone, askedGroups, askings, requireGroupKey } from './groupRecipients.js'
import { isActiveDepartment, readMemberHead } from './membersStorage.js'
import {
  answerAt,
  answersSlot,
  isWithdrawn,
  itemResult,
  itemSlot,
  openRequest,
  REQUEST,
  requestHead,
  requestSlot,
  requestTimes,
  requiredWord,
  resultSlot,
  supervisorAnswers,
} from './verificationStorage.js'
import { answerWeight } from './weightedQuorum.js'

const NO_RESULT = itemResult.read(ZERO_HASH)

type Args<N> = FunctionArgs<typeof dataSharingAbi, N>
type Request = Args<'requestVerification'>

/** What the items of a request ask for together. */
interface Wanted {
  /** Attributes that each supervisor is asked for. */
  readonly bySupervisor: ReadonlyMap<Address, readonly Hash[]>
  /** Supervisors that are asked for an attribute whose values travel directly: their whole question does. */
  readonly direct: ReadonlySet<Address>
  /** Answers that complete each item; 0: credit decides. */
  readonly required: readonly number[]
  /** Weight of all whom each item asks; 0 unless credit decides. */
  readonly askedWeights: readonly number[]
  /** Weight of each supervisor of an item in which credit decides. */
  readonly weights: ReadonlyMap<Address, number>
  /** Last block in which answers count; 0: none. */
  readonly deadline: bigint
}

/** Returns the request's id; 0 when the rules refuse the question, which is then on record. Malformed calls revert. */
export function requestVerification(host: ContractHost, request: Request): bigint {
  const { enterpriseId, portraitVersion, purpose, basis, items } = request
  const { account: requester, head } = requireActing(host)
  requireCount('items', items.length, requestItemsMax)
  const version = requireVersion(host, enterpriseId, portraitVersion)
  const asking = { requester, role: head.role, enterpriseId, purpose, basis }
  const examination = beginExamination(asking, version)
  const wanted = checkItems(host, request, examination)
  const asked = checkSealed(host, request, wanted)
  const ground = admit(host, examination)
  if (ground === undefined) return 0n
  const requestId = nextId(host, REQUEST_COUNT_SLOT)
  writeRequest(host, requestId, request, wanted, asking, ground)
  emit(host, abi, 'VerificationRequested', { requestId, enterpriseId, requester, purpose })
  if (ground.needed) emit(host, abi, 'BasisUsed', { requestId, enterpriseId, basis, consent: ground.consent })
  for (const { supervisor, attributes } of asked) {
    emit(host, abi, 'AnswerWanted', { requestId, supervisor, attributes })
  }
  request.sealed.forEach(({ supervisor, envelope }, part) => {
    announce(host, { kind: ENVELOPE_KIND.question, subject: requestId, part, recipient: supervisor, envelope })
  })
  return requestId
}

/** Digests of another portrait version cannot be checked. While the enterprise has named none, any will do. */
function requireVersion(host: ContractHost, enterpriseId: Hash, given: number): number {
  const current = portraitVersionOf(host, enterpriseId)
  if (current !== 0 && given !== current) {
    throw revert(abi, 'PortraitVersionMismatch', { enterpriseId, given, current })
  }
  return current
}

function checkItems(host: ContractHost, request: Request, examination: Examination): Wanted {
  const bySupervisor = new Map<Address, Hash[]>()
  const direct = new Set<Address>()
  const required: number[] = []
  const askedWeights: number[] = []
  const weights = new Map<Address, number>()
  const seen = new Set<Hash>()
  let deadlineBlocks = 0n
  let unlimited = false
  for (const { attribute, digest } of request.items) {
    host.charge(GAS_STEP)
    if (seen.has(attribute)) throw revert(abi, 'DuplicateAttribute', { attribute })
    seen.add(attribute)
    if (digest === ZERO_HASH) throw revert(abi, 'ZeroDigest', { attribute })
    const { rule, supervisors } = openRule(host, attribute)
    examine(host, examination, { attribute, digest }, rule)
    for (const supervisor of supervisors) {
      addTo(bySupervisor, supervisor, attribute)
      if (rule.delivery === DELIVERY.direct) direct.add(supervisor)
    }
    required.push(requiredAnswers(rule.quorum, supervisors.length))
    askedWeights.push(rule.quorum === QUORUM.creditWeighted ? addWeights(host, weights, supervisors) : 0)
    unlimited ||= rule.deadlineBlocks === 0n
    if (rule.deadlineBlocks > deadlineBlocks) deadlineBlocks = rule.deadlineBlocks
  }
  const deadline = unlimited ? 0n : BigInt(host.block.number) + deadlineBlocks
  return { bySupervisor, direct, required, askedWeights, weights, deadline }
}

/** Freezes the supervisors' weights; returns their sum. */
function addWeights(host: ContractHost, weights: Map<Address, number>, supervisors: readonly Address[]): number {
  return supervisors.reduce((sum, supervisor) => {
    const weight = weights.get(supervisor) ?? answerWeight(host, supervisor)
    weights.set(supervisor, weight)
    return sum + weight
  }, 0)
}

/** Rule of an attribute, and the supervisors that are active now: the others are not asked and do not count. */
function openRule(host: ContractHost, attribute: Hash): { rule: Rule; supervisors: readonly Address[] } {
  const head = readEntryHead(host, attribute)
  if (head === undefined) throw revert(abi, 'UnknownAttribute', { attribute })
  const all = readSupervisors(host, attribute, head)
  const supervisors = all.filter((account) => isActiveDepartment(readMemberHead(host, account)))
  if (supervisors.length === 0) throw revert(abi, 'NoActiveSupervisor', { attribute })
  return { rule: readRule(host, attribute), supervisors }
}

function addTo(map: Map<Address, Hash[]>, supervisor: Address, attribute: Hash): void {
  const attributes = map.get(supervisor)
  if (attributes === undefined) map.set(supervisor, [attribute])
  else attributes.push(attribute)
}

/**
 * Exactly one envelope, under its current key, for each supervisor that has to answer; none for what is sealed to a group.
 * Returns who is asked what, one asking for each envelope that a supervisor opens.
 */
function checkSealed(
  host: ContractHost,
  { sealed, items }: Request,
  { bySupervisor, direct }: Wanted,
): readonly AskedSupervisor[] {
  requireCount('sealed', sealed.length, requestSupervisorsMax)
  const recipients = sealed.map(({ supervisor }) => supervisor)
  const attributes = items.map(({ attribute }) => attribute)
  const groups = askedGroups(host, recipients, attributes, bySupervisor)
  const wanted = askedAlone(bySupervisor, groups)
  const given = new Set<Address>()
  for (const { supervisor, keyEpoch, envelope } of sealed) {
    if (given.has(supervisor)) throw revert(abi, 'DuplicateRecipient', { recipient: supervisor })
    const group = groups.get(supervisor)
    if (group === undefined && !wanted.has(supervisor)) throw revert(abi, 'EnvelopeNotWanted', { supervisor })
    given.add(supervisor)
    if (group !== undefined) requireGroupKey(host, supervisor, group.head, keyEpoch)
    else requireCurrentKey(host, requireActiveDepartment(host, supervisor), supervisor, keyEpoch)
    requireCount('envelope bytes', envelope.length, envelopeBytesMax)
    checkEnvelope(host, envelope, direct.has(supervisor) ? DELIVERY.direct : DELIVERY.ledger, supervisor)
  }
  for (const [supervisor, [attribute]] of wanted) {
    if (!given.has(supervisor)) throw revert(abi, 'EnvelopeMissing', { supervisor, attribute: attribute! })
  }
  return askings(wanted, groups)
}

function writeRequest(
  host: ContractHost,
  requestId: bigint,
  request: Request,
  wanted: Wanted,
  { requester, basis }: Asking,
  { consent: consented }: Ground,
): void {
  const { enterpriseId, purpose, items, portraitVersion } = request
  const slot = requestSlot(host, requestId)
  const set = attributeSetId(
    host,
    items.map((item) => item.attribute),
  )
  const counts = { itemCount: items.length, openCount: items.length }
  const height = BigInt(host.block.number)
  const times = { height, deadline: wanted.deadline, portraitVersion, consented }
  const head = { requester, attributeSet: set, ...counts }
  host.store(slot, enterpriseId)
  host.store(slotAfter(slot, REQUEST.head), requestHead.write(head))
  host.store(slotAfter(slot, REQUEST.purpose), purpose)
  host.store(slotAfter(slot, REQUEST.times), requestTimes.write(times))
  host.store(slotAfter(slot, REQUEST.required), requiredWord(wanted.required))
  for (let i = 0; i < items.length; i++) {
    host.store(itemSlot(slot, i), items[i]!.digest)
    const askedWeight = wanted.askedWeights[i]!
    if (askedWeight !== 0) host.store(resultSlot(slot, i), itemResult.write({ ...NO_RESULT, askedWeight }))
  }
  if (consented) host.store(slotAfter(slot, REQUEST.consent), basis)
  for (const supervisor of wanted.bySupervisor.keys()) {
    const weight = wanted.weights.get(supervisor) ?? 0
    host.store(answersSlot(host, slot, supervisor), supervisorAnswers.write({ named: true, answers: 0n, weight }))
  }
}

/** The request with what has been answered so far; existence 0 where the quorum has not been reached. */
export function requestOf(host: ContractHost, { requestId }: Args<'requestOf'>) {
  const { slot, head, attributes } = openRequest(host, requestId)
  const { height, deadline } = requestTimes.read(host.load(slotAfter(slot, REQUEST.times)))
  return {
    enterpriseId: host.load(slot),
    requester: head.requester,
    purpose: host.load(slotAfter(slot, REQUEST.purpose)),
    height,
    deadline,
    completed: head.openCount === 0,
    items: attributes.map((attribute, i) => {
      const { existence, confirmed, answers, answeredAt } = itemResult.read(host.load(resultSlot(slot, i)))
      const done = answeredAt !== 0n
      const digest = host.load(itemSlot(slot, i))
      return { attribute, digest, existence: done ? existence : 0, confirmed: done && confirmed, answers, answeredAt }
    }),
  }
}

/** The consent on which a request rests, zero for none; withdrawn: it was revoked or has expired, nobody may answer any more. */
export function consentOfRequest(host: ContractHost, { requestId }: Args<'consentOfRequest'>) {
  const { slot } = openRequest(host, requestId)
  const times = requestTimes.read(host.load(slotAfter(slot, REQUEST.times)))
  return { consent: host.load(slotAfter(slot, REQUEST.consent)), withdrawn: isWithdrawn(host, slot, times) }
}

/** What one supervisor has answered; existence 0: nothing yet. */
export function answerOf(host: ContractHost, { requestId, attribute, supervisor }: Args<'answerOf'>) {
  const { slot, attributes } = openRequest(host, requestId)
  const index = attributes.indexOf(attribute)
  if (index < 0) throw revert(abi, 'NotAsked', { requestId, attribute })
  const { named, answers } = supervisorAnswers.read(host.load(answersSlot(host, slot, supervisor)))
  return { named, ...answerAt(answers, index) }
}

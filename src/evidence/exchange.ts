/** A whole exchange: a question, the rules then in force, every answer, each in the signed transaction that brought it. */
import { decodeEventLog, decodeFunctionData, type Hex, parseAbi, toEventSelector } from 'viem'
import { EvidenceError, must } from './evidenceError.js'
import {
  type Answer,
  actsFor,
  answerIn,
  type ItemState,
  type Member,
  member,
  type RequestState,
  type Rule,
  requestState,
  ruleAt,
  SHARING,
  text,
} from './layout.js'
import type { State } from './proofs.js'
import type { ProvedTransaction } from './transactions.js'

/** Events of `dataSharing` whose first topic is a request's id. */
export const EXCHANGE_EVENTS = parseAbi([
  'event VerificationRequested(uint256 indexed requestId, bytes32 indexed enterpriseId, address indexed requester, bytes32 purpose)',
  'event BasisUsed(uint256 indexed requestId, bytes32 indexed enterpriseId, bytes32 indexed basis, bool consent)',
  'event AnswerWanted(uint256 indexed requestId, address indexed supervisor, bytes32[] attributes)',
  'event Attested(uint256 indexed requestId, bytes32 indexed attribute, address indexed supervisor, uint8 existence, bool confirmed)',
  'event AnswerLate(uint256 indexed requestId, bytes32 indexed attribute, address indexed supervisor)',
  'event AnswerVoid(uint256 indexed requestId, bytes32 indexed attribute, address indexed supervisor)',
  'event AnswersMissing(uint256 indexed requestId, address[] supervisors)',
  'event VerificationCompleted(uint256 indexed requestId)',
])
/** First topic of each. */
export const EXCHANGE_TOPICS: readonly Hex[] = EXCHANGE_EVENTS.map((event) => toEventSelector(event))
const ATTEST = parseAbi([
  'struct Answer { uint256 requestId; bytes32 attribute; uint8 existence; bool confirmed; }',
  'function attest(Answer[] answers)',
])

export interface GivenAnswer extends Answer {
  readonly by: Member
  readonly transaction: ProvedTransaction
  /** late: after the deadline; void: after the consent was withdrawn. Neither counts. */
  readonly standing: 'given' | 'late' | 'void'
}

export interface ExchangeItem extends ItemState {
  readonly rule: Rule
  readonly answers: number
  readonly given: readonly GivenAnswer[]
  readonly unanswered: readonly Member[]
}

export interface Exchange extends Omit<RequestState, 'requester' | 'items' | 'answersOf'> {
  readonly kind: 'exchange'
  readonly requestId: bigint
  readonly requester: Member
  /** Statute code or consent that the question named where a rule wanted one. */
  readonly basis: Hex | null
  readonly question: ProvedTransaction
  readonly items: readonly ExchangeItem[]
}

type Event = ReturnType<typeof eventsOf>[number]

export async function readExchange(
  state: State,
  id: Hex,
  transactions: readonly ProvedTransaction[],
): Promise<Exchange> {
  const { answersOf, items, ...request } = await requestState(state, id)
  const events = transactions.flatMap((transaction) => eventsOf(transaction, id))
  const asked = events.find(({ eventName }) => eventName === 'VerificationRequested')
  const isFirst = asked !== undefined && asked.transaction.block === request.height
  must(isFirst, 'CONTENT', () => `the transaction that asked question ${BigInt(id)} is not in the file`)
  must(
    await actsFor(state, asked.transaction.signer, request.requester),
    'CONTENT',
    () => `${asked.transaction.signer}, which signed the question, is no key of ${request.requester}`,
  )
  const basis = events.find((event) => event.eventName === 'BasisUsed')?.args.basis ?? null
  const requester = await member(state, request.requester)
  const proved: ExchangeItem[] = []
  for (const item of items) {
    const rule = await ruleAt(state, item.attribute, request.height)
    proved.push({ ...item, rule, ...(await answersTo(state, item.attribute, events)) })
  }
  await checkComplete(proved, events, answersOf)
  return {
    kind: 'exchange',
    requestId: BigInt(id),
    ...request,
    requester,
    basis,
    question: asked.transaction,
    items: proved,
  }
}

/** What the contract said about this request; each transaction has to say something. */
function eventsOf(transaction: ProvedTransaction, id: Hex) {
  const own = transaction.logs.filter(
    ({ address, topics: [event, of] }) => address === SHARING && of === id && EXCHANGE_TOPICS.includes(event!),
  )
  const events = own.map(({ topics, data }) => {
    const log = { abi: EXCHANGE_EVENTS, topics: [...topics] as [Hex, ...Hex[]], data }
    return { ...decoded(() => decodeEventLog(log), transaction), transaction }
  })
  must(events.length > 0, 'UNUSED', () => `transaction ${transaction.hash} says nothing of question ${BigInt(id)}`)
  return events
}

function decoded<T>(read: () => T, { hash }: Pick<ProvedTransaction, 'hash'>): T {
  try {
    return read()
  } catch {
    throw new EvidenceError('MALFORMED', `transaction ${hash} holds what is not in the contract's ABI`)
  }
}

async function answersTo(state: State, attribute: Hex, events: readonly Event[]) {
  const given: GivenAnswer[] = []
  const waiting = new Set<Hex>()
  /** How many answers on the attribute were taken from each transaction: late ones may contradict each other in one. */
  const taken = new Map<Hex, number>()
  for (const event of events) {
    const { eventName, transaction } = event
    if (eventName === 'AnswerWanted' && event.args.attributes.includes(attribute))
      waiting.add(lower(event.args.supervisor))
    if (eventName !== 'Attested' && eventName !== 'AnswerLate' && eventName !== 'AnswerVoid') continue
    if (event.args.attribute !== attribute) continue
    const supervisor = lower(event.args.supervisor)
    const place = taken.get(transaction.hash) ?? 0
    taken.set(transaction.hash, place + 1)
    const said = await signedAnswer(
      state,
      { requestId: event.args.requestId, attribute, place },
      supervisor,
      transaction,
    )
    if (eventName === 'Attested') {
      const { existence, confirmed } = answerIn(event.args.existence, event.args.confirmed)
      const agrees = said.existence === existence && said.confirmed === confirmed
      must(agrees, 'CONTENT', () => `${supervisor} signed another answer than the contract took`)
      waiting.delete(supervisor)
    }
    const standing = eventName === 'Attested' ? 'given' : eventName === 'AnswerLate' ? 'late' : 'void'
    given.push({ by: await member(state, supervisor), ...said, transaction, standing })
  }
  const unanswered: Member[] = []
  for (const supervisor of waiting) unanswered.push(await member(state, supervisor))
  return { given, unanswered }
}

/** The answer on an attribute, the first or a later one, in the calldata of a transaction that a key of the supervisor signed. */
async function signedAnswer(
  state: State,
  { requestId, attribute, place }: { readonly requestId: bigint; readonly attribute: Hex; readonly place: number },
  supervisor: Hex,
  { to, input, signer, hash }: ProvedTransaction,
): Promise<Answer> {
  const own = await actsFor(state, signer, supervisor)
  must(own && to === SHARING, 'CONTENT', () => `transaction ${hash} is not signed by a key of ${supervisor}`)
  const { args } = decoded(() => decodeFunctionData({ abi: ATTEST, data: input }), { hash })
  const said = args[0].filter((one) => one.requestId === requestId && one.attribute === attribute)[place]
  must(
    said !== undefined,
    'CONTENT',
    () => `transaction ${hash} holds no answer of ${supervisor} on ${text(attribute)}`,
  )
  return answerIn(said.existence, said.confirmed)
}

/** No answer is left out: what the contract noted of each supervisor that was asked is what the file shows. */
async function checkComplete(
  items: readonly ExchangeItem[],
  events: readonly Event[],
  answersOf: RequestState['answersOf'],
): Promise<void> {
  const asked = new Set(
    events.flatMap((event) => (event.eventName === 'AnswerWanted' ? [lower(event.args.supervisor)] : [])),
  )
  for (const supervisor of asked) {
    const noted = await answersOf(supervisor)
    must(noted !== null, 'CONTENT', () => `${supervisor} was asked, which the state does not say`)
    items.forEach(({ attribute, given }, i) => {
      const shown = given.find(({ by, standing }) => by.account === supervisor && standing === 'given')
      const { existence, confirmed } = shown ?? answerIn(0, false)
      const agrees = noted[i]!.existence === existence && noted[i]!.confirmed === confirmed
      must(agrees, 'CONTENT', () => `the answer of ${supervisor} on ${text(attribute)} is not in the file`)
    })
  }
}

const lower = (address: string): Hex => address.toLowerCase() as Hex

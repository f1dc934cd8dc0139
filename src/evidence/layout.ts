/**
 * Where the contracts keep what is proved (Solidity's storage layout; slots and fields as in src/contracts/*Storage.ts), and what
 * the numbers there mean.
 */
import { concat, type Hex, hexToString, keccak256, numberToHex, pad, trim } from 'viem'
import { must } from './evidenceError.js'
import type { Sealer } from './header.js'
import type { State } from './proofs.js'

const contract = (number: string): Hex => `0x0000000000000000000000000000000000c0de${number}`
const MEMBERS = contract('01')
const PORTRAIT = contract('02')
export const SHARING = contract('03')
const SEALERS = contract('06')

export const EXISTENCE = ['unanswered', 'exists', 'missing', 'vacant', 'refused'] as const
export type Existence = (typeof EXISTENCE)[number]
const ROLES = ['none', 'enterprise', 'department', 'auditor', 'operator', 'sealer', 'regulator'] as const
const BASES = ['none', 'required', 'consent', 'statute'] as const
/** Digests of one attribute that the portrait lists at most. */
const LISTED_MAX = 64

export interface Member {
  readonly account: Hex
  readonly id: string
  readonly role: string
}

/** The rule of one attribute; 0 blocks: no limit. */
export interface Rule {
  /** First block in which it was in force. */
  readonly from: number
  /** Change of the data portrait that brought it; 0: block 0. */
  readonly change: number
  readonly schemaVersion: number
  /** 'all', 'any', 'credit' or how many of the supervisors. */
  readonly quorum: string
  readonly askers: readonly string[]
  readonly basis: string
  readonly validityBlocks: number
  readonly deadlineBlocks: number
  readonly supervisors: readonly Member[]
}

export const word = (value: number | bigint): Hex => numberToHex(value, { size: 32 })
/** Name in a word: 1 to 32 printable ASCII characters without spaces. Any other word as it is, lest it write sentences of its own. */
export const text = (id: Hex): string => (NAME.test(id) ? hexToString(trim(id, { dir: 'right' })) : id)
const NAME = /^0x(?:2[1-9a-f]|[3-6][0-9a-f]|7[0-9a-e])+(?:00)*$/
const at = (slot: Hex, by: number): Hex => word(BigInt.asUintN(256, BigInt(slot) + BigInt(by)))
const mapped = (key: Hex, base: Hex): Hex => keccak256(concat([pad(key), base]))
/** `bytes` of a word, from the lowest byte `from` on. */
const field = (value: bigint, from: number, bytes: number): number =>
  Number(BigInt.asUintN(8 * bytes, value >> BigInt(8 * from)))
const addressIn = (value: bigint): Hex => numberToHex(BigInt.asUintN(160, value), { size: 20 })

async function words(state: State, of: Hex, slot: Hex, count: number): Promise<bigint[]> {
  const found: bigint[] = []
  for (let i = 0; i < count; i++) found.push(await state.word(of, at(keccak256(slot), i)))
  return found
}

/** Sealers of epoch 0 with their weights, in leader order. */
export async function genesisSealers(state: State): Promise<readonly Sealer[]> {
  const list = await words(state, SEALERS, word(0), field(await state.word(SEALERS, word(0)), 0, 6))
  const sealers: Sealer[] = []
  for (const address of list.map(addressIn)) {
    sealers.push({ address, weight: field(await state.word(SEALERS, mapped(address, word(1))), 0, 8) })
  }
  must(sealers.length > 0, 'SEALERS', () => 'the state of block 0 names no sealers')
  return sealers
}

export async function member(state: State, account: Hex): Promise<Member> {
  const slot = mapped(account, word(0))
  const role = field(await state.word(MEMBERS, slot), 0, 1)
  return { account, id: text(word(await state.word(MEMBERS, at(slot, 1)))), role: ROLES[role] ?? `role ${role}` }
}

/** Whether `signer` is the account itself, or a key that the register holds for it. */
export async function actsFor(state: State, signer: Hex, account: Hex): Promise<boolean> {
  if (signer === account) return true
  return addressIn(await state.word(MEMBERS, mapped(signer, word(6)))) === account
}

/** The rule of an attribute that was in force in a block. */
export async function ruleAt(state: State, attribute: Hex, height: number): Promise<Rule> {
  const versions = mapped(attribute, word(4))
  const found = await words(state, PORTRAIT, versions, field(await state.word(PORTRAIT, versions), 0, 6))
  const version = found.findLast((one) => field(one, 8, 8) <= height)
  must(
    version !== undefined || found.length === 0,
    'CONTENT',
    () => `${text(attribute)} had no rule in block ${height}`,
  )
  const change = version === undefined ? 0 : field(version, 0, 8)
  const entry = change === 0 ? mapped(attribute, word(0)) : at(mapped(word(change), word(6)), 7)
  const head = await state.word(PORTRAIT, entry)
  const rule = await state.word(PORTRAIT, at(entry, 1))
  const more = await words(state, PORTRAIT, at(entry, 5), field(head, 24, 2) - 1)
  const supervisors: Member[] = []
  for (const account of [head, ...more].map(addressIn)) supervisors.push(await member(state, account))
  const quorum = field(rule, 0, 1)
  return {
    from: version === undefined ? 0 : field(version, 8, 8),
    change,
    schemaVersion: field(head, 20, 4),
    quorum: quorum === 0 ? 'all' : quorum === 1 ? 'any' : quorum === 255 ? 'credit' : `${quorum - 1}`,
    askers: ROLES.filter((_, role) => (field(rule, 1, 4) >> role) & 1),
    basis: BASES[field(rule, 5, 1)] ?? 'unknown',
    validityBlocks: field(rule, 7, 8),
    deadlineBlocks: field(rule, 15, 8),
    supervisors,
  }
}

export interface RequestState {
  readonly enterprise: Hex
  readonly requester: Hex
  readonly purpose: Hex
  readonly height: number
  /** 0: none. */
  readonly deadline: number
  readonly isComplete: boolean
  /** The consent on which it rests; null: none. */
  readonly consent: Hex | null
  readonly items: readonly ItemState[]
  /** What a supervisor has answered to each item; null: it was not asked. */
  answersOf(supervisor: Hex): Promise<readonly Answer[] | null>
}

export interface Answer {
  readonly existence: Existence
  readonly confirmed: boolean
}

export interface ItemState extends Answer {
  readonly attribute: Hex
  readonly digest: Hex
  /** Answers that counted. */
  readonly answers: number
  /** Block of the answer that completed it; 0: it is not complete. */
  readonly answeredAt: number
}

export async function requestState(state: State, id: Hex): Promise<RequestState> {
  const slot = mapped(id, word(7))
  const read = (by: number) => state.word(SHARING, at(slot, by))
  const head = await read(1)
  const count = field(head, 24, 1)
  must(count > 0, 'CONTENT', () => `the state holds no request ${BigInt(id)}`)
  const set = mapped(word(field(head, 20, 4)), word(5))
  const attributes = (await words(state, SHARING, set, count)).map(word)
  const times = await read(3)
  const items: ItemState[] = []
  for (const [i, attribute] of attributes.entries()) {
    const digest = word(await read(6 + 2 * i))
    const result = await read(7 + 2 * i)
    const answeredAt = field(result, 7, 8)
    const found = answerIn(answeredAt === 0 ? 0 : field(result, 0, 1), field(result, 1, 1) !== 0 && answeredAt !== 0)
    items.push({ attribute, digest, ...found, answers: field(result, 2, 1), answeredAt })
  }
  return {
    enterprise: word(await read(0)),
    requester: addressIn(head),
    purpose: word(await read(2)),
    height: field(times, 0, 8),
    deadline: field(times, 8, 8),
    isComplete: field(head, 25, 1) === 0,
    consent: field(times, 20, 1) === 0 ? null : word(await read(70)),
    items,
    async answersOf(supervisor) {
      const given = await state.word(SHARING, mapped(supervisor, at(slot, 5)))
      if (field(given, 0, 1) === 0) return null
      return items.map((_, i) => {
        const bits = Number((given >> BigInt(8 + 4 * i)) & 0xfn)
        return answerIn(bits & 7, (bits & 8) !== 0)
      })
    },
  }
}

export const answerIn = (existence: number, confirmed: boolean): Answer => ({
  existence: EXISTENCE[existence] ?? 'unanswered',
  confirmed,
})

export interface EntryState extends Answer {
  readonly digest: Hex
  readonly height: number
  /** Last block in which it is valid; 0: until it is dropped. */
  readonly validUntil: number
  /** Objection that stands against it; 0: none. */
  readonly objection: number
  readonly attesters: readonly Hex[]
}

/** Entries of an enterprise's portrait for one attribute, of the present generation. */
export async function portraitState(state: State, enterprise: Hex, attribute: Hex): Promise<readonly EntryState[]> {
  const slot = mapped(attribute, mapped(enterprise, word(9)))
  const head = await state.word(SHARING, slot)
  const listed = field(head, 4, 4)
  const entries: EntryState[] = []
  for (let i = Math.max(0, listed - LISTED_MAX); i < listed; i++) {
    const digest = word(await state.word(SHARING, mapped(word(i % LISTED_MAX), at(slot, 2))))
    entries.push(await readEntry(state, mapped(digest, at(slot, 1)), digest))
  }
  return entries
}

async function readEntry(state: State, slot: Hex, digest: Hex): Promise<EntryState> {
  const head = await state.word(SHARING, slot)
  const lead = await state.word(SHARING, at(slot, 1))
  const more = await words(state, SHARING, at(slot, 2), field(head, 6, 2) - 1)
  return {
    digest,
    ...answerIn(field(head, 4, 1), field(head, 5, 1) !== 0),
    height: field(head, 8, 8),
    validUntil: field(head, 16, 8),
    objection: field(head, 24, 8),
    attesters: [lead, ...more].map(addressIn),
  }
}

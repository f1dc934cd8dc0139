/**
 * Verifies an evidence file with no node and nothing trusted but the hash of block 0 (docs/evidence.md). Imports libraries of
 * others only, and runs in a browser.
 */
import { type Hex, hexToBytes } from 'viem'
import { must } from './evidenceError.js'
import { type Exchange, readExchange } from './exchange.js'
import { type Finality, type HeaderChain, readChain, type SealerSet } from './finality.js'
import { type EvidenceFile, readEvidence } from './format.js'
import { type Recover, recoverSigner } from './header.js'
import { type Answer, type EntryState, type Member, member, portraitState, type Rule, ruleAt, text } from './layout.js'
import { type Fetch, ListedNodes, Proofs, State, type TakeNode } from './proofs.js'
import { readToken, type TimeStamp } from './token.js'
import { type ProvedTransaction, readTransaction } from './transactions.js'
import { inWords } from './words.js'

export interface VerifyOptions {
  /** The chain that is trusted. */
  readonly genesisHash: string
  /** Certificates of time-stamp authorities that are trusted, DER; without them a token's chain is not checked. */
  readonly authorities?: readonly Uint8Array[]
  /** Recovers signers; default: @noble/curves. For who verifies thousands of files with a native library. */
  readonly recover?: Recover
}

export interface ProvedBlock {
  readonly number: number
  readonly hash: Hex
  /** As its sealer's clock said, ISO 8601. */
  readonly time: string
  readonly sealer: Hex
  readonly epoch: number
  readonly finality: Finality
}

export interface PortraitEntry extends Answer, Omit<EntryState, 'attesters'> {
  readonly attesters: readonly Member[]
  /** It answers questions in the block whose state is shown. */
  readonly isValid: boolean
}

export interface Portrait {
  readonly kind: 'portrait'
  readonly enterprise: Hex
  readonly attribute: Hex
  readonly entries: readonly PortraitEntry[]
  readonly rule: Rule
}

export interface SingleTransaction {
  readonly kind: 'transaction'
  readonly transaction: ProvedTransaction
}

export type Content = SingleTransaction | Portrait | Exchange

export interface EvidenceReport {
  readonly chainId: number
  readonly genesisHash: Hex
  readonly content: Content
  /** Block whose state is shown; null: none. */
  readonly state: number | null
  readonly blocks: readonly ProvedBlock[]
  /** The last block in the file: what a time stamp is over. */
  readonly last: { readonly number: number; readonly hash: Hex }
  /** Null: the file holds none. */
  readonly timeStamp: TimeStamp | null
  /** Sealers of every epoch from block 0 on. */
  readonly sets: readonly SealerSet[]
  /** What is proved, in sentences. */
  readonly words: readonly string[]
}

/**
 * Throws EvidenceError with what does not hold; then nothing is proved. Any other error is not the file's: a wrong argument
 * (TypeError), or a fault of `recover`.
 */
export async function verifyEvidence(bytes: Uint8Array | string, options: VerifyOptions): Promise<EvidenceReport> {
  const file = readEvidence(bytes)
  const nodes = new ListedNodes(file.nodes)
  const report = await prove(file, { ...options, take: nodes.take })
  nodes.end()
  return report
}

export interface ProveOptions extends VerifyOptions {
  readonly take: TakeNode
  readonly fetch?: Fetch | undefined
}

const HASH = /^0x[0-9a-f]{64}$/

/** As `verifyEvidence`, for who gathers the nodes. */
export async function prove(file: EvidenceFile, options: ProveOptions): Promise<EvidenceReport> {
  const { recover = recoverSigner, take, fetch } = options
  const genesisHash = `${options.genesisHash}`.toLowerCase() as Hex
  if (!HASH.test(genesisHash)) throw new TypeError('genesisHash must be 0x and 64 hex digits')
  const proofs = new Proofs(take)
  const chain = await readChain(file, genesisHash, proofs, recover)
  const content = await readContent(file, chain, { proofs, recover, fetch })
  const { blocks, sets } = chain.check()
  const { chainId, state, token } = file
  const { authorities = [] } = options
  const timeStamp = token === null ? null : await readToken(hexToBytes(token), chain.last.hash, authorities)
  const proved = blocks.map(({ header, finality }) => ({
    number: header.number,
    hash: header.hash,
    time: new Date(header.timeMs).toISOString(),
    sealer: header.sealer,
    epoch: header.epoch,
    finality: finality(),
  }))
  const { number, hash } = chain.last
  const last = { number, hash }
  const facts = { chainId, genesisHash, content, state, blocks: proved, last, timeStamp, sets }
  return { ...facts, words: inWords(facts) }
}

async function readContent(
  file: EvidenceFile,
  chain: HeaderChain,
  { proofs, recover, fetch }: { readonly proofs: Proofs; readonly recover: Recover; readonly fetch: Fetch | undefined },
): Promise<Content> {
  const { kind, subject, transactions: places, state: height } = file
  const [first, second] = subject
  must(subject.length === (kind === 'portrait' ? 2 : 1), 'CONTENT', () => `a ${kind} has another number of subjects`)
  checkPlaces(file)
  const transactions: ProvedTransaction[] = []
  for (const place of places) transactions.push(readTransaction(chain, place, proofs, recover))
  if (kind === 'transaction') {
    const [transaction, more] = transactions
    const isIt = transaction !== undefined && more === undefined && transaction.hash === first
    must(isIt, 'CONTENT', () => `the file is not of transaction ${first}`)
    must(height === null, 'UNUSED', () => 'a transaction needs no state')
    return { kind, transaction }
  }
  must(height !== null, 'CONTENT', () => 'the file names no state')
  const state = new State(proofs, chain.block(height).stateRoot, fetch)
  if (kind === 'exchange') return readExchange(state, first!, transactions)
  must(transactions.length === 0, 'UNUSED', () => 'a portrait is read from the state alone')
  return readPortrait(state, first!, second!, height)
}

function checkPlaces({ transactions }: EvidenceFile): void {
  transactions.forEach(({ block, index }, i) => {
    const before = transactions[i - 1]
    const rises = before === undefined || block > before.block || (block === before.block && index > before.index)
    must(rises, 'UNUSED', () => `transaction ${index} of block ${block} is given twice or out of order`)
  })
}

async function readPortrait(state: State, enterprise: Hex, attribute: Hex, height: number): Promise<Portrait> {
  const entries: PortraitEntry[] = []
  for (const { attesters, ...entry } of await portraitState(state, enterprise, attribute)) {
    const members: Member[] = []
    for (const account of attesters) members.push(await member(state, account))
    const isValid = entry.objection === 0 && (entry.validUntil === 0 || height <= entry.validUntil)
    entries.push({ ...entry, attesters: members, isValid })
  }
  const about = () => `the portrait holds nothing on ${text(attribute)} of ${text(enterprise)}`
  must(entries.length > 0, 'CONTENT', about)
  return { kind: 'portrait', enterprise, attribute, entries, rule: await ruleAt(state, attribute, height) }
}

/** What a step's exchange is about: a question, a submission. Kept as they pass; those that began earlier are read. */
import { CONTRACT_ADDRESSES } from '../contracts/addresses.js'
import type { dataSharingAbi } from '../contracts/dataSharing.abi.js'
import { dataSharingInterface } from '../contracts/dataSharingStorage.js'
import { type Address, type Hash, ZERO_HASH } from '../core/bytes.js'
import type { FunctionArgs, FunctionName, FunctionResult } from '../vm/abiTypes.js'
import type { TraceSource } from './source.js'

export interface Exchange {
  readonly block: number
  readonly timeMs: number
  /** Who began it. */
  readonly by: Address | null
  readonly enterprise: Hash | null
  readonly purpose: Hash | null
  readonly basis: Hash | null
}

/** Exchanges kept; beyond it the oldest are read again where a late step names them. */
const EXCHANGES_MAX = 10_000

export class Exchanges {
  readonly #source: TraceSource
  readonly #known = new Map<string, Exchange>()

  constructor(source: TraceSource) {
    this.#source = source
  }

  get(key: string): Exchange | undefined {
    return this.#known.get(key)
  }

  /** The first step stays: a submission has one for each recipient. */
  open(key: string, exchange: Exchange): void {
    if (this.#known.has(key)) return
    if (this.#known.size >= EXCHANGES_MAX) this.#known.delete(this.#known.keys().next().value!)
    this.#known.set(key, exchange)
  }

  /** An exchange that began before what is looked through. */
  async read(kind: string, id: bigint, key: string): Promise<Exchange | undefined> {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const found = await this.#find(kind, id)
    if (found === undefined) return undefined
    const block = Number(found.height)
    const timeMs = (await this.#source.times([block])).get(block) ?? 0
    const { enterpriseId: enterprise, by, purpose } = found
    this.open(key, { block, timeMs, by, enterprise, purpose, basis: null })
    return this.#known.get(key)
  }

  async #find(kind: string, id: bigint) {
    if (kind === 'request') {
      const request = await this.#view('requestOf', { requestId: id })
      return request && { ...request, by: request.requester }
    }
    if (kind !== 'submission') return undefined
    const submission = await this.#view('submissionOf', { submissionId: id })
    return submission && submission.enterpriseId !== ZERO_HASH ? { ...submission, by: null, purpose: null } : undefined
  }

  async #view<N extends FunctionName<typeof dataSharingAbi>>(
    name: N,
    args: FunctionArgs<typeof dataSharingAbi, N>,
  ): Promise<FunctionResult<typeof dataSharingAbi, N> | undefined> {
    const calldata = dataSharingInterface.encodeCall(name, args)
    const answer = await this.#source.view(CONTRACT_ADDRESSES.dataSharing, calldata)
    return answer === undefined ? undefined : dataSharingInterface.decodeResult(name, answer)
  }
}

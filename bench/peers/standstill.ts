/**
 * Sees when a Clique network makes no more blocks. Sealers on branches of equal weight may each wait for one of the other branch, for
 * ever (EIP-3436); only a fresh network helps then.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { CommandError } from '../../src/cli/errors.js'
import { abortable } from '../testbed/loops.js'

/** No head of the network has moved for this long, with a block due every second. */
export const STANDSTILL_MS = 20_000
const POLL_MS = 1_000

export class StandstillError extends CommandError {}

/** Last block of a node, or what it says instead. */
export interface Head {
  readonly node: string
  readonly block: { readonly height: number; readonly hash: string } | undefined
}

/** Compares heads as they are seen; instants in ms of any clock. */
export class HeadWatch {
  #heads: readonly Head[] = []
  #movedAt: number

  constructor(
    private readonly limitMs: number,
    now: number,
  ) {
    this.#movedAt = now
  }

  /** The heads, when none has moved for `limitMs`. A node that does not answer has not moved, nor has it when it answers again. */
  see(heads: readonly Head[], now: number): string | undefined {
    const before = new Map(this.#heads.map(({ node, block }) => [node, block]))
    const known = heads.map(({ node, block }) => ({ node, block: block ?? before.get(node) }))
    if (known.some(({ node, block }) => block?.hash !== before.get(node)?.hash)) this.#movedAt = now
    this.#heads = known
    if (now - this.#movedAt < this.limitMs) return undefined
    return heads.map(headText).join(', ')
  }
}

const headText = ({ node, block }: Head): string =>
  block === undefined ? `${node} does not answer` : `${node} has block ${block.height} ${block.hash.slice(0, 10)}`

export interface Watched {
  /** What stands still, as messages name it. */
  readonly name: string
  heads(): Promise<readonly Head[]>
  readonly limitMs?: number
  readonly pollMs?: number
}

/** `work`; its signal is aborted with that of the caller, or with StandstillError when the chain does not move. */
export async function unlessStandstill<T>(
  { name, heads, limitMs = STANDSTILL_MS, pollMs = POLL_MS }: Watched,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const standstill = new AbortController()
  const done = new AbortController()
  const watching = async () => {
    const watch = new HeadWatch(limitMs, performance.now())
    for (;;) {
      const where = watch.see(await heads(), performance.now())
      if (where !== undefined) {
        const message = `${name} stands still: no head has moved for ${limitMs / 1_000} s (${where})`
        return standstill.abort(new StandstillError(message))
      }
      await delay(pollMs, undefined, { signal: done.signal })
    }
  }
  const watched = watching().catch((error) => {
    if (!done.signal.aborted) standstill.abort(error)
  })
  const either = AbortSignal.any([signal, standstill.signal])
  try {
    return await abortable(work(either), either)
  } catch (error) {
    throw either.aborted ? either.reason : error
  } finally {
    done.abort()
    await watched
  }
}

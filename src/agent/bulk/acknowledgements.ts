/** Waits for the departments' answers to many submissions with few questions: the oldest first, for departments answer in order. */
import type { Connection } from '../connection.js'
import { dataSharing, view } from '../contractClient.js'
import { type PartReport, partReports } from '../partReports.js'

export interface AcknowledgementWatch {
  readonly waiting: number
  /** Calls back once, when all departments have answered or it is given up; then some parts are pending. */
  add(submissionId: bigint, done: (parts: readonly PartReport[]) => void): void
  /** Resolves when nothing waits; what has seen no answer of anyone for `timeoutMs` is given up. Rejects when the node fails. */
  settled(timeoutMs: number): Promise<void>
  stop(): void
}

/** Submissions asked about at a time. */
const OLDEST = 200
/** From one look to the next at least: answers come with blocks, several a second. */
const PAUSE_MS = 200

export function watchAcknowledgements(connection: Connection): AcknowledgementWatch {
  const waiting = new Map<bigint, (parts: readonly PartReport[]) => void>()
  let lastAnswer = performance.now()
  let failure: unknown
  let looking = false
  let timer: NodeJS.Timeout | undefined

  const subscription = connection.heads.onHead(() => schedule())

  function schedule(): void {
    if (timer !== undefined || waiting.size === 0) return
    timer = setTimeout(() => {
      timer = undefined
      void look()
    }, PAUSE_MS)
  }

  async function look(): Promise<void> {
    if (looking) return schedule()
    looking = true
    try {
      const oldest = [...waiting.keys()].slice(0, OLDEST)
      await Promise.all(oldest.map((submissionId) => check(submissionId)))
      failure = undefined
    } catch (error) {
      // Asked again with the next block; `settled` tells when it lasts.
      failure = error
    } finally {
      looking = false
    }
  }

  async function check(submissionId: bigint): Promise<void> {
    const { ackedCount, partCount } = await view(connection.client, dataSharing, 'submissionOf', { submissionId })
    if (ackedCount === partCount) await finish(submissionId, partCount)
  }

  async function finish(submissionId: bigint, partCount: number): Promise<void> {
    const parts = await partReports(connection, submissionId, partCount)
    const done = waiting.get(submissionId)
    waiting.delete(submissionId)
    lastAnswer = performance.now()
    done?.(parts)
  }

  async function giveUp(): Promise<void> {
    for (const submissionId of [...waiting.keys()]) {
      const { partCount } = await view(connection.client, dataSharing, 'submissionOf', { submissionId })
      await finish(submissionId, partCount)
    }
  }

  return {
    get waiting() {
      return waiting.size
    },
    add(submissionId, done) {
      if (waiting.size === 0) lastAnswer = performance.now()
      waiting.set(submissionId, done)
      schedule()
    },
    async settled(timeoutMs) {
      while (waiting.size > 0) {
        await look()
        if (waiting.size > 0 && performance.now() - lastAnswer > timeoutMs) {
          if (failure !== undefined) throw failure
          await giveUp()
        }
        if (waiting.size > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      }
    },
    stop() {
      subscription.close()
      clearTimeout(timer)
      waiting.clear()
    },
  }
}

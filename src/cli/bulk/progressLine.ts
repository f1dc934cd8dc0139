/** How far a bulk submission is: one line that is written over on a terminal, a line now and then elsewhere. */
import type { BulkProgress } from '../../agent/bulk/bulkSubmit.js'

export interface ProgressLine {
  show(progress: BulkProgress): void
  end(): void
}

const TERMINAL_MS = 200
const FILE_MS = 10_000

export function progressLine(stream: NodeJS.WriteStream): ProgressLine {
  const pauseMs = stream.isTTY ? TERMINAL_MS : FILE_MS
  let shownAt = performance.now()
  let open = false
  return {
    show(progress) {
      if (performance.now() - shownAt < pauseMs) return
      shownAt = performance.now()
      stream.write(stream.isTTY ? `\r${progressText(progress)}\u001b[K` : `${progressText(progress)}\n`)
      open = stream.isTTY
    },
    end() {
      if (open) stream.write('\n')
      open = false
    },
  }
}

export function progressText({ phase, total, done, failed, waiting, perSecond }: BulkProgress): string {
  const left = total - done - waiting
  const seconds = perSecond > 0 ? Math.ceil(left / perSecond) : undefined
  const eta = seconds === undefined ? '' : `, ${durationText(seconds)} left`
  if (phase === 'register') return `registering: ${done} of ${total}, ${perSecond.toFixed(1)} a second${eta}`
  return `submitting: ${done} of ${total} done, ${waiting} wait for departments, ${failed} failed, ${perSecond.toFixed(1)} a second${eta}`
}

function durationText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  return seconds < 7_200 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3_600)} h`
}

/** One line a running experiment: redrawn in place on a terminal, a line every half minute elsewhere. */

export interface ProgressLine {
  /** `done`: 0 to 1. `secondsLeft`: of everything that was asked for. */
  update(done: number, label: string, secondsLeft: number): void
  done(summary: string): void
}

const WIDTH = 24
const REDRAW_MS = 100
const LINE_MS = 30_000

export function progressLine(out: NodeJS.WriteStream, title: string): ProgressLine {
  const terminal = out.isTTY === true
  let drawn = terminal ? 0 : performance.now() - LINE_MS
  return {
    update(done, label, secondsLeft) {
      const now = performance.now()
      if (now - drawn < (terminal ? REDRAW_MS : LINE_MS)) return
      drawn = now
      const share = Math.min(1, Math.max(0, done))
      const bar = `[${'#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.')}]`
      const text = `${title.padEnd(24)} ${bar} ${`${Math.floor(share * 100)}`.padStart(3)} %  about ${formatDuration(secondsLeft)} left  ${label}`
      if (terminal) out.write(`\r${text.slice(0, out.columns ?? 120)}\x1b[K`)
      else out.write(`${text}\n`)
    },
    done(summary) {
      out.write(`${terminal ? '\r\x1b[K' : ''}${title.padEnd(24)} ${summary}\n`)
    },
  }
}

/** `45 s`, `3 min 20 s`, `1 h 5 min` */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 100) return `${whole} s`
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`
}

/** A line that fills up: redrawn in place on a terminal, printed once at the end elsewhere, silent with --json. */
import { formatMs, type Output } from '../output.js'

export interface ProgressBar {
  update(done: number, total: number): void
  done(summary: string): void
}

const WIDTH = 30
const REDRAW_MS = 100

export function progressBar(out: Output, title: string): ProgressBar {
  const terminal = process.stdout.isTTY === true && !out.json
  const started = performance.now()
  let drawn = 0
  return {
    update(done, total) {
      const now = performance.now()
      if (!terminal || now - drawn < REDRAW_MS) return
      drawn = now
      const share = total === 0 ? 1 : done / total
      const filled = Math.round(share * WIDTH)
      const left = done === 0 ? '' : ` ${formatMs(((now - started) * (total - done)) / done)} left`
      process.stdout.write(
        `\r  ${title.padEnd(24)} [${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${done}/${total}${left}\x1b[K`,
      )
    },
    done(summary) {
      if (terminal) process.stdout.write('\r\x1b[K')
      out.line(`  ${title.padEnd(24)} ${summary} in ${formatMs(performance.now() - started)}`)
    },
  }
}

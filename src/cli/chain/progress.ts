/** How far a chain file is: one line that is written over on a terminal, a line now and then elsewhere. */

const TERMINAL_MS = 200
const FILE_MS = 10_000

export interface ChainProgress {
  show(height: number, last: number): void
  end(): void
}

export function chainProgress(what: string, stream: NodeJS.WriteStream = process.stderr): ChainProgress {
  const pauseMs = stream.isTTY ? TERMINAL_MS : FILE_MS
  let shownAt = performance.now()
  let isOpen = false
  return {
    show(height, last) {
      if (performance.now() - shownAt < pauseMs) return
      shownAt = performance.now()
      const line = `${what} block ${height} of ${last}`
      stream.write(stream.isTTY ? `\r${line}\u001b[K` : `${line}\n`)
      isOpen = stream.isTTY
    },
    end() {
      if (isOpen) stream.write('\n')
      isOpen = false
    },
  }
}

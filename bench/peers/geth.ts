/** The geth program: is there one that still seals with Clique? */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { CommandError } from '../../src/cli/errors.js'

const run = promisify(execFile)

/** Clique can be mined with up to this series; later ones only follow such chains, or do not know them. */
const SERIES = '1.13.'

export const HOW_TO_GET = `\`bench peers\` needs geth ${SERIES}x on the PATH, the last series that seals with Clique. Get it from
https://geth.ethereum.org/downloads (1.13.15), or build it with Go 1.21 or later:
  go install -ldflags=-checklinkname=0 github.com/ethereum/go-ethereum/cmd/geth@v1.13.15
(the flag is for Go 1.23 and later, leave it out with an older one), then: export PATH="$(go env GOPATH)/bin:$PATH"`

/** Version of the geth on the PATH, or why there is none that can be used. */
export async function findGeth(): Promise<{ readonly version: string } | { readonly problem: string }> {
  try {
    const version = versionOf((await run('geth', ['version'], { timeout: 10_000 })).stdout)
    if (version?.startsWith(SERIES)) return { version }
    return { problem: `the geth on the PATH is ${version ?? 'of an unknown version'}` }
  } catch {
    return { problem: 'there is no geth on the PATH' }
  }
}

/** The line `Version: 1.13.15-stable` of `geth version`. */
export const versionOf = (output: string): string | undefined => /^Version: (\d+\.\d+\.\d+)/m.exec(output)?.[1]

/** Runs one command of geth to its end. Throws CommandError with what it said, or the signal's reason. */
export async function runGeth(args: readonly string[], signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  try {
    await run('geth', args, { timeout: 120_000, maxBuffer: 16 * 1024 * 1024, signal })
  } catch (error) {
    signal.throwIfAborted()
    const { stderr = '', message } = error as Error & { stderr?: string }
    throw new CommandError(`geth ${args.join(' ')} failed: ${stderr.split('\n').slice(-6).join('\n') || message}`)
  }
}
